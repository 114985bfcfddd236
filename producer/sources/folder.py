"""A folder of images, in the order of their names; also a single image."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import cv2
import numpy as np

from contract.picture import PictureCutOff, PictureError, picture_extent
from producer.frames import Captured, Encoded, Picture, Pixels, Skipped, SourceError
from producer.grammar import IMAGE_SUFFIXES
from producer.pacing import Ticker

FPS = 1.0
REMEMBERED = 100_000  # files that are not decoded again until they change


class Folder:
    """The images of a folder at `fps` a second (0: one); again from the start if `loop`.

    An intact JPEG or PNG is passed on byte for byte, other formats as JPEG. A corrupt image is skipped, with its
    name. The folder is read anew each time round, so images may come and go; what was decoded once to see whether it
    is intact is only read after that.
    """

    retries = False

    def __init__(self, path: Path, *, fps: float = 0.0, loop: bool = True, paced: bool = True) -> None:
        self._path = path
        self._interval = 1 / (fps or FPS)
        self._loop = loop
        self._paced = paced
        self._seen: dict[Path, tuple[tuple[int, int], Skipped | str]] = {}

    async def frames(self) -> AsyncGenerator[Captured | Skipped]:
        ticker = Ticker(self._interval)
        while True:
            good = 0
            for path in await asyncio.to_thread(self._images):
                if self._paced:
                    await asyncio.sleep(ticker.delay(time.monotonic()))
                picture = await asyncio.to_thread(self._load, path)
                if isinstance(picture, Skipped):
                    yield picture
                    continue
                good += 1
                yield Captured(time.time(), picture)
            if not good:
                raise SourceError("no_images", f"none of the images in {self._path} can be read")
            if not self._loop:
                return

    def _images(self) -> list[Path]:
        if self._path.is_file():
            return [self._path]
        try:
            found = sorted(
                p for p in self._path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()
            )
        except FileNotFoundError:
            raise SourceError("missing", f"{self._path} does not exist: check the path in SOURCE") from None
        except OSError as error:
            raise SourceError("io_error", f"{self._path} cannot be read: {error.strerror}") from None
        if not found:
            raise SourceError(
                "no_images",
                f"{self._path} holds no image ({', '.join(sorted(s[1:] for s in IMAGE_SUFFIXES))})",
            )
        return found

    def _load(self, path: Path) -> Picture | Skipped:
        try:
            found = path.stat()
        except OSError as error:
            return Skipped("unreadable", f"{path.name} cannot be read: {error.strerror}")
        version = (found.st_mtime_ns, found.st_size)
        known = self._seen.pop(path, None)
        verdict = known[1] if known is not None and known[0] == version else None
        picture = verdict if isinstance(verdict, Skipped) else load(path, intact=verdict)
        if len(self._seen) < REMEMBERED and not isinstance(picture, Pixels):
            self._seen[path] = version, picture.content_type if isinstance(picture, Encoded) else picture
        return picture


def load(path: Path, *, intact: str | None = None) -> Encoded | Pixels | Skipped:
    """The image of a file, or why it is left out. Reads and decodes: blocking.

    `intact`: the content type of a JPEG or PNG that is known to decode.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        return Skipped("unreadable", f"{path.name} cannot be read: {error.strerror}")
    # OpenCV fills what a broken file lacks with grey and reports success, hence the look at the end.
    try:
        found = picture_extent(data)
    except PictureCutOff:
        return Skipped("corrupt", f"{path.name} is cut off; it is left out")
    except PictureError:
        found = None  # another format, perhaps
    if found is not None:
        encoded = Encoded(found.cut(data), found.content_type)
        if encoded.content_type == intact:
            return encoded
        data = encoded.data
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        return Skipped("corrupt", f"{path.name} is no image that can be decoded; it is left out")
    return Pixels(np.asarray(image, np.uint8)) if found is None else encoded
