"""Streams and video files, which processes of their own decode, because FFmpeg hangs and crashes. From both sides:

In the producer the `pool` keeps `process`es, each with its `watchdog`, has `seats` for cameras in them, and gives each
camera's frames as a `feed`. In the process, `child` hears the producer (`messages`) and starts a `reader` for each
camera, which takes frames from the `decoder` and gives them to its `outbox`. `failures` tells what went wrong, and asks
the camera itself (`rtsp`, `certificates`) where FFmpeg does not say.

What FFmpeg may use is in `formats`. Over http(s) it opens nothing itself: `web` does, by this process's client
(`network`), and writes each `playlist` anew; `encryption` is taken off. `redirects` stops FFmpeg at one of RTSP.
"""
