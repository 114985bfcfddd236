"""HTTP cameras. A picture's way through these files, top to bottom:

`..snapshot` keeps the rhythm, and asks `stills` for the next picture, or `mjpeg` for a stream of them. Both ask an
`address`, which logs in (`login`, `digest`, `challenges`) and goes by way of the `client`, at whose `places` it waits
its turn, or of the `tolerant` reader. What comes are `answers`; `first_picture` and `picture_stream` find pictures.
"""
