"""The tokens of a call, as the endpoint counts them, and whether that can be true. Pure."""

from dataclasses import dataclass

MOST_TIMES = 20
"""A request does not take in more than so many times what was estimated."""
MOST_THOUGHTS = 4
"""Nor give out more than so many times what was allowed: some count what they thought, too."""


@dataclass(frozen=True)
class Usage:
    """Tokens taken in and given out."""

    given: int
    got: int


def plausible(usage: Usage | None, expected: Usage) -> bool:
    """Tell whether it can be true, where `expected` is what was estimated and allowed."""
    if usage is None:
        return False
    return 0 < usage.given <= MOST_TIMES * expected.given and 0 <= usage.got <= MOST_THOUGHTS * expected.got
