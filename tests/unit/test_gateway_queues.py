"""What a gateway tells of the senders' queues: which are down, and what to do. No broker."""

import asyncio
import json
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker import QueueDepth
from broker.faults import QueueFaults
from cli.senders.tables import listing
from contract.senders import Sender
from contract.topology import TASK_QUEUE
from gateway.cameras.admission import Admission
from gateway.metrics import GatewayMetrics
from gateway.queues import IDLE_SECONDS, Queues
from gateway.senders.counts import SenderCounts
from gateway.senders.registry import SenderRegistry
from gateway.senders_api import senders_router
from gateway.statistics import Statistics
from tests.helpers.eventually import aeventually
from tests.helpers.senders import SCHOOL

WHY = "INTERNAL_ERROR - noproc"
BAKERY = Sender(name="bakery")
OF_SCHOOL, LETTERS = "frame_queue.from.school", "frame_queue.dlq.from.school"


class Told:
    """A gateway's queues, of which the broker tells what the test says."""

    def __init__(self) -> None:
        self.sick: set[str] = set()
        self.looks: list[list[str]] = []
        self.registry: Any = SimpleNamespace(senders=[BAKERY, SCHOOL])
        self.depth, self.of_senders = QueueDepth(), QueueDepth()
        self.faults = QueueFaults(self._find)
        self.metrics = GatewayMetrics()
        self.queues = Queues(
            self.depth,
            self.of_senders,
            cast(SenderRegistry, self.registry),
            self.faults,
            Statistics(0.0),
            self.metrics,
        )
        self.now = 0.0

    async def _find(self, queues: Iterable[str], found: Callable[[str, str | None], None]) -> None:
        self.looks.append(sorted(queues))
        for queue in self.looks[-1]:
            found(queue, WHY if queue in self.sick else None)

    def tick(self, seconds: float = 1.0) -> None:
        self.depth.messages, self.depth.consumers = {TASK_QUEUE: 0}, {TASK_QUEUE: 1}
        own = [queue.name for sender in self.registry.senders for queue in sender.queues]
        self.of_senders.messages = dict.fromkeys(own, 0) | {"frame_queue.from.bakery": 7}
        self.now += seconds
        self.queues.tick(self.now)

    async def ticked(self, seconds: float = 1.0) -> None:
        self.tick(seconds)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.tick()

    def down(self, queue: str) -> float | None:
        return self.metrics.registry.get_sample_value("gateway_queue_down", {"queue": queue})

    async def listed(self) -> dict[str, dict[str, Any]]:
        """The senders as `GET /api/senders` has them."""
        admission = Admission(lambda _camera: False, lambda _sender: 2)
        (route,) = senders_router(self.registry, admission, SenderCounts(), self.queues, 2).routes
        answer = await route.endpoint()  # type: ignore[attr-defined]
        return {each["name"]: each for each in json.loads(answer.body)["items"]}


@pytest.fixture
async def told() -> Told:
    return Told()


async def test_a_sender_s_queues_that_are_down_are_told_by_name(told: Told) -> None:
    """The list had zeros, where 301 dead letters were, and nothing else said a word."""
    told.sick = {OF_SCHOOL, LETTERS}
    await told.ticked()
    assert told.down(OF_SCHOOL) == told.down(LETTERS) == 1
    assert told.down("frame_queue.from.bakery") == told.down(TASK_QUEUE) == 0
    letters, tasks = sorted(told.queues.notices())
    assert letters.startswith(
        f"queue {LETTERS}: it is down, RabbitMQ cannot use it ({WHY}); `framefleet queues"
    )
    assert OF_SCHOOL in tasks
    assert "school's own: all others go on" in tasks
    assert told.faults.shared == {}, "of which `missing` is made, and so /readyz"

    views = await told.listed()
    assert (views["school"]["waiting"], views["school"]["dead_letters"]) == (None, None)
    assert views["school"]["down"] == [LETTERS, OF_SCHOOL]
    assert (views["bakery"]["waiting"], views["bakery"]["dead_letters"], views["bakery"]["down"]) == (
        7,
        0,
        [],
    )
    bakery, school = listing([BAKERY, SCHOOL], views, as_json=False, now=0.0).splitlines()[1:]
    assert school.split().count("down") == 2
    assert "down" not in bakery
    told.faults.stop(lambda: None)


async def test_what_the_broker_does_not_tell_is_no_zero(told: Told) -> None:
    told.registry.senders = [SCHOOL]
    told.tick()
    told.of_senders.messages = {OF_SCHOOL: 3}  # and its other lane's is missing
    views = await told.listed()
    assert (views["school"]["waiting"], views["school"]["dead_letters"]) == (None, None)
    assert listing([SCHOOL], views, as_json=False, now=0.0).splitlines()[1].split().count("?") == 2
    assert "?" not in listing([SCHOOL], {}, as_json=False, now=0.0)


async def test_idle_ones_are_looked_at_now_and_then(told: Told) -> None:
    await told.ticked()
    idle = {queue.name for sender in (BAKERY, SCHOOL) for queue in sender.queues} - {
        "frame_queue.from.bakery"
    }
    assert [set(look) for look in told.looks] == [idle]
    await told.ticked(IDLE_SECONDS / 2)
    assert len(told.looks) == 1


async def test_a_removed_sender_s_queues_are_looked_at_and_told_of_no_more(told: Told) -> None:
    told.sick = {OF_SCHOOL}
    await told.ticked()
    assert told.queues.notices()
    told.registry.senders = [BAKERY]
    told.tick()
    assert told.queues.notices() == []
    assert told.faults.down == {}
    assert told.down(OF_SCHOOL) is None
    await aeventually("nothing is suspected", lambda: not told.faults.suspects(OF_SCHOOL))
    told.faults.stop(lambda: None)
