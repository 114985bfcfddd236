"""The result of one frame, v1, from a worker. Readers ignore fields that they do not know."""

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


class Result(Struct, frozen=True, kw_only=True):
    """The result of one frame. Times in Unix seconds, durations in seconds, sizes in pixels.

    `status` is `ok`, or `expired` for a frame that was not computed, with the hop and the reason. `sender` is the
    user that it came from, where that has a name (contract.senders).
    """

    timestamp: float
    original_timestamp: float
    node_id: str
    detections: list[DetectedObject]
    camera_id: str
    frame_id: str
    width: int
    height: int
    model: str
    status: Literal["ok", "expired"]
    processing_seconds: float
    queue_seconds: float
    schema: int = SCHEMA
    hop: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    sender: str | UnsetType = UNSET


_decoder = msgspec.json.Decoder(Result)
_encoder = msgspec.json.Encoder()


def encode_result(result: Result) -> bytes:
    """Write the result as JSON."""
    return _encoder.encode(result)


def parse_result(body: bytes) -> Result:
    """Read a result. Raises ValueError (msgspec.DecodeError) if the body is none."""
    return decode(_decoder, body)
