"""Makes a task of a dead letter again."""

from typing import Any

import msgspec

from contract.dead_letters import DeadLetter
from contract.envelope import is_picture, unwrap
from contract.errors import InvalidTask
from contract.senders import Sender
from contract.task import MAX_BODY_BYTES, is_compact
from contract.topology import Lane


def destination(letter: DeadLetter, lane: Lane | None = None, sender: Sender | None = None) -> str:
    """Return the queue for another try: that of `lane` if given; else where it came from, but batch for live frames.

    A live frame that has died is older than the staleness budget: its own lane would let it expire at once. What came
    from a sender goes to one of its own queues, and nowhere else: to batch where it has that lane.
    """
    if letter.sender is not None:
        sender = sender or Sender(name=letter.sender)
        return sender.queue(lane or (Lane.BATCH if Lane.BATCH in sender.lanes else sender.lanes[0]))
    if lane is not None:
        return lane.queue
    # No other queue: somebody who may only send tasks can write any origin into the header.
    for own in (Lane.GPU.queue, Lane.REMOTE.queue):
        if f"{letter.origin}.".startswith(f"{own}."):
            return own
    return Lane.BATCH.queue


def fresh(body: bytes, *, content_type: str | None, captured: float) -> tuple[bytes, dict[str, Any]]:
    """Return the body and the changed headers of the task as if it had been captured at `captured` (Unix seconds).

    A body that is not a JSON object stays as it is: it is not a task, and will be refused again.
    """
    try:
        data = unwrap(body, MAX_BODY_BYTES)
        if is_compact(content_type) or is_picture(data):
            return body, {"timestamp": repr(captured)}
        fields = msgspec.json.decode(data)
    except (InvalidTask, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body, {}
    if not isinstance(fields, dict):
        return body, {}
    return msgspec.json.encode(fields | {"timestamp": captured}), {}
