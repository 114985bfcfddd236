"""A child process: its own session, its output in a bounded log, its warnings to the operator."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from cli.errors import StartFailed
from cli.logfile import LogFile
from cli.part import Exit

CHUNK = 65536
LONGEST_LINE = 64 * 1024
DRAIN_SECONDS = 2.0


@dataclass(frozen=True)
class Command:
    """A command to run: `env` is all of the environment; `grace` is how long, in seconds, an orderly end may take."""

    name: str
    arguments: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path
    grace: float = 10.0


class ChildProcess:
    """Runs a Command, any number of times one after the other. `on_line` is given its name and each line it writes."""

    def __init__(self, command: Command, on_line: Callable[[str, str], None]) -> None:
        self.name = command.name
        self._command = command
        self._on_line = on_line
        self._process: subprocess.Popen[bytes] | None = None
        self._output: Output | None = None

    @property
    def pids(self) -> dict[str, int]:
        return {self.name: self._process.pid} if self._process is not None else {}

    async def start(self) -> None:
        """Start the process and the reading of its output. Raises StartFailed."""
        try:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - a fork, in no time
                self._command.arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._command.env,
                cwd=self._command.cwd,
                start_new_session=True,  # Ctrl-C reaches only the supervisor, which stops things in their order
            )
        except OSError as error:
            raise StartFailed(f"{self._command.arguments[0]}: {error.strerror}") from error
        pipe = cast(BinaryIO, self._process.stdout)
        self._output = Output(pipe, self._command.log, lambda line: self._on_line(self.name, line))

    async def ended(self) -> Exit:
        """Wait until the process has ended, and its children with it."""
        process, output = self._process, self._output
        if process is None or output is None:
            return Exit(0)
        await exited(process.pid)
        self.kill()  # a child of its own would keep the pipe open
        await output.close()
        return Exit(process.wait(), tuple(output.last_lines))

    async def stop(self) -> None:
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(exited(process.pid), self._command.grace)
        except TimeoutError:
            self._on_line(
                self.name, f'level=error msg="did not end within {self._command.grace:.0f} s: killed"'
            )
            self.kill()
        await self.ended()
        self._process = None

    def kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


class Output:
    """Reads a pipe as it fills: all of it into a log, line by line to `on_line`."""

    def __init__(self, pipe: BinaryIO, log: Path, on_line: Callable[[str], None]) -> None:
        self.last_lines: deque[str] = deque(maxlen=5)
        self._pipe = pipe
        self._log = LogFile(log)
        self._on_line = on_line
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        self._at_end = asyncio.Event()
        os.set_blocking(pipe.fileno(), False)
        self._loop.add_reader(pipe.fileno(), self._readable)

    async def close(self) -> None:
        """Take what is still in the pipe, and close it. Calling it again does nothing."""
        if self._pipe.closed:
            return
        # A process that still holds the pipe has made itself a session of its own: do not wait for it.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._at_end.wait(), DRAIN_SECONDS)
        self._loop.remove_reader(self._pipe.fileno())
        self._pipe.close()
        self._log.close()

    def _readable(self) -> None:
        try:
            data = os.read(self._pipe.fileno(), CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._pipe.fileno())
            self._take(self._rest)
            self._at_end.set()
            return
        self._log.write(data)
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LONGEST_LINE:]
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if text:
            self.last_lines.append(text[:300])
            self._on_line(text)


async def exited(pid: int) -> None:
    """Wait until our child `pid` has ended; its status is not collected."""
    loop = asyncio.get_running_loop()
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    gone = asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
