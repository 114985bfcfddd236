"""The rules by which events are shown to a remote model. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

RULES = ("event", "low-confidence")


@dataclass(frozen=True, slots=True)
class Rules:
    """Which events: every one (`event`), or ended ones whose best confidence is below so many hundredths."""

    event: bool
    below: int | None


def rules_of(words: Iterable[str], below: float) -> Rules:
    """The rules that these words name; `below` is a confidence, 0-1."""
    named = set(words)
    return Rules("event" in named, round(below * 100) if "low-confidence" in named else None)
