"""The body of one HTTP answer, as PyAV reads it."""

import os
from collections.abc import AsyncIterator
from typing import Protocol

from producer.sources.http.answers import CameraAnswer, content_length

BEGINNING = 32  # bytes by which a body is recognised


class Fetch(Protocol):
    """Whoever fetches a body, piece by piece."""

    def more(self, pieces: AsyncIterator[bytes]) -> bytes: ...

    def part(self, url: str, begin: int) -> CameraAnswer | None: ...

    def leave(self, answer: CameraAnswer) -> None: ...

    def closed(self, file: "WebFile") -> None: ...


class WebFile:
    """One body as PyAV reads it; with neither an answer nor content an empty one. Closed by FFmpeg, or at the end.

    It can be read from another place if the camera says so, and it is a whole file at `url`.
    """

    def __init__(
        self,
        files: "Fetch",
        answer: CameraAnswer | None = None,
        url: str | None = None,
        content: bytes = b"",
    ) -> None:
        self._files = files
        self._answer = answer
        self._url = url
        self._pieces = aiter(answer.response.content.iter_any()) if answer is not None else None
        self._length = content_length(answer.response) if answer is not None else None
        self._buffer = memoryview(content)
        self._at = 0
        self._moved = False

    @property
    def url(self) -> str:
        """The address that answered, after redirects."""
        return "" if self._answer is None else str(self._answer.url)

    def read(self, size: int) -> bytes:
        """At least one byte and at most `size`; none at the end."""
        if self._moved:
            self._read_on()
        if not self._buffer and self._pieces is not None:
            self._buffer = memoryview(self._files.more(self._pieces))
        piece = bytes(self._buffer[:size])
        self._buffer = self._buffer[size:]
        self._at += len(piece)
        return piece

    def peek(self) -> bytes:
        """The first bytes, which are read again."""
        head = b""
        while len(head) < BEGINNING and (piece := self.read(4096)):
            head += piece
        self._buffer = memoryview(head + self._buffer)
        self._at = 0
        return head

    def whole(self, most: int) -> bytes | None:
        """All of it, and then it is closed; None if it is more than `most` bytes."""
        body = bytearray()
        while len(body) <= most and (piece := self.read(65_536)):
            body += piece
        self.close()
        return None if len(body) > most else bytes(body)

    def seekable(self) -> bool:
        """Whether it can be read from another place: the camera says its length, and that it sends parts."""
        if self._answer is None or self._url is None:
            return False
        return self._length is not None and self._answer.response.headers.get("Accept-Ranges") == "bytes"

    def seek(self, offset: int, whence: int) -> int:
        """Read on from another place. It is asked for with the next `read`."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length or 0}[whence]
        self._moved = self._moved or begin + offset != self._at
        self._at = begin + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        """Give the connection back. May be called twice."""
        self._hang_up()
        self._files.closed(self)

    def _read_on(self) -> None:
        self._moved = False
        self._hang_up()
        self._answer = self._files.part(self._url or "", self._at) if self._at < (self._length or 0) else None
        self._pieces = aiter(self._answer.response.content.iter_any()) if self._answer is not None else None

    def _hang_up(self) -> None:
        if self._answer is not None and self._pieces is not None:
            self._files.leave(self._answer)
        self._pieces, self._buffer = None, memoryview(b"")
