"""What fires, as Prometheus tells it, and what a runbook says of it."""

import asyncio
import re
import time
from dataclasses import dataclass

import aiohttp

from cli.layout import CHECKOUT

RUNBOOKS = CHECKOUT / "docs" / "runbooks"
NAME = re.compile(r"\bFramefleet[A-Za-z]+\b")
ALSO_FIRES = re.compile(r"^## Also fires\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
LOOK_SECONDS = 1.0


@dataclass(slots=True)
class Firing:
    """An alert that fired from `begin` to `end` (monotonic); `end` None: it still does."""

    name: str
    begin: float
    end: float | None = None


class FiringAlerts:
    """Follows what fires, rule by rule. Those of severity info tell of no trouble."""

    def __init__(self, prometheus: str) -> None:
        self._url = f"{prometheus}/api/v1/alerts"
        self.seen: list[Firing] = []

    async def follow(self) -> None:
        """Look every second; while Prometheus does not answer, all stays as it was."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            while True:
                try:
                    async with http.get(self._url) as answer:
                        alerts = (await answer.json())["data"]["alerts"]
                except (aiohttp.ClientError, TimeoutError, OSError):
                    pass
                else:
                    self._look(
                        {
                            alert["labels"]["alertname"]
                            for alert in alerts
                            if alert["state"] == "firing" and alert["labels"].get("severity") != "info"
                        }
                    )
                await asyncio.sleep(LOOK_SECONDS)

    def _look(self, names: set[str]) -> None:
        now = time.monotonic()
        for firing in self.now:
            if firing.name not in names:
                firing.end = now
        known = {firing.name for firing in self.now}
        self.seen += [Firing(name, now) for name in sorted(names - known)]

    @property
    def now(self) -> list[Firing]:
        """What fires now."""
        return [firing for firing in self.seen if firing.end is None]

    def since(self, begin: float, end: float = float("inf")) -> list[Firing]:
        """What began to fire in that time, in order."""
        return [firing for firing in self.seen if begin <= firing.begin < end]


def also_fires(alert: str) -> set[str]:
    """The alerts that its runbook says may fire along with it."""
    file = RUNBOOKS / f"{alert}.md"
    found = ALSO_FIRES.search(file.read_text()) if file.exists() else None
    return set(NAME.findall(found[1])) if found else set()
