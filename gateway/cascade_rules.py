"""The rules by which events are shown to a remote model. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

RULES = ("event", "low-confidence", "motion")


@dataclass(frozen=True, slots=True)
class Rules:
    """Which events: every one with a face (`event`), or ended ones whose best confidence is below so many hundredths;
    and those of `motion` without a face."""

    event: bool
    below: int | None
    motion: bool = False


def rules_of(words: Iterable[str], below: float) -> Rules:
    """The rules that these words name; `below` is a confidence, 0-1."""
    named = set(words)
    return Rules(
        "event" in named, round(below * 100) if "low-confidence" in named else None, "motion" in named
    )
