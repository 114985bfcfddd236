"""The task, v1: one frame on its way to a worker.

Two forms carry the same task. JSON with the image in base64 is what every plain client can write; the
compact form has the image itself as the body and the other fields in the AMQP headers. A message that says the same in
another way is read more slowly; all others are refused with a remedy.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from contract import remedies
from contract.abbreviation import shortened
from contract.envelope import decode_base64, is_picture, unwrap, unwrap_picture
from contract.errors import InvalidTask
from contract.failures import FailureReason
from contract.identifiers import CAMERA_ID_PATTERN, MAX_FRAME_ID
from contract.json import check, decode
from contract.numbers import Float32

MAX_BODY_BYTES = 12 * 1024 * 1024
"""The largest body of a task, packed or unpacked. RabbitMQ 4 closes the channel above 16 MiB."""

DEFAULT_CAMERA_ID = "default"
CameraId = Annotated[str, Meta(pattern=CAMERA_ID_PATTERN)]
FrameId = Annotated[str, Meta(min_length=1, max_length=MAX_FRAME_ID)]
ModelName = Annotated[str, Meta(min_length=1, max_length=100)]
# A larger number is in milliseconds, and refused. Dividing it would be no help: the result would then tell another
# time of capture than its sender knows.
UnixSeconds = Annotated[float, Meta(ge=0, le=remedies.MILLISECONDS_FROM)]


class TaskForm(StrEnum):
    """The form of a task on the wire."""

    BASE64 = "base64"
    COMPACT = "compact"


class Task(Struct, frozen=True, kw_only=True):
    """One frame to analyse. `image` is an encoded JPEG or PNG; `timestamp` is the capture, Unix seconds.

    `motion` is the share of the picture, 0-1, that its producer saw change; None: nobody looked, or what is written
    there is none.
    """

    image: bytes
    timestamp: float
    camera_id: str
    frame_id: str
    model: str | None = None
    motion: float | None = None


class TaskHead(Struct, frozen=True, kw_only=True):
    """A task without its image."""

    timestamp: float
    camera_id: str
    frame_id: str


class TaskNames(NamedTuple):
    """The camera and frame that a message claims to be of; None where it names none, or not as it should."""

    camera_id: str | None
    frame_id: str | None


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
    motion: Raw = Raw()  # a client may have a field of that name, with whatever it likes


class _WrittenTask(_Fields, kw_only=True, omit_defaults=True):
    frame: bytes
    motion: float | None = None


class _WrappedTask(_Fields, kw_only=True):
    frame: str


class _AnyTask(Struct, kw_only=True):
    """The fields as the sender wrote them. Nothing else that a body holds is built in memory."""

    frame: Raw = Raw()
    timestamp: Raw = Raw()
    camera_id: Raw = Raw()
    frame_id: Raw = Raw()
    model: Raw = Raw()
    motion: Raw = Raw()


Shape = TypeVar("Shape", bound=_Fields)


class _Read(NamedTuple):
    """A message's fields, its image, and whether the image was the whole body, with the fields in the headers."""

    fields: _Fields
    image: bytes
    compact: bool
    motion: float | None


_json_decoder = msgspec.json.Decoder(_JsonTask)
_any_task_decoder = msgspec.json.Decoder(_AnyTask)
_head_decoder = msgspec.json.Decoder(_Fields)
_json_encoder = msgspec.json.Encoder()


def parse_task(
    body: bytes,
    *,
    content_type: str | None = None,
    headers: Mapping[str, Any] | None = None,
    message_id: str | None = None,
) -> Task:
    """Read a task in either form; a body that is a picture, or `content_type` `image/*`, means the compact one.

    Raises InvalidTask with the reason if the message is not a task. The image need not decode.
    """
    fields, image, compact, motion = _read(body, content_type, headers or {})
    if not is_picture(image):
        image = _picture_by_its_beginning(image)
    return Task(
        image=image,
        timestamp=fields.timestamp,
        camera_id=fields.camera_id,
        frame_id=_frame_id(fields, message_id, body, compact=compact),
        model=fields.model,
        motion=motion,
    )


