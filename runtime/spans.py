"""A step of a traced frame, and what takes it: between who makes spans and who exports them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

SpanKind = Literal["internal", "producer", "consumer", "client"]
Attributes = Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class FinishedSpan:
    """One step of a frame. Times are nanoseconds since 1970; `error` is the word for its failure, empty if none."""

    name: str
    kind: SpanKind
    trace_id: str
    span_id: str
    parent_id: str | None
    began: int
    ended: int
    attributes: Attributes
    error: str = ""


class SpanExporter(Protocol):
    """Where spans go; neither call waits for the network."""

    def put(self, span: FinishedSpan) -> None:
        """Take a span to be exported, or drop and count it."""

    def close(self) -> None:
        """Export what waits, as far as that takes moments."""
