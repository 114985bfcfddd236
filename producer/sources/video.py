"""A video file: MKV, MP4, AVI, GIF and whatever else FFmpeg reads."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from producer.frames import Captured, Skipped, SourceError
from producer.pacing import Playback, Sampling
from producer.sources.decoding import decode
from producer.threads import in_thread


class Video:
    """The frames of a file, paced by its own timestamps; again from the start if `loop`.

    `fps` thins it to that many frames a second of media time (0: every frame). Not `paced`, it is read as fast as
    its frames are accepted.
    """

    retries = False

    def __init__(self, path: Path, *, fps: float = 0.0, loop: bool = True, paced: bool = True) -> None:
        self._path = path
        self._fps = fps
        self._loop = loop
        self._paced = paced

    async def frames(self) -> AsyncGenerator[Captured | Skipped]:
        if not self._path.is_file():
            raise SourceError("missing", f"{self._path} does not exist: check the path in SOURCE")
        playback = Playback()
        while True:
            sampling = Sampling(self._fps)
            async with aclosing(
                in_thread(lambda: decode(str(self._path), self._path.name), "video")
            ) as items:
                async for item in items:
                    if isinstance(item, Skipped):
                        yield item
                        continue
                    if not sampling.wants(item.media):
                        yield Skipped("rate")
                        continue
                    if self._paced:
                        await asyncio.sleep(playback.delay(item.media, time.monotonic()))
                    yield Captured(time.time(), item.picture)
            if not self._loop:
                return
