"""An HTTP answer, as far as pictures need it; the strict client and the tolerant reader both give it."""

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from contract.task import MAX_BODY_BYTES

MAX_BYTES = MAX_BODY_BYTES
"""The largest picture: what a task may weigh."""


class Content(Protocol):
    """A body that is read as it comes."""

    def iter_any(self) -> AsyncIterator[bytes]: ...


class Response(Protocol):
    """Status, headers, and a body that is read as it comes."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> CIMultiDictProxy[str] | CIMultiDict[str]: ...

    @property
    def content(self) -> Content: ...

    def close(self) -> None:
        """Hang up."""


class CameraAnswer(NamedTuple):
    """A camera's answer, whose body is not read yet, and the address that gave it.

    `elsewhere` if that is not of the camera's own scheme, host and port.
    """

    response: Response
    elsewhere: bool
    url: URL = URL()


def content_type(response: Response) -> str:
    """The content type that the answer claims: in lower case, short, without parameters; empty if it claims none."""
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()[:60]


def content_length(response: Response) -> int | None:
    """The number of bytes that the answer announces for its body; None if it does not do so clearly."""
    said = response.headers.getall("Content-Length", [])
    if len(set(said)) != 1 or not said[0].isascii() or not said[0].isdigit():
        return None
    return int(said[0][:18])


def is_stream(response: Response) -> bool:
    """Whether an answer claims to be a stream of parts: multipart/x-mixed-replace, or any other multipart."""
    return response.headers.get("Content-Type", "")[:10].lower() == "multipart/"
