"""What the supervisor looks after: one small protocol for a child process and for the private RabbitMQ."""

import signal
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Exit:
    """The way a process ended by itself: its exit code (negative: a signal) and its last lines."""

    code: int
    last_lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        how = f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"
        # Who is killed can say nothing: what it said last was about something else.
        killed = self.code == -signal.SIGKILL
        return f"{how}: {self.last_lines[-1]}" if self.last_lines and not killed else how


class Part(Protocol):
    """Something that runs until it is stopped, and may die before."""

    name: str

    @property
    def pids(self) -> dict[str, int]:
        """The processes, by name, that would stay behind if nobody ended them."""

    async def start(self) -> None:
        """Start it. Raises StartFailed."""

    async def ended(self) -> Exit:
        """Return when it has ended."""

    async def stop(self) -> None:
        """Ask it to end, and end it by force after its grace period."""

    def kill(self) -> None:
        """End it at once, with all its children."""
