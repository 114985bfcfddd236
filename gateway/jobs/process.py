"""A process that computes one job, as the gateway has it: orders go in, words come out."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress

from batch.uploads.messages import JobFigures, JobOrder, Order, Over, Told, line, parse_job_word
from runtime.logs import get_logger

log = get_logger("gateway")

MODULE = "batch.uploads.child"
LONGEST_LINE = 1 << 20


class JobProcess:
    """The process of one job. Orders may be given before it has started."""

    def __init__(
        self, order: JobOrder, environment: Mapping[str, str], told: Callable[[JobFigures], None]
    ) -> None:
        self._order = order
        self._environment = environment
        self._told = told
        self._ahead: list[Order] = []
        self._process: asyncio.subprocess.Process | None = None

    def send(self, *orders: Order) -> None:
        """Give orders."""
        if self._process is None:
            self._ahead.extend(orders)
        elif self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(b"".join(map(line, orders)))

    async def run(self) -> Over | None:
        """Start it and hear it until it ends; returns its last word, None if it ended without one."""
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**_passed_on(os.environ), **self._environment},
            limit=LONGEST_LINE,
            start_new_session=True,  # its nice value counts among all sessions, then
        )
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        over: Over | None = None
        try:
            process.stdin.write(line(self._order))
            ahead, self._ahead = self._ahead, []
            self.send(*ahead)
            while text := await process.stdout.readline():
                match parse_job_word(text):
                    case Told(figures):
                        self._told(figures)
                    case Over() as over:
                        pass
            await process.wait()
        except ValueError as error:
            log.warning("a job's process speaks nonsense", error=str(error)[:200])
        finally:
            await self._end(process)
        return over

    def close(self) -> None:
        """Let it drop what it does: the broker keeps what is under way."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return None if self._process is None else self._process.pid

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            self.kill()
            await process.wait()


def _passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """What the process gets of the gateway's environment: neither its tokens nor its database."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("GATEWAY_") and name != "DATABASE_URL"
    }
