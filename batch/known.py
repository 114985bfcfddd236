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

_encoder = msgspec.json.Encoder()


class KnownResults:
    """The results that are kept, and the recipe by which the lane's workers compute now.

    A worker tells its recipe in its heartbeats, and in the results of this job; until all that take from the lane
    (`takers` counts them) have told the same one, pictures are sent. So of a folder that is known the first few are
    computed again, and nobody waits for a heartbeat.
    """

    def __init__(
        self, levels: CacheLevels, lane: Lane, model: str | None, takers: Callable[[], int | None]
    ) -> None:
        self._levels = levels
        self._findings = picture_findings(levels)
        self._lane = lane
        self._model = model
        self._takers = takers
        self._since = time.monotonic()
        self._heard: dict[str, tuple[float, NodeStatus]] = {}
        self._told: dict[str, tuple[float, str]] = {}
        self._thread = ThreadPoolExecutor(1, "cache")

    @property
    def counts(self) -> CacheCounts:
        """How often was asked, and who knew."""
        return self._levels.counts

    def heard(self, status: Status) -> None:
        """Hear a worker's heartbeat."""
        if isinstance(status, NodeStatus) and status.lane == self._lane:
            self._heard[status.node_id] = time.monotonic(), status

    @property
    def recipe(self) -> str | None:
        """The recipe by which any of the lane's workers would compute; None while that is not certain."""
        now = time.monotonic()
        since = now - LOST_AFTER_SECONDS
        heard = {
            name: (at, status)
            for name, (at, status) in self._heard.items()
            if at >= since and status.state == "running"
        }
        # What this job's own results tell is the recipe of the very model that it asks for.
        told = {
            name: recipe
            for name, (at, recipe) in self._told.items()
            if at >= since and (name not in heard or at >= heard[name][0] or self._model is not None)
        }
        takers = self._takers()
        if takers is not None and len({*heard, *told}) < takers and now - self._since < HEARD_SECONDS:
            return None
        others = [status for name, (_, status) in heard.items() if name not in told]
        recipes = set(told.values())
        if others:
            recipes.add(agreed_recipe(others, self._lane, self._model) or "")
        return recipes.pop() or None if len(recipes) == 1 else None

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

    def keep(self, digest: str, result: Result, *, fresh: bool) -> None:
        """Keep a result by the recipe that it tells; one that tells none is not kept. `fresh`: it was just computed."""
        if result.recipe is UNSET or not result.recipe or result.status != "ok":
            return
        if fresh:
            self._told[result.node_id] = time.monotonic(), result.recipe
        try:
            finding = PictureFinding(
                detections=result.detections, width=result.width, height=result.height, model=result.model
            )
        except ValueError:
            # It names places outside its picture: whoever computed that, it is told, and not kept.
            return
        self._thread.submit(self._findings.store, bytes.fromhex(digest), result.recipe, finding)

    async def close(self) -> None:
        """Keep what is still to be kept, and close."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._levels.close)
        self._thread.shutdown()


def _answer(found: PictureFinding) -> Answer:
    return Answer(
        ok=True,
        detections=_encoder.encode(found.detections).decode(),
        width=found.width,
        height=found.height,
        model=found.model,
        cached=True,
    )
