"""Pictures that were computed before: looked up before they are sent, kept when they are answered (`batch.cache`).

All of it happens in one thread of its own, since a disk or a Redis may be slow.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
from msgspec import UNSET

from batch.cache.key import agreed_recipe
from batch.cache.levels import CacheCounts, CacheLevels
from batch.cache.results import PictureFinding, picture_findings
from batch.store import Answer
from contract.result import Result
from contract.status import HEARTBEAT_SECONDS, LOST_AFTER_SECONDS, NodeStatus, Status
from contract.topology import Lane

HEARD_SECONDS = HEARTBEAT_SECONDS + 0.5
"""After so long every worker has told its recipe."""
LOOK_SECONDS = 0.05

_encoder = msgspec.json.Encoder()


class KnownResults:
    """The results that are kept, and the recipe by which the lane's workers compute now."""

    def __init__(self, levels: CacheLevels, lane: Lane, model: str | None) -> None:
        self._levels = levels
        self._findings = picture_findings(levels)
        self._lane = lane
        self._model = model
        self._workers: dict[str, tuple[float, NodeStatus]] = {}
        self._thread = ThreadPoolExecutor(1, "cache")

    @property
    def counts(self) -> CacheCounts:
        """How often was asked, and who knew."""
        return self._levels.counts

    def heard(self, status: Status) -> None:
        """Hear a worker's heartbeat."""
        if isinstance(status, NodeStatus) and status.lane == self._lane:
            self._workers[status.node_id] = time.monotonic(), status

    @property
    def recipe(self) -> str | None:
        """The recipe by which any of the lane's workers would compute; None while that is not certain."""
        return agreed_recipe(self._heard_lately(), self._lane, self._model)

    async def wait_for_workers(self, consumers: Callable[[], int | None]) -> None:
        """Wait until as many workers have spoken as take from the lane, where any do; a heartbeat long at most."""
        until = time.monotonic() + HEARD_SECONDS
        while time.monotonic() < until:
            there = consumers()
            if there is not None and len(self._heard_lately()) >= there:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def lookup(self, digest: str) -> Answer | None:
        """What is known of a picture, by the SHA-256 of its bytes in hex."""
        recipe = self.recipe
        if recipe is None:
            return None
        content = bytes.fromhex(digest)
        found = await asyncio.get_running_loop().run_in_executor(
            self._thread, self._findings.lookup, content, recipe
        )
        return None if found is None else _answer(found)

    def keep(self, digest: str, result: Result) -> None:
        """Keep a result by the recipe that it tells; one that tells none is not kept."""
        if result.recipe is UNSET or not result.recipe or result.status != "ok":
            return
        try:
            finding = PictureFinding(
                detections=result.detections, width=result.width, height=result.height, model=result.model
            )
        except (
            ValueError
        ):  # it names places outside its picture: whoever computed that, it is told, and not kept
            return
        self._thread.submit(self._findings.store, bytes.fromhex(digest), result.recipe, finding)

    async def close(self) -> None:
        """Keep what is still to be kept, and close."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._levels.close)
        self._thread.shutdown()

    def _heard_lately(self) -> list[NodeStatus]:
        since = time.monotonic() - LOST_AFTER_SECONDS
        return [status for at, status in self._workers.values() if at >= since and status.state == "running"]


def _answer(found: PictureFinding) -> Answer:
    return Answer(
        ok=True,
        detections=_encoder.encode(found.detections).decode(),
        width=found.width,
        height=found.height,
        model=found.model,
        cached=True,
    )
