"""The same line again and again: said a few times, then counted, so that it does not push everything else out."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 10.0
SAME = 10
"""A line that is the same in all its words is written this often in ten seconds."""
ALIKE = 200
"""As many lines of one event are written, whatever else they say: a thousand cameras may have something to tell."""
MAX_LINES = 2_000


@dataclass(slots=True)
class _Seen:
    level: str
    event: str
    since: float
    written: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """Tells what was not written, once its ten seconds are over."""

    level: str
    event: str
    times: int
    seconds: float

    @property
    def text(self) -> str:
        return f"{self.event} … repeated {self.times:,} times in {max(1.0, self.seconds):.0f} s"


class Repetition:
    """Judges the lines of a process. From any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._same: dict[str, _Seen] = {}
        self._alike: dict[str, _Seen] = {}

    def judge(self, level: str, event: str, words: str) -> bool:
        """Decide whether this line is written; `words` is everything that it says."""
        with self._lock:
            now = self._clock()
            for seen, key, most in (
                (self._same, f"{level} {event} {words}", SAME),
                (self._alike, f"{level} {event}", ALIKE),
            ):
                if len(seen) >= MAX_LINES and key not in seen:
                    self._drop(seen, now)
                line = seen.setdefault(key, _Seen(level, event, now))
                if now - line.since >= WINDOW_SECONDS and not line.held:
                    line.since, line.written = now, 0
                if line.written >= most:
                    line.held += 1
                    return False
                line.written += 1
            return True

    def over(self, *, at_end: bool = False) -> list[Summary]:
        """Sum up what was held back in the windows that are over; each is told once."""
        with self._lock:
            now = self._clock()
            told = []
            for seen in (self._same, self._alike):
                for line in seen.values():
                    if line.held and (at_end or now - line.since >= WINDOW_SECONDS):
                        told.append(Summary(line.level, line.event, line.held, now - line.since))
                        line.since, line.written, line.held = now, 0, 0
            return told

    def _drop(self, seen: dict[str, _Seen], now: float) -> None:
        """Forget what nothing is held of; if that is not enough, all: then some lines are written once more."""
        kept = {key: line for key, line in seen.items() if line.held or now - line.since < WINDOW_SECONDS}
        seen.clear()
        if len(kept) < MAX_LINES:
            seen.update(kept)
