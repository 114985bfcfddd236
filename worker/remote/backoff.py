"""How long to wait before another call. Pure."""

import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 30.0
LONGEST_ASKED = 3_600.0
"""An endpoint may ask for more patience; a day, or a date in the next century, is a mistake."""


def backoff(attempt: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds before attempt `attempt` (from 0) is repeated: doubling from 1 to 30, half of it by chance."""
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt, 20))
    return max(FIRST_SECONDS, longest * (0.5 + chance() / 2))


def retry_after(header: str | None, now: Callable[[], float] = time.time) -> float | None:
    """Read `Retry-After`: seconds, or a date. None where it says nothing that can be used."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - now()
        except (ValueError, TypeError, OverflowError):
            return None
    if seconds != seconds or seconds < 0:
        return None
    return min(seconds, LONGEST_ASKED)
