"""An HTTP answer as far as cameras' pictures need it, whoever read it: the strict client or the tolerant one."""

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from multidict import CIMultiDict, CIMultiDictProxy

from contract.task import MAX_BODY_BYTES
from producer.errors import SourceError

MAX_BYTES = MAX_BODY_BYTES
"""The largest picture: what a task may weigh."""


class CutShort(SourceError):
    """An answer ended within its picture: its length may have been wrong."""


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


class Answer(NamedTuple):
    """What a camera answers, its body not read yet.

    `elsewhere`: a redirect led to another host.
    """

    response: Response
    elsewhere: bool


def content_type(response: Response) -> str:
    """What the answer says that it is: in lower case, without parameters, short; empty if it says nothing."""
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()[:60]


def content_length(response: Response) -> int | None:
    """How many bytes of body the answer announces; None if it does not, or not clearly."""
    said = response.headers.getall("Content-Length", [])
    if len(set(said)) != 1 or not said[0].isascii() or not said[0].isdigit():
        return None
    return int(said[0][:18])


def is_stream(response: Response) -> bool:
    """Whether an answer says that it is a stream of parts: multipart/x-mixed-replace, or whatever multipart."""
    return response.headers.get("Content-Type", "")[:10].lower() == "multipart/"
