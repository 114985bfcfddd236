"""What a worker of the remote lane says of its endpoint and its money, and what operators desire of that lane."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from contract.json import decode

RemoteState = Literal["open", "waiting", "held"]
"""Calls go out; they wait for the endpoint for a moment; or the lane is paused, and its frames wait in the queue."""
HeldBy = Literal["", "budget", "operator", "breaker", "refused", "books"]
MAX_RAISE = 1_000_000


class SpentReport(Struct, frozen=True, kw_only=True):
    """The books of one day or month, in dollars; `period` is `2026-11-30` or `2026-11`.

    `uncertain` is booked for calls of which nobody knows whether they were charged: no answer came, or no usage.
    `reserved` is booked for calls under way, and for those of workers that were killed. Both count as spent.
    """

    period: str
    spent: float
    uncertain: float = 0.0
    reserved: float = 0.0
    limit: float | None = None
    calls: int = 0
    frames: int = 0


class RemoteReport(Struct, frozen=True, kw_only=True):
    """The state of a remote worker. `endpoint` is its host, without the path; `reason` says why calls wait.

    `concurrency` is how many calls may be under way at once now. `day` and `month` are those of all workers that share
    their books. `books` names the place where calls and money are counted: workers that tell different ones have a
    limit and a budget each. Empty: not known yet.
    """

    endpoint: str
    model: str
    state: RemoteState
    held_by: HeldBy = ""
    reason: str = ""
    concurrency: int = 0
    calls: int = 0
    errors: int = 0
    day: SpentReport | None = None
    month: SpentReport | None = None
    books: str = ""
    frame_most: float = 0.0
    """Dollars that a frame costs at most, by today's price and the longest answer; 0: it costs nothing."""
    prices_changed: float | None = None
    """When its file of prices was last written, in Unix seconds; None: there is none."""
    warned: bool = False
    """More than the warning threshold was spent this month."""
    revision: int | None = None
    """Of the desired state of the lane that this worker acts on."""


class DesiredRemote(Struct, frozen=True, kw_only=True, tag_field="kind", tag="remote"):
    """What operators desire of the remote lane, on `control`; the highest `revision` holds.

    `paused`: no calls at all. `raises` are dollars by which they have raised the budget of a single day or month, by
    its name: that is how a lane that has spent its budget is resumed before the period ends.
    """

    revision: int = 0
    paused: bool = False
    raises: Annotated[dict[str, Annotated[float, Meta(ge=0, le=MAX_RAISE)]], Meta(max_length=100)] = {}


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(DesiredRemote)


def encode_desired_remote(desired: DesiredRemote) -> bytes:
    """Write the desired state as JSON for a file; for the wire see `contract.status`."""
    return _encoder.encode(desired)


def parse_desired_remote(body: bytes) -> DesiredRemote:
    """Read a desired state. Raises ValueError (msgspec.DecodeError)."""
    return decode(_decoder, body)