def encode_task(task: Task, form: TaskForm = TaskForm.BASE64) -> EncodedTask:
    """Write a task for the wire. Only the first bytes of the image are looked at, for the content type."""
    if form is TaskForm.COMPACT:
        headers: dict[str, Any] = {
            # As text: AMQP has doubles, but not every client library can write one (pika cannot).
            "timestamp": repr(task.timestamp),
            "camera_id": task.camera_id,
            "frame_id": task.frame_id,
        }
        if task.model is not None:
            headers["model"] = task.model
        if task.motion is not None:
            headers["motion"] = repr(round(task.motion, 4))
        return EncodedTask(task.image, image_type(task.image), headers)
    wire = _WrittenTask(
        frame=task.image,
        timestamp=task.timestamp,
        camera_id=task.camera_id,
        frame_id=task.frame_id,
        model=task.model,
        motion=None if task.motion is None else round(task.motion, 4),
    )
    return EncodedTask(_json_encoder.encode(wire), "application/json", {})


def parse_head(
    body: bytes,
    *,
    content_type: str | None = None,
    headers: Mapping[str, Any] | None = None,
    message_id: str | None = None,
) -> TaskHead:
    """Read a task without its image, which is neither decoded nor checked: microseconds instead of a hundred.

    Raises InvalidTask.
    """
    compact = is_picture(body)
    try:
        fields = _compact_fields(headers or {}) if compact else decode(_head_decoder, body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        fields, _, compact, _ = _read(body, content_type, headers or {})
    return TaskHead(
        timestamp=fields.timestamp,
        camera_id=fields.camera_id,
        frame_id=_frame_id(fields, message_id, body, compact=compact),
    )


def parse_names(
    body: bytes, *, content_type: str | None = None, headers: Mapping[str, Any] | None = None
) -> TaskNames:
    """Read the camera and frame of a message that is not a task, as far as that is possible. Never raises."""
    given: Mapping[str, Any] = headers or {}
    if len(body) <= MAX_BODY_BYTES:
        try:
            data = unwrap(body, MAX_BODY_BYTES)
            written = {} if is_picture(data) else _as_written(data)
        except InvalidTask:
            written = {}
        if written or not (is_compact(content_type) or is_picture(body)):
            given = written
    return TaskNames(_valid(CameraId, given.get("camera_id")), _valid(FrameId, given.get("frame_id")))


def is_compact(content_type: str | None) -> bool:
    """Tell whether a message is a task in the compact form."""
    return content_type is not None and content_type.lower().startswith("image/")


def default_frame_id(camera_id: str, *content: bytes) -> str:
    """Make the frame_id of a task that names none: the same for every redelivery of the same content."""
    digest = hashlib.sha256()
    for each in content:
        digest.update(each)
    return f"{camera_id}:{digest.hexdigest()[:16]}"


def image_type(image: bytes) -> str:
    """Return `image/png` or `image/jpeg`, by the signature."""
    return "image/png" if image.startswith(b"\x89PNG") else "image/jpeg"


def fitting(frame_id: str) -> str:
    """Shorten a message_id, which may be longer than a frame_id and becomes one where the task names none."""
    if len(frame_id) <= MAX_FRAME_ID:
        return frame_id
    return shortened(frame_id.encode(), MAX_FRAME_ID).decode()


def _frame_id(fields: _Fields, message_id: str | None, body: bytes, *, compact: bool) -> str:
    frame_id = fields.frame_id or message_id
    if frame_id:
        return fitting(frame_id)
    if not compact:
        return default_frame_id(fields.camera_id, body)
    # A camera may send the same picture again and again: only the headers tell its frames apart.
    return default_frame_id(fields.camera_id, body, f"{fields.timestamp!r} {fields.model or ''}".encode())


def _read(body: bytes, content_type: str | None, headers: Mapping[str, Any]) -> _Read:
    if not body:
        raise InvalidTask(FailureReason.EMPTY, f"the message has no body: {remedies.TASK}")
    if len(body) > MAX_BODY_BYTES:
        raise InvalidTask(
            FailureReason.TOO_LARGE,
            f"the body has {len(body)} bytes, the limit is {MAX_BODY_BYTES}: send a smaller picture, or a JPEG",
        )
    if is_picture(body):
        return _compact(headers, body)
    try:
        task = decode(_json_decoder, body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_otherwise(body, content_type, headers)
    if not task.frame:
        raise InvalidTask(FailureReason.EMPTY, remedies.EMPTY_FRAME)
    return _Read(task, task.frame, False, _share(_value(bytes(task.motion))) if task.motion else None)


def _read_otherwise(body: bytes, content_type: str | None, headers: Mapping[str, Any]) -> _Read:
    """Read a message that is not written as it should be, more slowly."""
    data = unwrap(body, MAX_BODY_BYTES)
    if is_picture(data):
        return _compact(headers, data)
    try:
        given = _as_written(data)
    except InvalidTask:
        if not is_compact(content_type):
            raise
        given = {}
    if is_compact(content_type) and "frame" not in given:
        return _compact(headers, body)  # decoding will tell whether it is a picture
    fields = _converted(given, _WrappedTask, remedies.names(data), headers=False)
    image = decode_base64(fields.frame)
    if not image:
        raise InvalidTask(FailureReason.EMPTY, remedies.EMPTY_FRAME)
    return _Read(fields, image, False, _share(given.get("motion")))


def _compact(headers: Mapping[str, Any], image: bytes) -> _Read:
    return _Read(_compact_fields(headers), image, True, _share(headers.get("motion")))


def _share(value: Any) -> float | None:
    """A number from 0 to 1, also as text; None for anything else, which is a stranger's."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | bytes) or len(str(value)) > 30:
        return None
    try:
        share = float(value)
    except (ValueError, OverflowError):
        return None
    return share if 0 <= share <= 1 else None


def _as_written(data: bytes) -> dict[str, Any]:
    """Read a JSON task's fields, of whatever type; arrays and objects come out empty."""
    try:
        task = decode(_any_task_decoder, data)
    except msgspec.ValidationError:  # msgspec saw only the first character: the rest may be no JSON
        _check_json(data)
        raise InvalidTask(FailureReason.INVALID_TASK, remedies.not_an_object(data)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidTask(FailureReason.NOT_JSON, remedies.not_json(data, error)) from None
    written = {name: bytes(getattr(task, name)) for name in _AnyTask.__struct_fields__}
    return {name: _value(raw) for name, raw in written.items() if raw}


def _check_json(data: bytes) -> None:
    try:
        check(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidTask(FailureReason.NOT_JSON, remedies.not_json(data, error)) from None


def _value(raw: bytes) -> Any:
    if raw[:1] in b"[{":
        return [] if raw[:1] == b"[" else {}
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):  # an impossible number, or text that is not UTF-8
        return raw


def _compact_fields(headers: Mapping[str, Any]) -> _Fields:
    return _converted(headers, _Fields, remedies.Names(list(map(str, headers))), headers=True)


def _converted(
    given: Mapping[str, Any], shape: type[Shape], names: remedies.Names, *, headers: bool
) -> Shape:
    found = {name: given[name] for name in shape.__struct_fields__ if given.get(name) is not None}
    try:
        found["timestamp"] = _seconds(given.get("timestamp"))
        return msgspec.convert(found, shape)
    except (ValueError, TypeError, OverflowError) as error:  # msgspec.ValidationError is a ValueError
        sentence = remedies.invalid_fields(found, error, names=names, headers=headers)
        raise InvalidTask(FailureReason.INVALID_TASK, sentence) from None


def _valid(kind: Any, value: Any) -> str | None:
    try:
        return msgspec.convert(value, kind)  # type: ignore[no-any-return]
    except (ValueError, TypeError):
        return None


def _seconds(value: Any) -> Any:
    """Read a time in whatever form clients write it: double, decimal, text, or AMQP's timestamp."""
    if isinstance(value, Float32):
        raise TypeError("too few digits")  # the time is up to 64 seconds off
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return float(value) if not isinstance(value, bool) else value


def _picture_by_its_beginning(image: bytes) -> bytes:
    """Return the picture that was encoded in base64 twice, or `image` as it is; refuse other formats by name."""
    if kind := remedies.foreign_picture(image):
        raise InvalidTask(FailureReason.NOT_AN_IMAGE, f"the image is {kind}: only JPEG and PNG are read")
    return unwrap_picture(image)
