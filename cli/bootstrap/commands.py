"""The commands of the preparation: output to a log file, progress to the operator, the last lines on failure."""

import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cli.display import Display
from cli.errors import NotPrepared

ERROR = re.compile(r"^E: |\berror\b", re.IGNORECASE)


class Commands:
    """Runs one command after the other and keeps all of their output in `log`."""

    def __init__(self, display: Display, log: Path) -> None:
        self.display = display
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")

    def run(
        self,
        label: str,
        command: Sequence[str],
        *,
        advice: str | Callable[[str], str],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Run `command` to its end. When it fails: raises NotPrepared with its last lines and `advice`."""
        with self.log.open("ab") as log:
            log.write(f"\n== {label}\n$ {' '.join(map(str, command))}\n".encode())
            log.flush()
            begin = log.tell()
            try:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd, env=env
                )
            except OSError as error:
                what_to_do = advice if isinstance(advice, str) else advice("")
                raise NotPrepared(
                    f"{label}: {command[0]} cannot be run ({error.strerror}). {what_to_do}"
                ) from error
            try:
                code = self._wait(process, label)
            except BaseException:
                # Ctrl-C has reached the command as well. It ends in its own way: apt must not be cut off half-way.
                process.terminate()
                process.wait()
                raise
        if code != 0:
            said = self._said(begin)
            what_to_do = advice if isinstance(advice, str) else advice(said)
            raise NotPrepared(
                f"{label} failed (exit code {code}):{_last_lines(said)}\n{what_to_do}\nAll of it: {self.log}"
            )

    def _wait(self, process: "subprocess.Popen[bytes]", label: str) -> int:
        with self.display.wait(label) as tick:
            while True:
                try:
                    return process.wait(timeout=0.25)
                except subprocess.TimeoutExpired:
                    tick(time.monotonic() - tick.begin)

    def _said(self, begin: int) -> str:
        with self.log.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")


def _last_lines(text: str, count: int = 8) -> str:
    lines = [line.rstrip()[:300] for line in text.splitlines() if line.strip()]
    # npm's and pip's errors begin with the reason and end with general advice; others end with the reason.
    errors = [line for line in lines if ERROR.search(line) and len(line.split()) > 2][:count]
    return "".join(f"\n  {line}" for line in errors or lines[-count:])
