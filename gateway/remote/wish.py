"""What is desired of the remote lane as a value: what one change makes of it, and what may be accepted. Pure."""

import math

from msgspec.structs import replace

from contract.remote import MAX_RAISE, DesiredRemote, encode_desired_remote, parse_desired_remote
from gateway.desired.revision import check_revision
from gateway.desired.wish import Wish

FILE = "desired-remote.json"
MOST_RAISES = 40
"""Periods whose raises are kept; the oldest are over."""
PERIODS = (len("2026-11-30"), len("2026-11"))


def paused(desired: DesiredRemote, on: bool) -> DesiredRemote:
    """`desired` with the lane paused, or not."""
    return replace(desired, paused=on)


def raised(desired: DesiredRemote, period: str, dollars: float) -> DesiredRemote:
    """`desired` with the budget of that day or month raised by so much more."""
    raises = {**desired.raises, period: min(MAX_RAISE, desired.raises.get(period, 0.0) + dollars)}
    return replace(desired, raises=dict(sorted(raises.items())[-MOST_RAISES:]))


def check(desired: DesiredRemote) -> None:
    """Raise ValueError unless it is something that a gateway would have announced."""
    check_revision(desired.revision)
    for period, dollars in desired.raises.items():
        if len(period) not in PERIODS or not math.isfinite(dollars):
            raise ValueError("no period, or no amount")


def _order(desired: DesiredRemote) -> tuple[bool, list[tuple[str, float]]]:
    return desired.paused, sorted(desired.raises.items())


REMOTE = Wish(
    name="remote lane",
    file=FILE,
    nothing=DesiredRemote(),
    parse=parse_desired_remote,
    encode=encode_desired_remote,
    check=check,
    order=_order,
    reported=lambda status: None if status.remote is None else status.remote.revision,
)
