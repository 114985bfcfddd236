"""The filters that say which dead letters are meant."""

import argparse
import re
import time
from dataclasses import dataclass
from datetime import datetime

from cli.errors import InvalidOption
from contract.dead_letters import DeadLetter

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters that must all hold; an empty one holds for every dead letter. Times in Unix seconds."""

    ids: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    cameras: frozenset[str] = frozenset()
    since: float | None = None
    until: float | None = None

    @property
    def empty(self) -> bool:
        """True if nothing was asked for in particular."""
        return self == Selection()

    def matches(self, letter: DeadLetter) -> bool:
        """Return whether all filters hold. A dead letter that does not say when it died matches no time."""
        if self.ids and letter.dead_letter_id not in self.ids:
            return False
        if self.reasons and letter.reason not in self.reasons:
            return False
        if self.cameras and letter.camera_id not in self.cameras:
            return False
        if self.since is None and self.until is None:
            return True
        if letter.time is None:
            return False
        return (self.since is None or letter.time >= self.since) and (
            self.until is None or letter.time < self.until
        )


def moment(text: str, now: float) -> float:
    """Read `90s`, `15m`, `2h`, `3d` before `now`, or a time such as 2026-11-20T14:30, local unless it names a zone.

    Raises InvalidOption.
    """
    if found := re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip()):
        return now - float(found[1]) * UNITS[found[2]]
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except ValueError:
        raise InvalidOption(
            f"{text!r} is not a time: write 90s, 15m, 2h or 3d for so long ago, or a date like 2026-11-20T14:30"
        ) from None


def selection_of(arguments: argparse.Namespace) -> Selection:
    """Read the filters of the command line. Raises InvalidOption."""
    now = time.time()
    return Selection(
        ids=frozenset(getattr(arguments, "ids", ())),
        reasons=frozenset(arguments.reason),
        cameras=frozenset(arguments.camera),
        since=moment(arguments.since, now) if arguments.since else None,
        until=moment(arguments.older_than, now) if arguments.older_than else None,
    )
