"""Videos: decoded once, cut into windows, and of their pictures only those analysed that show something new.

`samples` is the way in: a `container` is opened, its `frames` are decoded and thinned, the `sampler` looks at the small
grey picture (`glance`) of each, and what it has not seen is turned upright (`orientation`). `windows` and `cuts` say
what belongs together, the `report` counts, the `timeline` says from results who was there when. What strangers made
is read by `confined_samples`, in a process of its own.
"""
