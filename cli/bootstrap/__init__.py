"""Makes a fresh machine ready: run by the system's own Python, before any package of ours is there.

`python3 -m cli.bootstrap up` installs what running needs and becomes `framefleet up`; `python3 -m cli.bootstrap tests`
installs what the tests need. Standard library only, in this package and in the modules of cli/ that it imports.
"""
