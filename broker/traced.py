"""A message's trace, in its headers."""

from dataclasses import replace

from broker.publisher import Message
from broker.tables import text
from contract.trace_context import TRACEPARENT, TRACESTATE

OF_SENDERS = frozenset({TRACEPARENT, TRACESTATE})


def traced(message: Message, traceparent: str) -> Message:
    """Return the message with this trace in the place of any that its sender wrote."""
    kept = {
        name: value
        for name, value in (message.headers or {}).items()
        if (text(name) if isinstance(name, bytes) else name) not in OF_SENDERS
    }
    return replace(message, headers={TRACEPARENT: traceparent, **kept})
