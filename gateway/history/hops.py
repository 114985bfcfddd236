"""The places that a frame passed, from its result and its dead letter. Pure."""

from typing import Any

from sqlalchemy import Row

from contract.api.history import HopView
from contract.dead_letters import DeadLetter


def hops_of_result(row: Row[Any]) -> list[HopView]:
    """Ages by the worker's word, which knows the sender's clock; the recorder adds what passed since."""
    taken = max(0.0, row.queue_seconds)
    done = taken + max(0.0, row.processing_seconds)
    recorded = HopView("recorded", row.stored, done + max(0.0, row.stored - row.timestamp))
    captured = HopView("captured", row.original_timestamp, 0.0)
    if row.status == "expired":
        detail = f"{row.reason or 'not computed'} at {row.hop or 'an unknown hop'}"
        return [captured, HopView("expired", row.timestamp, done, row.node_id, detail), recorded]
    count = f"{row.faces} detection{'' if row.faces == 1 else 's'}"
    return [
        captured,
        HopView("queued", row.timestamp - row.processing_seconds, taken, None, "until a worker took it"),
        HopView("computed", row.timestamp, done, row.node_id, f"{row.model}: {count}"),
        recorded,
    ]


def hop_of_letter(letter: DeadLetter) -> HopView:
    """Where the frame's way ended among the dead letters; its age is by the clocks of its sender and that worker."""
    age = None
    if letter.time is not None and letter.timestamp is not None:
        age = max(0.0, letter.time - letter.timestamp)
    detail = f"{letter.reason}: {letter.error}" if letter.error else letter.reason
    return HopView("dead_letter", letter.time, age, letter.node_id, detail)
