"""A dead letter made a task again."""

from collections.abc import Mapping
from typing import Any

import msgspec

from contract.dead_letters import DeadLetter, without_traces
from contract.failures import InvalidTask
from contract.task import MAX_BODY_BYTES, is_compact
from contract.topology import TASK_QUEUE, Lane
from contract.unwrapping import is_picture, unwrap


def destination(letter: DeadLetter, lane: Lane | None = None) -> str:
    """The queue for another try: `lane`'s if given; else where it came from, but batch for live frames.

    A live frame that has died is older than the staleness budget: its own lane would let it expire at once.
    """
    if lane is not None:
        return lane.queue
    origin = letter.origin or TASK_QUEUE
    return Lane.BATCH.queue if origin == TASK_QUEUE else origin


def as_task(
    body: bytes, headers: Mapping[str, Any], *, content_type: str | None, captured: float | None = None
) -> tuple[bytes, dict[str, Any]]:
    """Body and headers as the sender wrote them; with `captured` (Unix seconds) as the time of capture.

    A body that is no JSON object stays as it is: it is no task, and will be refused again.
    """
    clean = without_traces(headers)
    if captured is None:
        return body, clean
    try:
        data = unwrap(body, MAX_BODY_BYTES)
        if is_compact(content_type) or is_picture(data):
            return body, clean | {"timestamp": repr(captured)}
        fields = msgspec.json.decode(data)
    except (InvalidTask, msgspec.DecodeError, UnicodeDecodeError):
        return body, clean
    if not isinstance(fields, dict):
        return body, clean
    return msgspec.json.encode(fields | {"timestamp": captured}), clean
