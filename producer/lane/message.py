"""A frame as it travels: its picture as a JPEG or PNG that fits, its task in either form, its message."""

from dataclasses import dataclass

from broker import Message
from contract.task import MAX_BODY_BYTES, Task, TaskForm, encode_task
from contract.trace_context import TRACEPARENT
from producer.errors import Undecodable
from producer.frames import Encoded, Frame, recompressed

FIELDS_BYTES = 4096  # room for all that is not the picture


@dataclass(frozen=True, slots=True)
class Form:
    """How the frames of this producer look on the wire."""

    form: TaskForm
    quality: int
    producer_id: str  # this producer's id: whose clock the capture times are of
    staleness: float  # seconds after which a frame of the live lane is not worth sending


def picture_of(frame: Frame, form: Form) -> Encoded | str:
    """Encode the picture as it travels (above the limit, as a smaller JPEG), or say why it cannot, in one word.

    Takes milliseconds unless the source had a file: call it in a thread.
    """
    largest = MAX_BODY_BYTES - FIELDS_BYTES
    if form.form is TaskForm.BASE64:
        largest = largest * 3 // 4
    try:
        encoded = frame.picture.encoded(form.quality)
        if len(encoded.data) > largest:
            encoded = recompressed(encoded, form.quality)
    except Undecodable as error:
        return error.reason
    except ValueError:
        return "too_large"
    return encoded if len(encoded.data) <= largest else "too_large"


def message_of(
    frame: Frame, encoded: Encoded, form: Form, reply_to: str | None, traceparent: str | None = None
) -> Message:
    """Make the message of the frame's task for its lane, with its trace if it has one."""
    task = encode_task(
        Task(
            image=encoded.data,
            timestamp=frame.timestamp,
            camera_id=frame.camera_id,
            frame_id=frame.frame_id,
            model=frame.model,
            motion=frame.motion,
        ),
        form.form,
    )
    headers = dict(task.headers)
    if traceparent is not None:
        headers[TRACEPARENT] = traceparent
    return Message(
        "",
        frame.lane.queue,
        task.body,
        content_type=task.content_type,
        headers=headers or None,
        message_id=frame.frame_id,
        correlation_id=frame.frame_id,
        reply_to=reply_to,
        app_id=form.producer_id,
    )
