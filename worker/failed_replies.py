"""What whoever asked for a frame's result is told when the frame has become a dead letter. Pure."""

import time
from dataclasses import replace

from msgspec import UNSET

from broker import Delivery, Message
from contract.errors import InvalidTask
from contract.result import FailedReply
from contract.senders import Sender
from contract.task import DEFAULT_CAMERA_ID, TaskHead, default_frame_id, fitting, parse_names
from worker.arrival import Arrival
from worker.messages import ERROR_LENGTH, reply_message
from worker.processor import Failed

NOT_ITS_FAULT = (
    "the worker failed at this frame at every attempt, and nothing is known to be wrong with how it is written: send "
    "it again, or ask the operator, who finds out why (framefleet dlq list --sender {})"
)
"""To a named sender instead of what our code raised, which may tell of this machine."""


def failed_reply(failed: Failed, arrival: Arrival, node_id: str) -> Message | None:
    """Address why there is no result to whoever asked; None where nobody did, or may not be answered there.

    Camera and frame are named as far as they can be read. Never raises for what the message contains.
    """
    sender = arrival.intake.sender
    head = arrival.head or _head(arrival.delivery)
    camera_id, frame_id = _known_names(head, sender)
    reply = FailedReply(
        timestamp=time.time(),
        original_timestamp=head.timestamp,
        node_id=node_id,
        detections=[],
        camera_id=camera_id,
        frame_id=frame_id,
        width=0,
        height=0,
        model="",
        processing_seconds=0.0,
        queue_seconds=round(arrival.age, 6),
        reason=failed.reason.value,
        error=_sentence(failed, sender),
        sender=UNSET if sender is None else sender.name,
    )
    return reply_message(reply, replace(arrival, head=head))


def _head(delivery: Delivery) -> TaskHead:
    """What can be read of a message that is not a task; no time of capture."""
    body = delivery.body
    names = parse_names(body, content_type=delivery.content_type, headers=delivery.headers)
    camera_id = names.camera_id or DEFAULT_CAMERA_ID
    message_id = delivery.message_id
    frame_id = names.frame_id or (fitting(message_id) if message_id else default_frame_id(camera_id, body))
    return TaskHead(timestamp=0.0, camera_id=camera_id, frame_id=frame_id)


def _known_names(head: TaskHead, sender: Sender | None) -> tuple[str, str]:
    """Return the camera and frame by the names that everybody knows, also where the sender may not have that camera."""
    if sender is None:
        return head.camera_id, head.frame_id
    try:
        camera_id = sender.camera(None if head.camera_id == DEFAULT_CAMERA_ID else head.camera_id)
    except InvalidTask:
        camera_id = sender.name
    return camera_id, sender.frame(head.frame_id)


def _sentence(failed: Failed, sender: Sender | None) -> str:
    told = (
        failed.error if sender is None or not failed.reason.transient else NOT_ITS_FAULT.format(sender.name)
    )
    return told[:ERROR_LENGTH].encode("utf-8", "replace").decode()
