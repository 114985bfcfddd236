"""Task, v1: one frame on its way to a worker (DESIGN §3).

Two forms carry the same task. JSON with the image in base64 is what every plain client can write; the
compact form has the image itself as the body and the other fields in the AMQP headers.
"""

import binascii
import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from contract.failures import FailureReason, InvalidTask
from contract.nesting import decode
from contract.shortening import shortened

MAX_BODY_BYTES = 12 * 1024 * 1024
"""Largest body of a task. RabbitMQ 4 closes the channel above 16 MiB."""

DEFAULT_CAMERA_ID = "default"
CAMERA_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}\Z"

CameraId = Annotated[str, Meta(pattern=CAMERA_ID_PATTERN)]
MAX_FRAME_ID = 200
FrameId = Annotated[str, Meta(min_length=1, max_length=MAX_FRAME_ID)]
ModelName = Annotated[str, Meta(min_length=1, max_length=100)]
# Above 1e11 the sender wrote milliseconds: refuse instead of taking the frame for one from the year 5138.
UnixSeconds = Annotated[float, Meta(ge=0, le=1e11)]


class TaskForm(StrEnum):
    """How a task is written on the wire."""

    BASE64 = "base64"
    COMPACT = "compact"


class Task(Struct, frozen=True, kw_only=True):
    """One frame to analyse. `image` is an encoded JPEG or PNG; `timestamp` is the capture, Unix seconds."""

    image: bytes
    timestamp: float
    camera_id: str
    frame_id: str
    model: str | None = None


class TaskHead(Struct, frozen=True, kw_only=True):
    """A task without its image."""

    timestamp: float
    camera_id: str
    frame_id: str


class EncodedTask(Struct, frozen=True):
    """A task as AMQP carries it: body, content type and headers."""

    body: bytes
    content_type: str
    headers: dict[str, Any]


class _Fields(Struct, kw_only=True, omit_defaults=True):
    timestamp: UnixSeconds
    camera_id: CameraId = DEFAULT_CAMERA_ID
    frame_id: FrameId | None = None
    model: ModelName | None = None


class _JsonTask(_Fields, kw_only=True, omit_defaults=True):
    frame: bytes  # msgspec reads and writes bytes as base64, in C: a third of binascii's time, and as strict


class _WrappedTask(_Fields, kw_only=True):
    frame: str


Shape = TypeVar("Shape", bound=_Fields)

_json_decoder = msgspec.json.Decoder(_JsonTask)
_wrapped_decoder = msgspec.json.Decoder(_WrappedTask)
_head_decoder = msgspec.json.Decoder(_Fields)
_json_encoder = msgspec.json.Encoder()


def parse_task(
    body: bytes,
    *,
    content_type: str | None = None,
    headers: Mapping[str, Any] | None = None,
    message_id: str | None = None,
) -> Task:
    """Read a task in either form; `content_type` `image/*` means the compact one.

    Raises InvalidTask with the reason if the message is no task. Whether the image decodes is not looked at.
    """
    if not body:
        raise InvalidTask(FailureReason.EMPTY, "the message has no body")
    if len(body) > MAX_BODY_BYTES:
        raise InvalidTask(
            FailureReason.TOO_LARGE, f"the body has {len(body)} bytes, the limit is {MAX_BODY_BYTES}"
        )
    if is_compact(content_type):
        fields: _Fields = _compact_fields(headers or {})
        image = body
    else:
        fields, image = _json_task(body)
        if not image:
            raise InvalidTask(FailureReason.EMPTY, "`frame` is empty")
    frame_id = fields.frame_id or message_id or default_frame_id(fields.camera_id, body)
    return Task(
        image=image,
        timestamp=fields.timestamp,
        camera_id=fields.camera_id,
        frame_id=_fitting(frame_id),
        model=fields.model,
    )


