"""A service of ours as a real process, with its log and its probes."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from cli.ports import free_port
from tests.helpers.eventually import eventually
from tests.helpers.forked import Forked, can_fork, fork

ROOT = Path(__file__).resolve().parents[2]


class Service:
    """`python -m <name>` with an environment of its own; `probe` is the port of /readyz.

    It is forked where that can be (tests/helpers/forked.py)."""

    def __init__(self, name: str, log: Path, **environment: str) -> None:
        self.probe = free_port()
        prefix = name.upper()
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "MODEL_DIR") if key in os.environ}
        defaults = {f"{prefix}_METRICS_PORT": str(self.probe), f"{prefix}_METRICS_HOST": "127.0.0.1"}
        self.log = log
        with log.open("ab") as out:
            self.process = start(name, {"BATCH_SHARE": "1", **kept, **defaults, **environment}, out.fileno())

    def ready(self, seconds: float = 20.0) -> "Service":
        """Wait until /readyz says so; fails at once with the log if the process has ended."""
        eventually(f"{self.log.name} ready", lambda: self._alive() and self.get("/readyz")[0] == 200, seconds)
        return self

    def get(self, path: str, accept: str = "*/*") -> tuple[int, str]:
        """Status and body of a page of the probe port; status 0 if nobody answers."""
        page = urllib.request.Request(f"http://127.0.0.1:{self.probe}{path}", headers={"Accept": accept})
        try:
            with urllib.request.urlopen(page, timeout=5) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, line: str) -> float:
        """The value of the metrics line that starts with `line`; 0 if there is none."""
        for each in self.get("/metrics")[1].splitlines():
            if each.startswith(line):
                return float(each.rsplit(" ", 1)[1])
        return 0.0

    def counts(self, line: str, expected: float) -> None:
        """The metric comes to this value, and not above: what is confirmed is counted after others may have it."""
        eventually(f"{line} {expected}", lambda: self.metric(line) >= expected, 10)
        assert self.metric(line) == expected

    def stop(self, seconds: float = 20.0) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)

    def _alive(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}:\n{self.log.read_text()[-2000:]}")
        return True


def start(name: str, environment: Mapping[str, str], output: int) -> "subprocess.Popen[bytes] | Forked":
    """Start `python -m <name>`, which writes to `output`, in a session of its own."""
    if can_fork(environment):
        return fork(name, environment=environment, stdout=output, stderr=output)
    return subprocess.Popen(
        [sys.executable, "-m", name],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
