"""Which workers operators have put out of work.

A drained worker takes no new frames; it finishes and acknowledges those that it has, stays up, and can be called back.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from contract.identifiers import NODE_ID_PATTERN
from contract.json import decode

MAX_DRAINS = 1_000

NodeId = Annotated[str, Meta(pattern=NODE_ID_PATTERN)]


class NodeDrain(Struct, frozen=True, kw_only=True):
    """Since when an operator wants a worker out of work (Unix seconds), and the name of the token that asked for it."""

    since: float
    by: str | None = None


class DesiredDrains(Struct, frozen=True, kw_only=True, tag_field="kind", tag="drains"):
    """The workers that are to take no frames, all of them at once, on `control`; the highest `revision` holds.

    They are named by `node_id`, whether or not a worker of that name runs now.
    """

    revision: int = 0
    nodes: Annotated[dict[NodeId, NodeDrain], Meta(max_length=MAX_DRAINS)] = {}


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(DesiredDrains)


def encode_drains(drains: DesiredDrains) -> bytes:
    """Write the desired drains as JSON for a file; for the wire see `contract.status`."""
    return _encoder.encode(drains)


def parse_drains(body: bytes) -> DesiredDrains:
    """Read what `encode_drains` wrote. Raises ValueError (msgspec.DecodeError)."""
    return decode(_decoder, body)
