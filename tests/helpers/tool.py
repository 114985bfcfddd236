"""The operator's command as a process."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

from cli.layout import CHECKOUT
from tests.helpers.forked import fork

Settings = Mapping[str, str]
NONE: Settings = MappingProxyType({})


@dataclass(frozen=True)
class Said:
    """How it ended and what it said."""

    status: int
    out: str
    err: str


class Tool:
    """`framefleet ARGUMENTS` as a process, with this environment and nothing else in it."""

    def __init__(self, *arguments: str, environment: Settings, cwd: Path = CHECKOUT) -> None:
        self._files = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 (until it has ended)
        out, err = (file.fileno() for file in self._files)
        self.process = fork("cli", arguments, environment=environment, stdout=out, stderr=err, cwd=cwd)

    def wait(self, seconds: float = 60.0) -> Said:
        """Wait for its end, which is by force if it does not come. Raises AssertionError then, with what it said."""
        late = False
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            late = True
            self.process.kill()
        status = self.process.wait(20)
        out, err = (_content(file) for file in self._files)
        assert not late, f"not within {seconds:.0f} s:\n{out + err}"
        return Said(status, out, err)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(20)
        for file in self._files:
            file.close()


def begin(url: str, *arguments: str, cwd: Path = CHECKOUT, settings: Settings = NONE) -> Tool:
    """Start `framefleet ARGUMENTS` against the broker at `url`, with these settings in its environment."""
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return Tool(*arguments, environment={**environment, "AMQP_URL": url, **settings}, cwd=cwd)


async def framefleet(url: str, *arguments: str, cwd: Path = CHECKOUT, settings: Settings = NONE) -> Said:
    """Run `framefleet ARGUMENTS` to its end."""
    return await asyncio.to_thread(begin(url, *arguments, cwd=cwd, settings=settings).wait)


def _content(file: IO[bytes]) -> str:
    with file:
        file.seek(0)
        return file.read().decode("utf-8", "replace")
