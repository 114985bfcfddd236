"""Finds the pictures of a stream, one after the other, whatever is between them. Pure: bytes in, pictures out.

RFC 2046 §5.1.1 says: a boundary, header lines, an empty line, the content. Cameras leave out any of it, announce other
boundaries and lengths than they send, pad, or send nothing but pictures. So only the picture itself tells where it
ends; what is between two pictures is read over, and only shows whether pictures have text before them.
"""

import re
from typing import NamedTuple

from contract.picture import ENOUGH_TO_TELL, ContentType, PictureError, Walk, find_start, other_format
from producer.errors import NoPictures, TooLarge

MOST_REFUSED = 8
MOST_BROKEN = 1000  # pictures in a row, because each of them costs time
_KEPT = 1024  # bytes between pictures that are remembered: the headers of a part
_HALF = 7  # bytes that may be half of a beginning

# A part's picture follows a line break, or what cameras wrongly put before it; a picture within a part does not.
_AFTER_LINE = re.compile(rb"\n[\s\x00\xff\xef\xbb\xbf]{0,64}\Z")
_NEXT_PART = re.compile(rb"\n\r?\n(?=\xff\xd8\xff|\x89PNG\r\n\x1a\n)")
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_BOUNDARY = re.compile(rb"(?:\A|\n)[ \t]*(--[^\r\n]{1,250})\r?\n")


class WholePicture(NamedTuple):
    """A whole picture, and when its last byte came, by the clock of `feed`."""

    content: bytes
    content_type: ContentType
    arrived: float


class BrokenPicture(NamedTuple):
    """A picture that begins and is none, and why."""

    why: str


class PictureStream:
    """Finds the pictures of at most `max_bytes` in a stream; holds no more than the one that is being received.

    `between` counts the bytes since the last picture that belong to none, `parts` the boundaries among them; `other`
    names what these parts are, if that is well known. `ended` becomes true with the closing boundary, if there is one.
    """

    def __init__(self, max_bytes: int) -> None:
        self.between = 0
        self.parts = 0
        self.other: str | None = None
        self.ended = False
        self._max = max_bytes
        self._buffer = bytearray()
        self._searched = 0  # no picture begins before this
        self._walk: Walk | None = None
        self._start = 0  # where it set out
        self._framed: bool | None = None  # whether pictures have text before them; the first one shows it
        self._refused = 0
        self._broken = 0
        self._credit = 0
        self._boundary = b""

    def feed(self, data: bytes, now: float) -> list[WholePicture | BrokenPicture]:
        """The pictures that `data` completes. Raises TooLarge or NoPictures, after which the stream is spent."""
        self._buffer += data
        self._credit += len(data)
        found: list[WholePicture | BrokenPicture] = []
        while self._step(now, found):
            pass
        return found

    def _step(self, now: float, found: list[WholePicture | BrokenPicture]) -> bool:
        """Find the next beginning or the next end, if it is in the buffer."""
        walk = self._walk
        if walk is None:
            return self._begin()
        try:
            end = walk.end(self._buffer)
            extent = walk.extent(end) if end is not None else None
        except PictureError as error:
            self._give_up(str(error), found, walk)
            return True
        if extent is None:
            if len(self._buffer) - walk.begin > self._max:
                raise TooLarge(f"a picture of more than {self._max} bytes")
            return False
        if self._next_part(extent.end) is not None:
            self._give_up("the picture is cut off", found, walk)
            return True
        content = bytes(self._buffer[extent.begin : extent.end])
        found.append(WholePicture(content, extent.content_type, now))
        del self._buffer[: extent.end]
        self._walk, self._searched, self.between, self.parts, self._broken = None, 0, 0, 0, 0
        self.other = None
        return True

    def _begin(self) -> bool:
        start = find_start(self._buffer, self._searched)
        if start < 0:
            self._read_over()
            return False
        if not self._belongs(start):
            self._searched = start + 1
            return True
        self._walk, self._start = Walk(start), start
        return True

    def _belongs(self, start: int) -> bool:
        """Whether the picture that begins there is the stream's own, not one within a part (of a film, a preview)."""
        before = bytes(self._buffer[max(0, start - _KEPT) : start])
        after_line = _AFTER_LINE.search(before) is not None
        if self._framed is None:
            self._framed = after_line and bool(before.strip(b"\r\n\t \0\xff\xef\xbb\xbf"))
            boundaries = _BOUNDARY.findall(before)
            self._boundary = boundaries[-1] if boundaries else b""
        elif self._framed and not after_line:
            self._refused += 1
            self._framed = self._refused < MOST_REFUSED
        if after_line or not self._framed:
            self._refused = 0
            return True
        return False

    def _read_over(self) -> None:
        """Read over a buffer in which nothing begins, except for what may be half of a beginning."""
        end = max(self._searched, len(self._buffer) - _HALF)
        self.between += end - self._searched
        self.parts += self._buffer.count(b"\n--", max(0, self._searched - 2), end)
        self._recognise(max(0, self._searched - ENOUGH_TO_TELL))
        self._searched = end
        if self._boundary and self._buffer.find(self._boundary + b"--") >= 0:
            self.ended = True
        if self.between > self._max:
            raise NoPictures("nothing that comes is a picture")
        if (excess := self._searched - _KEPT) > 0:
            del self._buffer[:excess]
            self._searched -= excess

    def _recognise(self, at: int) -> None:
        """Find out what the parts are that begin from there on, if they are no JPEG or PNG."""
        for line in _EMPTY_LINE.finditer(self._buffer, at):
            begin = line.end()
            self.other = self.other or other_format(self._buffer[begin : begin + ENOUGH_TO_TELL])

    def _next_part(self, end: int) -> int | None:
        """The beginning of the next part's picture within what seemed to be one: the first was cut off before it."""
        found = _NEXT_PART.search(self._buffer, self._start + 2, end) if self._framed else None
        return found.end() if found else None

    def _give_up(self, why: str, found: list[WholePicture | BrokenPicture], walk: Walk) -> None:
        """Go on behind what is damaged, or from the next part's picture, if the walk came from before that."""
        found.append(BrokenPicture(why))
        self._broken += 1
        if self._broken > MOST_BROKEN:
            raise NoPictures("what comes begins like pictures and is none")
        reached = max(walk.position, walk.begin + 2)
        go_on = self._next_part(min(reached, len(self._buffer)))
        # Bytes are walked over again only as often as new ones come, so that no camera can keep us busy for ever.
        if go_on is None or reached - go_on > self._credit:
            go_on = reached
        self._credit -= reached - go_on
        self._walk, self._searched = None, go_on
