"""Asking the measuring child processes, one after the other, and waiting for their answers."""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from cli.console import progress
from cli.errors import CannotMeasure
from cli.layout import CHECKOUT
from cli.plan.demand import Demand
from cli.services import environment

PATIENCE_SECONDS = 60.0
"""The time that one child is given. Most of it is for a model that has to be downloaded first."""
MOST_AT_ONCE = 16


@dataclass(frozen=True)
class Measured:
    """CPU ms on this machine, memory in bytes.

    fallback: why `auto` is not the best model, or None.
    worker_frame: from the bytes of a task to those of its result, with as many workers at once as there are cores.
    fetch: one snapshot over HTTP. gate: motion gate and health of one picture.
    yardstick: see `meter.yardstick`.
    """

    model: str
    fallback: str | None
    worker_frame: float
    worker_bytes: int
    fetch: float
    gate: float
    yardstick: float
    producer_bytes: int
    picture_bytes: int


async def measure(demand: Demand, cores: int, settings: Mapping[str, str]) -> Measured:
    """Measure for some seconds, as services with these `settings`; says so on standard error. Raises CannotMeasure."""
    question: dict[str, Any] = {
        "width": demand.size[0],
        "height": demand.size[1],
        "bytes": demand.picture_bytes,
        "form": demand.form.value,
        "model": demand.model,
    }
    async with progress("measuring", 3) as shown:
        drawn = await _ask("cli.plan.pictures", question, settings)
        question |= drawn
        shown.done = 1
        producer = await _ask("cli.plan.producer_side", question, settings)
        shown.done = 2
        # All cores at once: they share caches, and often two are one.
        copies = min(cores, MOST_AT_ONCE)
        workers = await asyncio.gather(
            *(_ask("cli.plan.worker_side", question, settings) for _ in range(copies))
        )
        shown.done = 3
    pictures = question["pictures"]
    return Measured(
        model=workers[0]["model"],
        fallback=workers[0]["fallback"],
        worker_frame=median(each["frame"] for each in workers),
        worker_bytes=max(each["resident"] for each in workers),
        fetch=producer["fetch"],
        gate=producer["gate"],
        yardstick=producer["yardstick"],
        producer_bytes=producer["resident"],
        picture_bytes=sum(len(each) * 3 // 4 for each in pictures) // len(pictures),
    )


async def _ask(module: str, question: dict[str, Any], settings: Mapping[str, str]) -> dict[str, Any]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(CHECKOUT) | dict(settings),
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, err = await child.communicate(json.dumps(question).encode())
    except TimeoutError:
        raise CannotMeasure(
            f"{module} has not answered for {PATIENCE_SECONDS:.0f} s: is a model being downloaded? "
            "`framefleet models fetch` shows how far it is"
        ) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        last = (err.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise CannotMeasure(f"{module} ended with {child.returncode}: {last}")
    answered: dict[str, Any] = json.loads(out)
    if "error" in answered:
        raise CannotMeasure(answered["error"])
    return answered
