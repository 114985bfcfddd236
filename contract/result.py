"""A worker's word on one frame, v1: the result for everybody, and the answer to whoever asked with `reply_to`.

Readers ignore fields that they do not know.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from contract.json import decode

SCHEMA = 1


class DetectedObject(Struct, frozen=True, kw_only=True):
    """One detection: a box in pixels of the original frame, top-left origin, clipped to it."""

    x: int
    y: int
    w: int
    h: int
    confidence: float
    label: str
    landmarks: list[tuple[int, int]] | UnsetType = UNSET


class _Word(Struct, frozen=True, kw_only=True):
    """What is said of every frame."""

    timestamp: float
    original_timestamp: float
    node_id: str
    detections: list[DetectedObject]
    camera_id: str
    frame_id: str
    width: int
    height: int
    model: str
    status: str
    processing_seconds: float
    queue_seconds: float
    schema: int = SCHEMA


class Result(_Word, frozen=True, kw_only=True):
    """The result of one frame. Times in Unix seconds, durations in seconds, sizes in pixels.

    `status` is `ok`, or `expired` for a frame that was not computed, with the hop and the reason. `sender` is the
    user that it came from, where that has a name (contract.senders). `description` is what a remote model says of the
    picture, and `cost` what its answer cost, in dollars. `recipe`, in the batch lane, is a digest of all that the
    answer depends on beside the picture (contract.status.NodeStatus): by it results are kept and reused. `motion` is
    the share of the picture, 0-1, that its producer saw change, told where nothing was detected.
    """

    status: Literal["ok", "expired"]
    hop: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    sender: str | UnsetType = UNSET
    recipe: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    cost: float | UnsetType = UNSET
    motion: float | UnsetType = UNSET


class FailedReply(_Word, frozen=True, kw_only=True):
    """The answer for a frame that became a dead letter, to its `reply_to` alone: it is no result, and stored nowhere.

    `reason` is a FailureReason, `error` the sentence that says what to write. Nothing was computed: no detections, no
    model, sizes and durations 0 where they are not known, and `original_timestamp` 0 where the task tells none.
    """

    status: Literal["failed"] = "failed"
    reason: str
    error: str
    sender: str | UnsetType = UNSET


Reply = Result | FailedReply
"""What comes by a task's `reply_to`."""

_decoder = msgspec.json.Decoder(Result)
_failed_decoder = msgspec.json.Decoder(FailedReply)
_encoder = msgspec.json.Encoder()


def encode_result(result: Reply) -> bytes:
    """Write the result, or the answer in its place, as JSON."""
    return _encoder.encode(result)


def parse_result(body: bytes) -> Result:
    """Read a result. Raises ValueError (msgspec.DecodeError) if the body is none."""
    return decode(_decoder, body)


def parse_reply(body: bytes) -> Reply:
    """Read what came by `reply_to`. Raises ValueError (msgspec.DecodeError) if the body is none."""
    try:
        return decode(_decoder, body)
    except msgspec.ValidationError as error:
        try:
            return decode(_failed_decoder, body)
        except msgspec.DecodeError:
            raise error from None
