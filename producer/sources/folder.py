"""Reads a folder of images, with the folders in it, in the order of their names; or a single image."""

import asyncio
import time
from bisect import bisect_right
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import cv2
import numpy as np

from contract.picture import MAX_PIXELS, PictureCutOff, PictureError, picture_extent
from producer.catalogue.grammar import IMAGE_SUFFIXES
from producer.errors import SourceError
from producer.frames import Captured, Encoded, Image, Picture, Pixels, Skipped
from producer.redaction import redact
from producer.sources.files import no_file
from producer.sources.image_files import ImageFiles, images_below, position, printable
from producer.sources.pacing import Ticker

FPS = 1.0
REMEMBERED = 100_000  # files that are decoded again only once they change
MAX_BYTES = 128 * 1024 * 1024
WRITING_SECONDS = 5.0
"""A file that changed less long ago than this, and has no end, may still be on its way."""
WRITING_MOST_SECONDS = 60.0
LIST_SECONDS = 10.0
"""The folder is read again after so long, but at most a fiftieth of the time goes into reading it."""
LIST_SHARE = 50
LOOK_SECONDS = 1.0
TELL = 3
"""The same failure is told so many times in a row; after that the folder is looked at in silence."""


class Folder:
    """The images of a folder at `fps` a second (0: one); again from the start if `loop`.

    An intact JPEG or PNG is passed on byte for byte, other formats as JPEG. A corrupt image is skipped, with its
    name; one that is still being written gets time for that. The folder is read again now and then, so images may come
    and go; a file that was found intact is not decoded again. If `loop`, a folder that is empty or not there is looked
    at again for ever. `shown` is how messages call the folder, instead of by its path.
    """

    def __init__(
        self, path: Path, *, shown: str | None = None, fps: float = 0.0, loop: bool = True, paced: bool = True
    ) -> None:
        self._path = path
        self._name = shown or printable(redact(str(path)))
        self._single = shown or printable(path.name)
        self._interval = 1 / (fps or FPS)
        self._loop = loop
        self._paced = paced
        self._seen: dict[str, tuple[tuple[int, int], Skipped | str]] = {}
        self._passed_over = ""
        self._failure, self._failures = "", 0

    @property
    def retries(self) -> bool:
        return self._loop

    async def frames(self) -> AsyncGenerator[Captured | Skipped]:
        ticker = Ticker(self._interval)
        while True:
            good = 0
            async with aclosing(self._round(ticker)) as items:
                async for item in items:
                    good += isinstance(item, Captured)
                    yield item
            if not good:
                raise SourceError("no_images", f"none of the images in {self._name} can be read")
            if not self._loop:
                return

    async def _round(self, ticker: Ticker) -> AsyncGenerator[Captured | Skipped]:
        """Every image once, also those that appear meanwhile with names that come later."""
        last: str | None = None
        unfinished: list[str] = []
        ended = False
        while not ended:
            began = time.monotonic()
            listing = await self._listing()
            if listing.reasons and listing.reasons != self._passed_over:
                self._passed_over = listing.reasons
                yield Skipped("passed_over", f"passed over in {self._name}: {listing.reasons}", count=0)
            until = time.monotonic() + max(LIST_SECONDS, LIST_SHARE * (time.monotonic() - began))
            begin = 0 if last is None else bisect_right(listing.files, position(last), key=position)
            for last in listing.files[begin:]:
                if self._paced:
                    await asyncio.sleep(ticker.delay(time.monotonic()))
                picture = await asyncio.to_thread(self._load, last)
                if picture is None:
                    unfinished.append(last)
                else:
                    yield self._item(picture, last)
                if time.monotonic() > until:
                    break
            else:
                ended = True
        for path in unfinished:
            yield self._item(await self._finished(path), path)

    async def _listing(self) -> ImageFiles:
        """The images that there are. Raises SourceError, but not the same one for ever: then it waits if that helps."""
        while True:
            try:
                listing = await asyncio.to_thread(self._images)
            except SourceError as error:
                self._failures = self._failures + 1 if str(error) == self._failure else 1
                self._failure = str(error)
                if not self._loop or self._failures <= TELL:
                    raise
                await asyncio.sleep(LOOK_SECONDS)
            else:
                self._failure = ""
                return listing

    def _images(self) -> ImageFiles:
        again = "; it is looked at again every second" if self._loop else ""
        try:
            if self._path.is_file():
                return ImageFiles([str(self._path)])
            if not self._path.is_dir() and (wrong := no_file(self._path, self._name)) is not None:
                raise SourceError(wrong.reason, f"{wrong}{again}")
            listing = images_below(self._path)
        except FileNotFoundError:  # a moment ago
            raise SourceError("missing", f"{self._name} does not exist: check its path{again}") from None
        except OSError as error:
            raise SourceError("io_error", f"{self._name} cannot be read: {error.strerror}{again}") from None
        if not listing.files:
            kinds = ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
            others = f"; passed over: {listing.reasons}" if listing.reasons else ""
            raise SourceError("no_images", f"{self._name} holds no image ({kinds}){others}{again}")
        return listing

    async def _finished(self, path: str) -> Picture | Skipped:
        """The image of a file that is being written, once it is whole or nobody goes on writing it."""
        deadline = time.monotonic() + WRITING_MOST_SECONDS
        while time.monotonic() < deadline:
            picture = await asyncio.to_thread(self._load, path)
            if picture is not None:
                return picture
            await asyncio.sleep(LOOK_SECONDS)
        return Skipped("corrupt", f"{self._shown(path)} is written to all the time; it is left out")

    def _load(self, path: str) -> Picture | Skipped | None:
        """The image of a file, or why it is left out; None if it seems to be still on its way."""
        shown = self._shown(path)
        try:
            found = Path(path).stat()
        except OSError as error:
            return Skipped("unreadable", f"{shown} cannot be read: {error.strerror}")
        version = (found.st_mtime_ns, found.st_size)
        known = self._seen.pop(path, None)
        verdict = known[1] if known is not None and known[0] == version else None
        picture = verdict if isinstance(verdict, Skipped) else load(Path(path), shown, intact=verdict)
        if isinstance(picture, Skipped) and abs(time.time() - found.st_mtime) < WRITING_SECONDS:
            return None
        if len(self._seen) < REMEMBERED and not isinstance(picture, Pixels):
            self._seen[path] = version, picture.content_type if isinstance(picture, Encoded) else picture
        return picture

    def _shown(self, path: str) -> str:
        """The file's name within the folder."""
        within = path.removeprefix(str(self._path)).lstrip("/")
        return printable(within) if within else self._single

    def _item(self, picture: Picture | Skipped, path: str) -> Captured | Skipped:
        return picture if isinstance(picture, Skipped) else Captured(time.time(), picture, self._shown(path))


