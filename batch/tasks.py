"""An item as the task that a worker gets, and a worker's answer as what the books say. Pure."""

import hashlib
import time

import msgspec
from msgspec import UNSET

from batch.store import Answer
from broker import Message
from contract.jobs import PREFIX, job_camera
from contract.result import FailedReply, Reply
from contract.task import Task, TaskForm, encode_task
from contract.topology import Lane

DIGEST = 16
"""Hexadecimal digits of a picture's digest that its task's name has: as many as tell two pictures of one item apart."""

DOLLAR = 1_000_000_000
"""Billionths, in which the books have money: their sums are exact."""

_encoder = msgspec.json.Encoder()


def digest_of(picture: bytes) -> str:
    """The digest by which a picture is known: SHA-256 of its bytes."""
    return hashlib.sha256(picture).hexdigest()


def item_task(
    job_id: str, number: int, digest: str, picture: bytes, lane: Lane, model: str | None
) -> Message:
    """The task of an item. Sent again, it has the same name, by which its second answer is recognised."""
    frame_id = f"{job_id}:{number}:{digest[:DIGEST]}"
    task = encode_task(
        Task(
            image=picture,
            timestamp=time.time(),
            camera_id=job_camera(job_id),
            frame_id=frame_id,
            model=model,
        ),
        TaskForm.COMPACT,
    )
    return Message(
        "",
        lane.queue,
        task.body,
        content_type=task.content_type,
        headers=task.headers,
        message_id=frame_id,
        correlation_id=frame_id,
        reply_to=f"{PREFIX}{job_id}",
    )


def answered(job_id: str, correlation_id: str | None) -> tuple[int, str] | None:
    """The item and the beginning of its picture's digest that an answer is for; None for what is none of this job."""
    name, _, rest = (correlation_id or "").partition(":")
    number, _, digest = rest.partition(":")
    if name != job_id or not (number.isascii() and number.isdigit()) or len(digest) != DIGEST:
        return None
    return int(number), digest


def to_answer(reply: Reply, seconds: float | None) -> Answer | None:
    """What the books say of a worker's word; None for one that was not computed and may be asked for again."""
    if isinstance(reply, FailedReply):
        return Answer(
            ok=False, reason=reply.reason, error=reply.error, node_id=reply.node_id, seconds=seconds
        )
    if reply.status != "ok":
        return None
    return Answer(
        ok=True,
        detections=_encoder.encode(reply.detections).decode(),
        width=reply.width,
        height=reply.height,
        model=reply.model,
        node_id=reply.node_id,
        processing=reply.processing_seconds,
        seconds=seconds,
        description=None if reply.description is UNSET else reply.description,
        cost=None if reply.cost is UNSET else round(reply.cost * DOLLAR),
    )
