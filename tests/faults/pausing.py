"""SIGSTOP, until it has happened: each thread of a process stops when it is next scheduled, not when it is told."""

import signal
from pathlib import Path

from tests.helpers.eventually import aeventually
from tests.helpers.processes import Service

STOPPED = "T"


async def pause(service: Service) -> None:
    """Stop the process; none of its threads runs any more. SIGCONT lets it go on."""
    tasks = Path(f"/proc/{service.process.pid}/task")
    service.process.send_signal(signal.SIGSTOP)
    await aeventually(f"{service.log.name} stands still", lambda: all(map(_stopped, tasks.iterdir())))


def _stopped(task: Path) -> bool:
    # The state follows the name, which is in brackets and may contain anything.
    return (task / "stat").read_text().rpartition(")")[2].split()[0] == STOPPED
