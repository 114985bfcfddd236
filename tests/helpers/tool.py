"""The operator's command as a process."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parents[2]

Settings = Mapping[str, str]
NONE: Settings = MappingProxyType({})


@dataclass(frozen=True)
class Said:
    """How it ended and what it said."""

    status: int
    out: str
    err: str


async def begin(url: str, *arguments: str, cwd: Path = ROOT, settings: Settings = NONE) -> Process:
    """Start `framefleet <arguments>` against the broker at `url`, with these settings in its environment."""
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli",
        *arguments,
        cwd=cwd,
        env={**environment, "AMQP_URL": url, "PYTHONPATH": str(ROOT), **settings},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )


async def framefleet(url: str, *arguments: str, cwd: Path = ROOT, settings: Settings = NONE) -> Said:
    """Run `framefleet <arguments>` to its end."""
    process = await begin(url, *arguments, cwd=cwd, settings=settings)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return Said(process.returncode or 0, out.decode(), err.decode())
