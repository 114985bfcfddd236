"""Where a picture begins and ends, and how large it will be, from its own segments or chunks. Pure.

What a camera says about its pictures (lengths, types, boundaries) is a hint and often wrong. The picture itself is not:
a JPEG (ITU-T T.81, annex B) is a chain of segments from SOI to EOI, a PNG (RFC 2083) one of chunks up to IEND. All that
asks where one ends asks here. Linear time, and no byte is copied; the pixels are not looked at.
"""

import re
from dataclasses import dataclass
from typing import Literal

from contract.errors import PictureCutOff as PictureCutOff
from contract.errors import PictureError as PictureError

JPEG_SIGNATURE = b"\xff\xd8\xff"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
LEAD = 4096
"""The most bytes that may stand before a picture: a line break, an FF, a byte-order mark, the headers of a part."""
ENOUGH_TO_TELL = 192
"""Bytes by which `other_format` knows a format."""
MAX_PIXELS = 50_000_000
"""A picture of more pixels is not decoded whole: 50 megapixels take 150 MB of memory."""

ContentType = Literal["image/jpeg", "image/png"]
Bytes = bytes | bytearray

_START = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n")
_MARKER = re.compile(rb"\xff[^\x00\xff]")
# In the data of a scan an FF is followed by 00, or by a restart marker. What is none of these and none of the
# segments that may follow a scan is damage, which decoders step over: DHT DAC SOI EOI SOS DQT DNL DRI DHP APPn COM.
_AFTER_SCAN = re.compile(rb"\xff[\xc4\xcc\xd8-\xde\xe0-\xef\xfe]")
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_BARE = (0x01, *range(0xD0, 0xD8))  # markers without a length: TEM and restarts
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MOST_SEGMENTS = 65_536  # a picture has dozens; each costs a step here

