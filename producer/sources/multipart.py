"""The parts of a multipart stream as cameras really send them. Pure: bytes in, parts out.

RFC 2046 §5.1.1 says: a line of two dashes and the boundary, header lines, an empty line, the content, and CRLF that
belongs to the next boundary. Cameras forget the dashes, or write them into the boundary's name, send other boundaries
than they announce, bare line feeds, empty lines too many, no Content-Length or a wrong one. So the boundary is learnt
from the stream, and a Content-Length is believed as long as a boundary follows.
"""

import re
from dataclasses import dataclass
from typing import Literal

MAX_HEADERS = 16 * 1024
MAX_BOUNDARY_LINE = 256

_BOUNDARY = re.compile(r'boundary\s*=\s*"?([^";,]+)', re.IGNORECASE)
_LENGTH = re.compile(rb"^content-length\s*:\s*(\d{1,18})\s*$", re.IGNORECASE | re.MULTILINE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_CONTENT = (b"\xff", b"\x89")  # how a JPEG and a PNG begin, and no header does


class PartTooLarge(ValueError):
    """A part is larger than allowed."""


class NotMultipart(ValueError):
    """What comes is no stream of parts."""


@dataclass(frozen=True, slots=True)
class Part:
    """The content of one part, and when it was complete (the clock of `feed`)."""

    arrived: float
    content: bytes


class Parts:
    """Cuts a stream into parts of at most `max_bytes`; holds no more than the part that is being received."""

    def __init__(self, content_type: str, max_bytes: int) -> None:
        found = _BOUNDARY.search(content_type)
        self._named = found[1].strip().strip("-").encode() if found else b""
        self._max = max_bytes
        self._buffer = bytearray()
        self._boundary = b""  # as the stream writes it, dashes included; empty until the first one came
        self._next: Literal["boundary", "headers", "content"] = "boundary"
        self._searched = 0  # before this there is no boundary in the buffer
        self._length: int | None = None
        self._believe_lengths = True
        self.ended = False

    def feed(self, data: bytes, now: float) -> list[Part]:
        """The parts that are complete with `data`. Raises PartTooLarge or NotMultipart; then it is spent."""
        self._buffer += data
        parts: list[Part] = []
        while self._step(now, parts) and not self.ended:
            pass
        return parts

    def _step(self, now: float, parts: list[Part]) -> bool:
        """Take the next thing from the buffer, if all of it is there."""
        while self._buffer[:1].isspace():  # empty lines before a boundary, a header or a picture mean nothing
            del self._buffer[0]
        match self._next:
            case "boundary":
                return self._pass_boundary() if self._boundary else self._learn_boundary()
            case "headers":
                return self._pass_headers()
            case "content":
                content = self._take_content()
                if content is not None:
                    parts.append(Part(now, content))
                return content is not None

    def _learn_boundary(self) -> bool:
        while (newline := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:newline]).strip()
            del self._buffer[: newline + 1]
            dashed = len(line) > 2 and line.startswith(b"--")
            if len(line) < MAX_BOUNDARY_LINE and (dashed or (self._named and line == self._named)):
                self._boundary, self._next = line, "headers"
                return True
        if len(self._buffer) > MAX_HEADERS:
            self._buffer.clear()
        return False

    def _pass_boundary(self) -> bool:
        in_step = self._boundary.startswith(self._buffer[: len(self._boundary)])
        if not in_step:
            self._believe_lengths = False  # a length that was right would have led to a boundary
        found = self._find_boundary()
        if found is not None:
            self._after_boundary(found[1])
        elif not in_step:
            del self._buffer[: self._searched]
            self._searched = 0
        return found is not None

    def _pass_headers(self) -> bool:
        if not self._buffer:
            return False
        headers = b""
        if not self._buffer.startswith(_CONTENT):
            blank = _BLANK_LINE.search(self._buffer)
            if blank is None:
                if len(self._buffer) > MAX_HEADERS:
                    raise NotMultipart(f"headers of more than {MAX_HEADERS} bytes")
                return False
            headers = bytes(self._buffer[: blank.start()])
            del self._buffer[: blank.end()]
        length = _LENGTH.search(headers)
        self._length = int(length[1]) if length and self._believe_lengths else None
        if self._length is not None and self._length > self._max:
            raise PartTooLarge(f"a part of {self._length} bytes")
        self._next, self._searched = "content", 0
        return True

    def _take_content(self) -> bytes | None:
        if self._length is not None:
            if len(self._buffer) < self._length:
                return None
            content = bytes(self._buffer[: self._length])
            del self._buffer[: self._length]
            self._next, self._searched = "boundary", 0
            return content
        found = self._find_boundary()
        if found is None:
            if len(self._buffer) > self._max:
                raise PartTooLarge(f"a part of more than {self._max} bytes")
            return None
        content = bytes(self._buffer[: found[0]]).removesuffix(b"\n").removesuffix(b"\r")
        self._after_boundary(found[1])
        return content

    def _find_boundary(self) -> tuple[int, int] | None:
        """Where the next boundary's line begins and ends, if all of it is in the buffer."""
        while (start := self._buffer.find(self._boundary, self._searched)) >= 0:
            after = start + len(self._boundary)
            newline = self._buffer.find(b"\n", after, after + MAX_BOUNDARY_LINE)
            if newline < 0 and len(self._buffer) < after + MAX_BOUNDARY_LINE:
                self._searched = start
                return None
            rest = bytes(self._buffer[after:newline]).strip() if newline >= 0 else None
            if rest in (b"", b"--"):
                self.ended = rest == b"--"
                return start, newline + 1
            self._searched = start + 1  # it only looked like one
        self._searched = max(0, len(self._buffer) - len(self._boundary) + 1)
        return None

    def _after_boundary(self, end: int) -> None:
        del self._buffer[:end]
        self._next, self._searched = "headers", 0
