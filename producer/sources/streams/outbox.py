"""How one camera's pictures leave the process that decodes them: one at a time, as the producer takes them."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from producer.sources.streams.messages import DecodedPicture, LeftOut, News, StreamEnded

REPORT_SECONDS = 1.0  # frames that were left out are reported at least this often


class Closed(Exception):
    """The producer wants no more of this camera."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture on its way: when it was captured (Unix seconds), its JPEG, and the number of its frame."""

    timestamp: float
    jpeg: bytes
    number: int


class Outbox:
    """Sends a picture only when the one before was taken, so that neither side ever holds more than two.

    `put` with `wait` blocks until then; without it, a newer picture replaces the one that waits. `put` and `skip` are
    called by the camera's thread, `take` and `close` by the thread that hears the producer.
    """

    def __init__(
        self, camera: int, send: Callable[[News], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._camera = camera
        self._send = send
        self._clock = clock
        self._changed = threading.Condition()
        self._credit = True
        self._waiting: Shot | None = None
        self._skipped: Counter[str] = Counter()
        self._told = clock()
        self._closed = False

    def put(self, shot: Shot, *, wait: bool) -> None:
        """Hand over a picture. Raises Closed."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._credit or self._closed)
            if self._closed:
                raise Closed
            if self._credit:
                self._send_picture(shot)
            else:
                if self._waiting is not None:
                    self._skipped["replaced"] += 1
                self._waiting = shot

    def skip(self, reason: str, detail: str = "") -> None:
        """Count a frame that was left out. Raises Closed."""
        with self._changed:
            if self._closed:
                raise Closed
            self._skipped[reason] += 1
            if detail or self._clock() - self._told >= REPORT_SECONDS:
                self._send_left(reason if detail else "", detail)

    def take(self) -> None:
        """Note that the producer took the last picture, and send the one that waits."""
        with self._changed:
            self._credit = True
            if self._waiting is not None:
                shot, self._waiting = self._waiting, None
                self._send_picture(shot)
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait for so many seconds. Raises Closed."""
        with self._changed:
            if self._changed.wait_for(lambda: self._closed, seconds):
                raise Closed

    def end(self, reason: str | None = None, text: str = "") -> None:
        """Send the camera's last word."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            if self._skipped:
                self._send_left()
            self._send(StreamEnded(self._camera, reason, text))

    def _send_picture(self, shot: Shot) -> None:
        self._credit = False
        self._send(DecodedPicture(self._camera, shot.timestamp, shot.jpeg, shot.number, self._taken()))

    def _send_left(self, reason: str = "", detail: str = "") -> None:
        self._send(LeftOut(self._camera, self._taken(), reason, detail))

    def _taken(self) -> dict[str, int]:
        skipped, self._skipped = dict(self._skipped), Counter()
        self._told = self._clock()
        return skipped
