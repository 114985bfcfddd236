"""The detector that the workers compute with, as they say it themselves."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cli import probe
from cli.ports import LOOPBACK

INTERVAL = 0.2


async def detectors(port: int, token: str, count: int, timeout: float, *, host: str = LOOPBACK) -> str:
    """One line on the detectors of `count` workers, asked of the gateway; of those heard of when `timeout` is over."""
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        answer = await probe.get(port, "/api/nodes", token, host=host)
        nodes = json.loads(answer[1])["items"] if answer is not None and answer[0] == 200 else []
        running = [node for node in nodes if node["state"] == "running"]
        if len(running) >= count or asyncio.get_running_loop().time() >= deadline:
            return described(running)
        await asyncio.sleep(INTERVAL)


def described(nodes: Sequence[Mapping[str, Any]]) -> str:
    """The detectors in use, and how to get a faster one where a worker says so."""
    if not nodes:
        return "no worker has answered yet; see .run/logs/worker-1.log"
    said = {node["detector"] or node["model"]: node["fallback"] for node in nodes}
    return "; ".join(
        name if reason is None else f"{name} ({reason})" for name, reason in sorted(said.items())
    )
