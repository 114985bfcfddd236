"""What arrives for a job while it runs: uploads. A video may be read before all of it is there.

Whoever takes the uploads says what there is, from any thread; the job's own threads ask.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from batch.inputs.found import Found

STALLED_SECONDS = 30.0
"""A file that has not grown for so long is put aside: other videos are read meanwhile, and it from its
beginning again."""


class Arrivals:
    """The inputs of a job as they come; paths are relative to `folder`. `wall` is the clock that files have."""

    def __init__(self, folder: Path, wall: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._wall = wall
        self._changed = threading.Condition()
        self._found: deque[Found] = deque()
        self._growing: set[bytes] = set()
        self._finished: set[bytes] = set()
        self._withdrawn: dict[bytes, str] = {}
        self._complete = False

    # --- from whoever takes the uploads --------------------------------------------------------------------

    def arrive(self, found: Found, *, finished: bool) -> None:
        """Take an input that is there, or that begins to be there."""
        with self._changed:
            if finished:
                self._over(found.path)
            elif found.path not in self._finished:  # what is said of it first may come last
                self._growing.add(found.path)
            self._found.append(found)
            self._changed.notify_all()

    def finish(self, path: bytes) -> None:
        """Hear that all of a file is there."""
        with self._changed:
            self._over(path)

    def withdraw(self, path: bytes, why: str) -> None:
        """Hear that the rest of a file will not come."""
        with self._changed:
            self._withdrawn[path] = why
            self._over(path)

    def complete(self) -> None:
        """Hear that nothing more comes."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def _over(self, path: bytes) -> None:
        self._growing.discard(path)
        self._finished.add(path)

    # --- for the job ---------------------------------------------------------------------------------------

    def take(self, seconds: float) -> list[Found] | None:
        """What has come since the last call, after `seconds` at most; None once nothing more comes."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._found) or self._complete, seconds)
            if not self._found and self._complete:
                return None
            found = list(self._found)
            self._found.clear()
            return found

    def growing(self, path: bytes) -> bool:
        """Whether a file is still sent."""
        with self._changed:
            return path in self._growing

    def stalled(self, path: bytes) -> bool:
        """Whether a file is still sent, and has not grown for a while."""
        if not self.growing(path):
            return False
        try:
            grown = (self._folder / path.decode()).stat().st_mtime
        except OSError:
            return False
        return self._wall() - grown > STALLED_SECONDS

    def withdrawn(self, path: bytes) -> str | None:
        """Why the rest of a file will not come; None where nobody has said so."""
        with self._changed:
            return self._withdrawn.get(path)