def load(path: Path, shown: str, *, intact: str | None = None) -> Encoded | Pixels | Skipped:
    """The image of a file, or why it is left out. Reads and decodes, so it blocks.

    `intact` is the content type of a JPEG or PNG that is known to decode.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return Skipped("unreadable", f"{shown} cannot be read: {error.strerror}")
    if len(data) > MAX_BYTES:
        return Skipped("too_large", f"{shown} has more than {MAX_BYTES >> 20} MiB; it is left out")
    try:
        found = picture_extent(data)
    except PictureCutOff:
        return Skipped("corrupt", f"{shown} is cut off; it is left out")
    except PictureError:
        found = None  # perhaps another format
    if found is not None:
        encoded = Encoded(found.cut(data), found.content_type)
        # A huge one is not decoded here: its header tells everybody how large it is.
        if encoded.content_type == intact or found.width * found.height > MAX_PIXELS:
            return encoded
        data = encoded.data
    # OpenCV fills the missing part of a broken file with grey and reports success, hence the walk to its end above.
    image = decoded(data)
    if image is None:
        return Skipped("corrupt", f"{shown} is not an image that can be decoded; it is left out")
    return Pixels(image) if found is None else encoded


def decoded(data: bytes) -> Image | None:
    """The pixels of a file of any kind that OpenCV knows; None if it knows it not, or fails."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except (cv2.error, MemoryError):  # too many pixels, or whatever else its decoders do not expect
        return None
    return None if image is None else np.asarray(image, np.uint8)
