"""What becomes of a canary's frame: one reply to whoever asked, and nothing for anybody else (docs/canary.md).

Its gateway judges the reply. There is no dead letter: a detector that fails would fill their queue with canaries.
"""

import time

from broker import Message, Outcome
from contract.result import Result
from contract.task import TaskHead
from worker.arrival import Completion
from worker.messages import reply_message
from worker.processor import HOP, Computed, Expired, Failed, PutBack

UNSENT = frozenset({Outcome.BLOCKED, Outcome.DISCONNECTED})
"""The reply may still be sent. Every other outcome tells of the queue that it goes to, which is not ours: it may be
gone, or full for ever, and must not hold a worker's frame."""


def canary_reply(item: Completion, node_id: str) -> Message | None:
    """Address the frame's result to whoever asked; None where nobody did, or may not be answered there."""
    outcome, head = item.outcome, item.arrival.head
    if isinstance(outcome, Computed | Expired):
        return reply_message(outcome.result, item.arrival)
    if isinstance(outcome, PutBack):
        return None
    return None if head is None else reply_message(_not_computed(outcome, head, node_id), item.arrival)


def _not_computed(failed: Failed, head: TaskHead, node_id: str) -> Result:
    return Result(
        timestamp=time.time(),
        original_timestamp=head.timestamp,
        node_id=node_id,
        detections=[],
        camera_id=head.camera_id,
        frame_id=head.frame_id,
        width=0,
        height=0,
        model="",
        status="expired",
        processing_seconds=0.0,
        queue_seconds=0.0,
        hop=HOP,
        reason=failed.reason.value,
    )
