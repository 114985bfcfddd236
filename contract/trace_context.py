"""The trace that a message belongs to: W3C's `traceparent` in its headers (https://www.w3.org/TR/trace-context/).

Whoever sends a task may write one. Anything but the form that the standard describes is no trace at all; `tracestate`
is neither read nor passed on.
"""

import random
import re
from dataclasses import dataclass

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"

LENGTH = 55
SAMPLED = 1
_FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A trace and the span in it that a message continues, in hexadecimal digits; whether its spans are exported."""

    trace_id: str
    span_id: str
    sampled: bool

    @property
    def header(self) -> str:
        """The value of `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def parse_traceparent(value: object) -> TraceContext | None:
    """Read a header's value, of whatever type; None unless it is version 00 to the letter. Never raises."""
    if not isinstance(value, str) or len(value) != LENGTH:
        return None
    found = _FORM.fullmatch(value)
    if found is None:
        return None
    trace_id, span_id, flags = found.groups()
    if trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & SAMPLED))


def new_trace_id() -> str:
    """Make a trace's id: 32 digits, by chance and never all zero."""
    return f"{random.getrandbits(128) or 1:032x}"  # to tell traces apart, no secret


def new_span_id() -> str:
    """Make a span's id: 16 digits, by chance and never all zero."""
    return f"{random.getrandbits(64) or 1:016x}"
