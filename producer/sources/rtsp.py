"""An RTSP camera, over TCP: what UDP loses shows as smeared pictures."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from producer.frames import Captured, Skipped, SourceError
from producer.pacing import Sampling
from producer.redaction import redact
from producer.sources.decoding import decode
from producer.threads import in_thread

OPEN_TIMEOUT, READ_TIMEOUT = 10.0, 10.0
OPTIONS = {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay"}


class Rtsp:
    """The frames of an RTSP stream as they come; `fps` thins them to that many a second (0: all)."""

    retries = True

    def __init__(self, url: str, *, fps: float = 0.0) -> None:
        self._url = url
        self._fps = fps

    async def frames(self) -> AsyncGenerator[Captured | Skipped]:
        shown = redact(self._url)
        sampling = Sampling(self._fps)
        stream = in_thread(
            lambda: decode(self._url, shown, options=OPTIONS, timeout=(OPEN_TIMEOUT, READ_TIMEOUT)), "rtsp"
        )
        async with aclosing(stream) as items:
            async for item in items:
                if isinstance(item, Skipped):
                    yield item
                elif sampling.wants(item.media):
                    yield Captured(time.time(), item.picture)
                else:
                    yield Skipped("rate")
        raise SourceError("closed", f"{shown} closed the stream")
