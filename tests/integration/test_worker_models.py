"""Changing, adding and combining models while frames flow: every frame has its result, and says what computed it."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from broker import Consumer, Delivery, Message, Outcome
from contract.models import DesiredModels
from contract.status import NodeStatus, encode_status, parse_status
from contract.topology import EphemeralQueue
from tests.conftest import StartService
from tests.helpers.bus import Bus, Collector, bus, dead_letters, results
from tests.helpers.eventually import aeventually, eventually
from tests.helpers.images import astronaut, jpeg, task
from tests.helpers.models import write_models
from tests.helpers.processes import Service

pytestmark = pytest.mark.integration

FRAME = jpeg(astronaut())


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return write_models(tmp_path / "models")


class Nodes(Consumer):
    """The last heartbeat of every node."""

    def __init__(self) -> None:
        self.last: dict[str, NodeStatus] = {}
        super().__init__(EphemeralQueue((("status", "node.#"),)), self._hear, no_ack=True)

    def _hear(self, delivery: Delivery) -> None:
        status = parse_status(delivery.body)
        assert isinstance(status, NodeStatus)
        self.last[status.node_id] = status

    def settled(self, revision: int, count: int) -> bool:
        return len(self.last) == count and all(s.desired == revision for s in self.last.values())


@pytest.fixture
def workers(start: StartService, rabbitmq: str, models: Path) -> list[Service]:
    started = [
        start(
            "worker",
            AMQP_URL=rabbitmq,
            NODE_ID=f"n-{n}",
            WORKER_DETECTOR="haar",
            MODEL_DIR=str(models),
            WORKER_MODEL_CACHE=str(models / "cache"),
            WORKER_STALENESS_SECONDS="600",
        )
        for n in range(2)
    ]
    return [worker.ready() for worker in started]


def desire(**wishes: Any) -> Message:
    return Message("control", "", encode_status(DesiredModels(**wishes)), persistent=False)


def body(delivery: Delivery) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(delivery.body)
    return parsed


@asynccontextmanager
async def load(b: Bus, waiting: Callable[[], int]) -> AsyncIterator[list[str]]:
    """Keep some frames waiting until the end; yields the frame_ids of those confirmed."""
    sent: list[str] = []
    enough = asyncio.Event()

    async def run() -> None:
        for n in itertools.count():
            if enough.is_set():
                return
            frame_id = f"f-{n}"
            body = task(FRAME, frame_id=frame_id, camera_id=f"c-{n % 3}", timestamp=time.time())
            assert await b.task(body) is Outcome.CONFIRMED
            sent.append(frame_id)
            if waiting() > 50:
                await aeventually("the workers catch up", lambda: waiting() < 20, 30)

    running = asyncio.create_task(run())
    try:
        yield sent
    finally:
        enough.set()
        await running


def more_than(got: Collector, count: int) -> bool:
    return len(got.deliveries) > count


async def test_switching_under_full_load_loses_nothing(workers: list[Service], rabbitmq: str) -> None:
    got, dead, nodes = results(), dead_letters(), Nodes()
    sent: list[str] = []
    async with bus(rabbitmq, got, dead, nodes) as b:
        async with load(b, lambda: len(sent) - len(got.deliveries)) as sent:
            await aeventually("load", lambda: len(got.deliveries) > 20)
            wishes: list[tuple[dict[str, Any], str]] = [
                ({"cluster": "tiny"}, "tiny@"),
                ({"cluster": "tiny", "lanes": {"live": "tiny,haar:all"}}, "tiny@"),
                ({"cluster": "haar"}, "haar@"),
                ({"cluster": "tiny"}, "tiny@"),
            ]
            for revision, (wish, model) in enumerate(wishes, 1):
                await b.publish(desire(revision=revision, **wish))
                await aeventually(f"revision {revision} everywhere", partial(nodes.settled, revision, 2))
                assert all(status.model.startswith(model) for status in nodes.last.values())
                assert all(status.model_error is None for status in nodes.last.values())
                mark = len(got.deliveries)
                await aeventually("frames by it", partial(more_than, got, mark + 30))
        await aeventually("all results", lambda: len(got.deliveries) >= len(sent), 30)
    computed = [body(delivery) for delivery in got.deliveries]
    assert Counter(result["frame_id"] for result in computed) == Counter(sent)
    assert not dead.deliveries
    assert all(result["status"] == "ok" for result in computed)
    by_model = Counter(result["model"] for result in computed)
    assert len(by_model) == 3, by_model  # haar, tiny, and both
    assert {len(model.split("@")[1]) for model in by_model if "," not in model} == {8}


async def test_a_model_that_does_not_load_leaves_the_old_one_running_and_says_why(
    workers: list[Service], rabbitmq: str, models: Path
) -> None:
    got, nodes = results(), Nodes()
    async with bus(rabbitmq, got, nodes) as b:
        await b.publish(desire(revision=1, cluster="broken"))
        await aeventually("both have tried", lambda: nodes.settled(1, 2))
        assert all("does not load" in str(status.model_error) for status in nodes.last.values())
        assert all(status.detector == "haar" for status in nodes.last.values())
        reports = {report.name: report for report in nodes.last["n-0"].models}
        assert (reports["broken"].state, reports["haar"].state) == ("failed", "loaded")
        await b.task(task(FRAME))
        await aeventually("a result", lambda: got.deliveries)
        assert body(got.deliveries[0])["model"].startswith("haar@")
        assert all(worker.metric("cv_model_failing{") == 1 for worker in workers)
        await b.publish(desire(revision=2, cluster="tiny"))
        await aeventually("settled", lambda: nodes.settled(2, 2))
        eventually("no longer failing", lambda: all(w.metric("cv_model_failing{") == 0 for w in workers))


async def test_a_task_gets_the_model_that_it_asks_for(workers: list[Service], rabbitmq: str) -> None:
    got, dead, nodes = results(), dead_letters(), Nodes()
    async with bus(rabbitmq, got, dead, nodes) as b:
        await b.publish(desire(revision=1, cameras={"gate": "tiny"}))
        await aeventually("settled", lambda: nodes.settled(1, 2))
        asked: dict[str, tuple[str, str | None]] = {
            "by camera": ("gate", None),
            "by nobody": ("door", None),
            "by the task": ("gate", "haar"),
            "two": ("door", "tiny,haar:vote"),
            "not here": ("door", "absent"),
            "unknown": ("door", "no-such-model"),
        }
        for frame_id, (camera_id, model) in asked.items():
            await b.task(task(FRAME, frame_id=frame_id, camera_id=camera_id, model=model))
        await aeventually("all", lambda: len(got.deliveries) == 5 and len(dead.deliveries) == 1)
    used = {body(d)["frame_id"]: body(d)["model"] for d in got.deliveries}
    names = {
        frame_id: [part.partition("@")[0] for part in model.split(",")] for frame_id, model in used.items()
    }
    assert names == {
        "by camera": ["tiny"],
        "by nobody": ["haar"],
        "by the task": ["haar"],
        "two": ["tiny", "haar"],
        "not here": ["haar"],
    }
    assert used["two"].endswith(":vote")
    assert dead.deliveries[0].headers["x-framefleet-reason"] == "unknown_model"
    assert "Known are" in dead.deliveries[0].headers["x-framefleet-error"]
    counted = "cv_model_substitutions_total{"
    eventually("counted", lambda: sum(worker.metric(counted) for worker in workers) == 1)


async def test_an_archive_that_comes_again_is_not_computed_again(
    start: StartService, rabbitmq: str, models: Path
) -> None:
    worker = start(
        "worker", AMQP_URL=rabbitmq, NODE_ID="n-0", WORKER_DETECTOR="haar", WORKER_LANE="batch"
    ).ready()
    got = results()
    async with bus(rabbitmq, got) as b:
        for n in range(3):
            await b.task(task(FRAME, frame_id=f"f-{n}"), queue="frame_queue.batch")
        await aeventually("three results", lambda: len(got.deliveries) == 3)
    assert len({json.dumps(body(d)["detections"]) for d in got.deliveries}) == 1
    hits = 'cv_result_cache_lookups_total{node_id="n-0",result="%s"}'
    eventually("counted", lambda: (worker.metric(hits % "hit"), worker.metric(hits % "miss")) == (2, 1))
