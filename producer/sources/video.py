"""Reads a video file (MKV, MP4, AVI, GIF and whatever else FFmpeg knows), which a process of its own decodes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from producer.errors import SourceError
from producer.frames import Captured, Skipped
from producer.redaction import redact
from producer.sources.files import no_file
from producer.sources.streams.messages import DecodeRequest
from producer.sources.streams.pool import Pool

LISTS = (b"ffconcat", b"#extm3u", b"<mpd", b"v=0")
FAULTS_OF_PROCESSES = ("crashed", "stuck", "memory", "restarted")
ATTEMPTS = 3  # so many processes may end under a file without a frame; it has the last one for itself


class Video:
    """The frames of a file, paced by its own timestamps; again from the start if `loop`.

    `fps` thins it to that many frames a second of media time (0: every frame); they come as JPEG of `quality`. If it is
    not `paced`, it is read as fast as its frames are accepted. If its process ends, another goes on where that was.
    `shown` is how messages call the file, instead of by its name.
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
        self._place = shown or redact(str(path))
        self._pool = pool
        self._fps = fps
        self._quality = quality
        self._loop = loop
        self._paced = paced

    async def frames(self) -> AsyncGenerator[Captured | Skipped]:
        if (wrong := no_file(self._path, self._place)) is not None:
            raise wrong
        seen = failures = 0
        while True:
            feed = await self._pool.open(self._request(seen))
            try:
                async with aclosing(feed.items()) as items:
                    async for item in items:
                        yield item
            except SourceError as error:
                if error.reason == "not_a_video" and self._is_list():
                    raise SourceError(
                        "not_a_video",
                        f"{self._shown} is not a video but a list that may name others: give the video itself",
                    ) from None
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

    def _is_list(self) -> bool:
        try:
            with self._path.open("rb") as file:
                begin = file.read(64)
        except OSError:
            return False
        return begin.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(LISTS)

    def _request(self, seen: int) -> DecodeRequest:
        return DecodeRequest(
            url=f"file:{self._path.absolute()}",  # else what stands before a colon in its name is taken for a protocol
            shown=self._shown,
            fps=self._fps,
            quality=self._quality,
            pace="media" if self._paced else "eager",
            skip=seen,
        )
