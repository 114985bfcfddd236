"""A video file: MKV, MP4, AVI, GIF and whatever else FFmpeg reads, decoded in a process of its own kind."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from producer.frames import Captured, Skipped, SourceError
from producer.redaction import redact
from producer.streams.messages import Request
from producer.streams.pool import Pool

# A file is a file: what is called .mkv may be a playlist that names other files, or addresses of this network.
OPTIONS = {"protocol_whitelist": "file,crypto,data"}
FAULTS_OF_PROCESSES = ("crashed", "stuck", "memory", "restarted")
ATTEMPTS = 3  # processes that may end under it without a frame: the last one is its own


class Video:
    """The frames of a file, paced by its own timestamps; again from the start if `loop`.

    `fps` thins it to that many frames a second of media time (0: every frame); they come as JPEG of `quality`. Not
    `paced`, it is read as fast as its frames are accepted. If its process ends, another goes on where it was.
    `shown` is how messages call it, else by its name.
    """

    retries = False

    def __init__(
        self,
        path: Path,
        pool: Pool,
        *,
        shown: str | None = None,
        fps: float = 0.0,
        quality: int = 85,
        loop: bool = True,
        paced: bool = True,
    ) -> None:
        self._path = path
        self._shown = shown or redact(path.name)
        self._pool = pool
        self._fps = fps
        self._quality = quality
        self._loop = loop
        self._paced = paced

    async def frames(self) -> AsyncGenerator[Captured | Skipped]:
        if not self._path.is_file():
            raise SourceError("missing", f"{self._shown} does not exist: check its path")
        seen = failures = 0
        while True:
            feed = await self._pool.open(self._request(seen))
            try:
                async with aclosing(feed.items()) as items:
                    async for item in items:
                        yield item
            except SourceError as error:
                failures = failures + 1 if feed.number < seen else 1
                if error.reason not in FAULTS_OF_PROCESSES or failures >= ATTEMPTS:
                    raise
                seen = max(seen, feed.number + 1)
            else:
                if not self._loop:
                    return
                seen = 0
            finally:
                feed.close()

    def _request(self, seen: int) -> Request:
        return Request(
            url=f"file:{self._path.absolute()}",  # else a colon in its name makes a protocol of what is before
            shown=self._shown,
            options=OPTIONS,
            fps=self._fps,
            quality=self._quality,
            pace="media" if self._paced else "eager",
            skip=seen,
        )