def encode_task(task: Task, form: TaskForm = TaskForm.BASE64) -> EncodedTask:
    """Write a task for the wire. The image is not looked at beyond its first bytes (for the content type)."""
    if form is TaskForm.COMPACT:
        headers: dict[str, Any] = {
            # As text: AMQP has doubles, but not every client library can write one (pika cannot).
            "timestamp": repr(task.timestamp),
            "camera_id": task.camera_id,
            "frame_id": task.frame_id,
        }
        if task.model is not None:
            headers["model"] = task.model
        return EncodedTask(task.image, image_type(task.image), headers)
    wire = _JsonTask(
        frame=task.image,
        timestamp=task.timestamp,
        camera_id=task.camera_id,
        frame_id=task.frame_id,
        model=task.model,
    )
    return EncodedTask(_json_encoder.encode(wire), "application/json", {})


def parse_head(
    body: bytes,
    *,
    content_type: str | None = None,
    headers: Mapping[str, Any] | None = None,
    message_id: str | None = None,
) -> TaskHead:
    """A task without its image, which is neither decoded nor checked: some microseconds instead of a hundred.

    Raises InvalidTask.
    """
    fields = _compact_fields(headers or {}) if is_compact(content_type) else _decode_json(body, _head_decoder)
    frame_id = fields.frame_id or message_id or default_frame_id(fields.camera_id, body)
    return TaskHead(timestamp=fields.timestamp, camera_id=fields.camera_id, frame_id=_fitting(frame_id))


def is_compact(content_type: str | None) -> bool:
    """Whether a message is a task in the compact form."""
    return content_type is not None and content_type.lower().startswith("image/")


def default_frame_id(camera_id: str, body: bytes) -> str:
    """The frame_id of a task that names none: the same for every redelivery of the same bytes."""
    return f"{camera_id}:{hashlib.sha256(body).hexdigest()[:16]}"


def image_type(image: bytes) -> str:
    """`image/png` or `image/jpeg`, from the signature."""
    return "image/png" if image.startswith(b"\x89PNG") else "image/jpeg"


def _fitting(frame_id: str) -> str:
    """A message_id may be longer than a frame_id, and becomes one where the task names none."""
    if len(frame_id) <= MAX_FRAME_ID:
        return frame_id
    return shortened(frame_id.encode(), MAX_FRAME_ID).decode()


def _json_task(body: bytes) -> tuple[_Fields, bytes]:
    try:
        task = decode(_json_decoder, body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Base64 in lines, or an error: which one, the slower way finds out.
        wrapped = _decode_json(body, _wrapped_decoder)
        return wrapped, _decode_base64(wrapped.frame)
    return task, task.frame


def _decode_json(body: bytes, decoder: msgspec.json.Decoder[Shape]) -> Shape:
    try:
        return decode(decoder, body)
    except msgspec.ValidationError as error:
        raise InvalidTask(FailureReason.INVALID_TASK, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidTask(FailureReason.NOT_JSON, f"the body is not JSON: {error}") from None


def _compact_fields(headers: Mapping[str, Any]) -> _Fields:
    given = {name: headers[name] for name in _Fields.__struct_fields__ if headers.get(name) is not None}
    try:
        # Clients differ in what they write for a number (double, decimal, text): all are understood.
        given["timestamp"] = float(given["timestamp"])
        return msgspec.convert(given, _Fields)
    except KeyError:
        raise InvalidTask(FailureReason.INVALID_TASK, "the header `timestamp` is missing") from None
    except (TypeError, ValueError) as error:  # msgspec.ValidationError is a ValueError
        raise InvalidTask(FailureReason.INVALID_TASK, f"in the headers: {error}") from None


def _decode_base64(text: str) -> bytes:
    try:
        # base64(1) and MIME wrap lines: legal, but not strict
        return binascii.a2b_base64(b"".join(text.encode("ascii").split()), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidTask(FailureReason.NOT_BASE64, f"`frame` is not base64: {error}") from None
