"""The processes of a run, kept on disk: after a kill -9 the next start ends those that are left, and no others."""

import contextlib
import json
import os
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from cli.wait import wait_until

BROKER = ("rabbitmq", "epmd")


@dataclass(frozen=True)
class Started:
    """A process of ours. Its pid alone may be somebody else's by now: the start time tells."""

    name: str
    pid: int
    start_time: int


def start_time(pid: int) -> int | None:
    """Return the clock ticks from boot to the start of `pid`; None when there is no such process, or only its zombie.

    psutil gives seconds since 1970, which move when the machine's clock is set, and this is compared after days.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name and may hold spaces and brackets: count from its end.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


class Register:
    """The processes of this run, kept in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._started: list[Started] = []

    def add(self, name: str, pid: int) -> None:
        """Remember a process, as soon as it is there; those that are gone are forgotten."""
        when = start_time(pid)
        if when is None:
            return
        self._started = [s for s in self._started if s.pid != pid]
        self._started.append(Started(name, pid, when))
        self.tidy()

    def tidy(self) -> None:
        """Forget those that are gone."""
        self._started = [s for s in self._started if start_time(s.pid) == s.start_time]
        # Replaced as a whole: a kill -9 in between must not leave half a file.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps([asdict(started) for started in self._started]))
        fresh.replace(self._file)

    def close(self) -> None:
        """Forget all: they have been ended in order."""
        self._file.unlink(missing_ok=True)


def survivors(file: Path, checkout: Path) -> list[Started]:
    """Return the processes of an earlier run in `checkout` that are still there, the newest first."""
    return [entry for entry in _alive(file) if _works_in(checkout, entry.pid)]


def original(file: Path, checkout: Path) -> Path | None:
    """Return where the system of `file` works if that is not `checkout`, which is then a copy of it."""
    folders = (_folder(entry.pid) for entry in _alive(file) if not _works_in(checkout, entry.pid))
    return min((folder for folder in folders if folder is not None), default=None)


def _alive(file: Path) -> list[Started]:
    try:
        entries = [Started(**entry) for entry in json.loads(file.read_text())]
    except (OSError, ValueError, TypeError, RecursionError):  # whoever wrote it, it was not we
        return []
    return [entry for entry in reversed(entries) if start_time(entry.pid) == entry.start_time]


def _works_in(checkout: Path, pid: int) -> bool:
    """Return whether a process works in `checkout`: all that a run starts does, also after its checkout was renamed."""
    folder = _folder(pid)
    return folder is not None and folder.is_relative_to(checkout.resolve())


def _folder(pid: int) -> Path | None:
    try:
        folder = psutil.Process(pid).cwd()
    except psutil.Error:
        return None  # gone, or another user's
    return Path(folder) if folder else None


def end_all(processes: list[Started]) -> None:
    """End an earlier run: first its clients, which cannot finish in order without their broker."""
    end([process for process in processes if process.name not in BROKER])
    end([process for process in processes if process.name in BROKER])


def end(processes: list[Started], grace: float = 12) -> None:
    """Ask each to end, and after `grace` seconds in all end by force what is left of them and their children."""
    for process in processes:
        _signal(process, signal.SIGTERM)
    wait_until(lambda: all(start_time(p.pid) != p.start_time for p in processes), grace)
    for process in processes:
        _signal(process, signal.SIGKILL)
    wait_until(lambda: all(start_time(p.pid) != p.start_time for p in processes), 5)


def _signal(process: Started, number: signal.Signals) -> None:
    # Each was started as the leader of a session: its process group is its own and its children's.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number is signal.SIGTERM:
            if start_time(process.pid) == process.start_time:
                os.kill(process.pid, number)
        else:
            os.killpg(process.pid, number)
