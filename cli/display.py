"""The lines that the operator sees: finished ones, and one that is updated while something takes long."""

import sys
import time
from types import TracebackType
from typing import Self, TextIO

QUIET_SECONDS = 2.0  # shorter waits need no progress
LINE_SECONDS = 15.0  # without a terminal: how often a long wait says that it goes on
CLEAR = "\r\x1b[K"


class Display:
    """Lines to standard output, and waits that show their elapsed seconds."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out if out is not None else sys.stdout
        self._terminal = self._out.isatty()
        self._updating = False

    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._clear()
        self._write(f"{text}\n")

    def wait(self, label: str) -> "Wait":
        """Return the progress of something that may take long; call it with the elapsed seconds now and then."""
        return Wait(self, label)

    def update(self, text: str) -> None:
        """Replace the updated line; on a terminal only."""
        if self._terminal:
            self._updating = True
            self._write(f"{CLEAR}{text}")

    @property
    def terminal(self) -> bool:
        return self._terminal

    def _clear(self) -> None:
        if self._updating:
            self._updating = False
            self._write(CLEAR)

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except OSError:
            pass  # nobody reads any more; what we watch over goes on


class Wait:
    """One long step: `with display.wait("RabbitMQ starts") as tick: ...; tick(elapsed)`."""

    def __init__(self, display: Display, label: str) -> None:
        self._display = display
        self._label = label
        self.begin = time.monotonic()
        self._next_line = QUIET_SECONDS

    def __call__(self, elapsed: float | None = None, /) -> None:
        seconds = self.elapsed if elapsed is None else elapsed
        if seconds < self._next_line:
            return
        if self._display.terminal:
            self._display.update(f"  {self._label} … {seconds:.0f} s")
            self._next_line = seconds + 0.5
        else:
            self._display.say(f"  {self._label} … {seconds:.0f} s")
            self._next_line += LINE_SECONDS

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self.begin

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self.elapsed >= QUIET_SECONDS:
            self._display.say(f"  {self._label}: {self.elapsed:.0f} s")