_OTHERS = (  # other formats, which may have a JPEG or PNG within, by their first bytes
    ("WebP", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("AVI video", re.compile(rb"RIFF....AVI ", re.DOTALL)),
    ("JPEG XL", re.compile(rb"\xff\x0a|\x00\x00\x00\x0cJXL ")),
    ("JPEG 2000", re.compile(rb"\x00\x00\x00\x0cjP  ")),
    ("HEIF or AVIF", re.compile(rb"....ftyp(?:hei|hev|mif|msf|avi[fs])", re.DOTALL)),
    ("MP4 video", re.compile(rb"....(?:ftyp|moof|styp)", re.DOTALL)),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("TIFF", re.compile(rb"II\*\x00|MM\x00\*")),
    ("BMP", re.compile(rb"BM....\x00{4}", re.DOTALL)),
    ("FLV video", re.compile(rb"FLV\x01")),
    ("MPEG-TS video", re.compile(rb"\x47.{187}\x47", re.DOTALL)),
    ("Matroska or WebM video", re.compile(rb"\x1a\x45\xdf\xa3")),
    ("H.264 or H.265 video", re.compile(rb"\x00?\x00\x00\x01[\x09\x26\x27\x40\x42\x46\x67]")),
    ("an HLS playlist", re.compile(rb"(?:\xef\xbb\xbf)?#EXTM3U")),
    ("ASF video", re.compile(rb"\x30\x26\xb2\x75")),
    ("PDF", re.compile(rb"%PDF-")),
    ("gzip", re.compile(rb"\x1f\x8b\x08")),
    ("HTML", re.compile(rb"(?:\xef\xbb\xbf)?\s{0,64}<(?:!doctype|html|head|body|script)", re.IGNORECASE)),
    ("XML", re.compile(rb"(?:\xef\xbb\xbf)?\s{0,64}<\?xml", re.IGNORECASE)),
    ("JSON", re.compile(rb"(?:\xef\xbb\xbf)?\s{0,64}[{\[]\s{0,64}[\"{\[]")),
)


@dataclass(frozen=True, slots=True)
class Extent:
    """A picture lies at `[begin:end]` of the bytes, and has so many pixels, without regard to EXIF orientation."""

    begin: int
    end: int
    content_type: ContentType
    width: int
    height: int

    def cut(self, data: bytes) -> bytes:
        """The picture alone: `data` itself where there is nothing around it."""
        return data if self.end - self.begin == len(data) else data[self.begin : self.end]


def picture_extent(data: Bytes) -> Extent:
    """Where the first picture of `data` lies.

    Raises PictureCutOff if its end is missing, PictureError if there is none.
    """
    walk = Walk(_begin(data))
    end = walk.end(data, final=True)
    if end is None:
        raise PictureCutOff(f"the {walk.name} is truncated: its end is missing")
    return walk.extent(end)


def picture_size(data: Bytes) -> tuple[int, int]:
    """Width and height in pixels of the first picture of `data`, from its header alone.

    EXIF orientation is not considered. Raises PictureError if there is no picture, or it ends before its size.
    """
    walk = Walk(_begin(data))
    walk.end(data, header_only=True)
    return walk.size()


def find_start(data: Bytes, at: int = 0) -> int:
    """Where the next JPEG or PNG seems to begin; -1 if nowhere. The last 7 bytes may be the half of a beginning."""
    found = _START.search(data, at)
    return found.start() if found else -1


def other_format(data: Bytes) -> str | None:
    """The name of what `data` is instead of a JPEG or PNG, if its first bytes are well known."""
    return next((name for name, pattern in _OTHERS if pattern.match(data)), None)


class Walk:
    """Walks along the picture that begins at `begin` of bytes that may still grow; looks at none of them twice."""

    def __init__(self, begin: int = 0) -> None:
        self.begin = begin
        self.content_type: ContentType | None = None
        self._position = begin
        self._in_scan = False
        self._segments = 0
        self._width = self._height = -1

    @property
    def position(self) -> int:
        """How far it came: after PictureCutOff, where the next picture seems to begin; else what is damaged."""
        return self._position

    @property
    def name(self) -> str:
        """JPEG or PNG."""
        return "PNG" if self.content_type == "image/png" else "JPEG"

    def end(self, data: Bytes, *, header_only: bool = False, final: bool = False) -> int | None:
        """Where the picture ends; None if that is not among `data` yet.

        `header_only`: stop once the size is known. `final`: no more bytes will come.

        Raises PictureCutOff where another picture begins first, PictureError where the picture is damaged.
        """
        if self.content_type is None:
            if data.startswith(JPEG_SIGNATURE, self.begin):
                self.content_type, self._position = "image/jpeg", self.begin + 2
            elif data.startswith(PNG_SIGNATURE, self.begin):
                self.content_type, self._position = "image/png", self.begin + len(PNG_SIGNATURE)
            elif len(data) - self.begin < len(PNG_SIGNATURE):
                return None
            else:
                raise PictureError("the bytes are neither JPEG nor PNG")
        if self.content_type == "image/png":
            return self._png_end(data, header_only)
        return self._jpeg_end(data, header_only, final)

    def size(self) -> tuple[int, int]:
        """Width and height in pixels. Raises PictureError while they are not known, or if there are none."""
        if self._width < 0:
            raise PictureError(f"the {self.name} ends before its size")
        if not self._width or not self._height:
            raise PictureError("the image has no pixels")
        return self._width, self._height

    def extent(self, end: int) -> Extent:
        """The picture that ends there. Raises PictureError if it has no pixels."""
        return Extent(self.begin, end, self.content_type or "image/jpeg", *self.size())

    def _jpeg_end(self, data: Bytes, header_only: bool, final: bool) -> int | None:
        while not (header_only and self._width >= 0):
            found = (_AFTER_SCAN if self._in_scan else _MARKER).search(data, self._position)
            if found is None:
                # Bytes between segments that are none are stepped over, as libjpeg does.
                self._position = max(self._position, len(data) - 1)
                return None
            at = self._position = found.start()
            marker = data[at + 1]
            if marker == _EOI:
                if self._width < 0:
                    raise PictureError("the JPEG ends before its size")
                return at + 2
            if marker == _SOI:
                if self._in_scan:
                    raise PictureCutOff("the JPEG is truncated: another begins in it")
                self.begin, self._position = at, at + 2  # the first one was a false start
                self._segments += 1
                if self._segments > _MOST_SEGMENTS:
                    raise PictureError("the JPEG begins too often")
                continue
            if marker in _BARE:
                self._position = at + 2
                continue
            if not self._pass_segment(data, at, marker, final):
                return None
        return None

    def _pass_segment(self, data: Bytes, at: int, marker: int, final: bool) -> bool:
        """Step over a segment, if enough of it is there."""
        if self._segments > _MOST_SEGMENTS:
            raise PictureError("the JPEG has too many segments")
        if at + 4 > len(data):
            return False
        length = data[at + 2] << 8 | data[at + 3]
        if self._in_scan:
            # Damage may look like a segment: one that is real leads to the next marker, or is a scan's own.
            after = at + 2 + length
            if marker == _SOS:
                real = 6 + 2 <= length <= 6 + 2 * 4
            elif after + 2 > len(data) and not final:
                return False
            else:
                real = (
                    length >= 2
                    and data[after : after + 1] == b"\xff"
                    and data[after + 1 : after + 2] != b"\0"
                )
            if not real:
                self._position = at + 2
                self._segments += 1
                return True
        elif length < 2:
            raise PictureError("the JPEG's header is corrupt")
        if marker in _FRAMES and self._width < 0:
            if at + 9 > len(data):
                return False
            self._height = data[at + 5] << 8 | data[at + 6]
            self._width = data[at + 7] << 8 | data[at + 8]
        elif marker == _SOS and self._width < 0:
            raise PictureError("the JPEG ends before its size")
        self._in_scan = marker == _SOS
        self._position = at + 2 + length
        self._segments += 1
        return True

    def _png_end(self, data: Bytes, header_only: bool) -> int | None:
        while not (header_only and self._width >= 0):
            at = self._position
            if at + 8 > len(data):
                return None
            length, kind = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8])
            if self._width < 0:
                if kind != b"IHDR":
                    raise PictureError("the PNG does not begin with its header")
                if at + 16 > len(data):
                    return None
                self._width = int.from_bytes(data[at + 8 : at + 12], "big")
                self._height = int.from_bytes(data[at + 12 : at + 16], "big")
            self._segments += 1
            if self._segments > _MOST_SEGMENTS or length >= 1 << 31 or not kind.isalpha():
                raise PictureError("the PNG's chunks are corrupt")
            end = at + 12 + length
            if kind == b"IEND":
                return end if end <= len(data) else None
            self._position = end
        return None


def _begin(data: Bytes) -> int:
    """Where the first picture begins. Raises PictureError if there is none within the first bytes."""
    if data.startswith((JPEG_SIGNATURE, PNG_SIGNATURE)):
        return 0
    if (name := other_format(data)) is not None:
        raise PictureError(f"the bytes are {name}, neither JPEG nor PNG")
    found = _START.search(data, 0, LEAD + len(PNG_SIGNATURE))
    if found is None:
        raise PictureError("the bytes are neither JPEG nor PNG")
    return found.start()
