"""Headers that pika can write: it has no word for floats, and raises in the middle of a message."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def encodable(headers: Mapping[Any, Any]) -> dict[str, Any]:
    """The headers with every value that AMQP tables (as pika writes them) cannot carry turned into text."""
    return {text(name): _value(value) for name, value in headers.items()}


def _value(value: Any) -> Any:
    if value is None or isinstance(value, str | bytes | bool | datetime):
        return value
    if isinstance(value, int):
        return value if INT64_MIN <= value <= INT64_MAX else str(value)
    if isinstance(value, Mapping):
        return encodable(value)
    if isinstance(value, list | tuple):
        return [_value(item) for item in value]
    return str(value)


def text(value: Any) -> str:
    """A short string off the wire as text: pika leaves bytes where they are not UTF-8."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
