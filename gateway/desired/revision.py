"""Revisions of what is desired: which comes next, and which of two gateways' wishes holds. Pure."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from gateway.desired.wish import Desired

MAX_REVISION = 2**53 - 1
"""The greatest whole number that every JSON reader understands exactly."""


def successor(desired: Desired, reported: int, wall: float) -> Desired:
    """`desired` under a revision above its own and above what nodes have `reported`.

    `wall` (Unix seconds) makes it differ between gateways that do not hear each other. A report that no gateway can
    have caused is passed over: nothing could go above it.
    """
    believed = reported if reported < MAX_REVISION else 0
    return replace(desired, revision=max(desired.revision + 1, believed + 1, int(wall * 1000)))


def prevailing(ours: Desired, theirs: Desired, order: Callable[[Desired], Any]) -> Desired:
    """What holds of two gateways' wishes: the higher revision.

    Different wishes under one revision are settled the same way by whoever sees both, and under the next revision,
    since nodes that have acted on one of them take it for the other.
    """
    if ours.revision != theirs.revision:
        return max(ours, theirs, key=lambda desired: desired.revision)
    if ours == theirs:
        return ours
    return replace(max(ours, theirs, key=order), revision=ours.revision + 1)


def check_revision(revision: int) -> None:
    """Raise ValueError unless it is one that a gateway gives."""
    if not 0 < revision < MAX_REVISION:
        raise ValueError("no revision that a gateway gives")
