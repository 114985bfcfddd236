"""Machines whose clocks are an hour apart: fresh frames are computed, old ones expire, no latency is negative."""

import asyncio
import time
from pathlib import Path

import pytest

from broker import Message, Outcome
from contract.status import ProducerStatus, encode_status, status_routing_key
from contract.task import Task, TaskForm, encode_task
from contract.topology import STATUS_EXCHANGE, TASK_QUEUE
from tests.conftest import StartService
from tests.faults.books import PICTURE
from tests.faults.patched import patch, shifted_clock
from tests.faults.screen import Screen
from tests.helpers.bus import Bus, bus
from tests.helpers.eventually import aeventually
from tests.helpers.processes import Service

pytestmark = [
    pytest.mark.faults,
    pytest.mark.parametrize("shift", [3600.0, -3600.0], ids=["ahead", "behind"]),
]

BUDGET = 2.0
SKEWED = 'cv_clock_skew_total{node_id="n"}'


@pytest.fixture
def worker(start: StartService, rabbitmq: str) -> Service:
    return start("worker", NODE_ID="n", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar").ready()


async def test_a_producer_whose_clock_is_an_hour_off(
    shift: float, worker: Service, start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    """The real producer: its cameras, its window and its heartbeats live by the wrong time."""
    screen = Screen()
    async with bus(rabbitmq, screen):
        await aeventually("the screen", lambda: screen.subscribed)
        producer = start(
            "producer",
            AMQP_URL=rabbitmq,
            SOURCE="demo:2",
            PRODUCER_FPS="10",
            PRODUCER_ID="elsewhere",
            **patch(tmp_path / "clock", shifted_clock(shift)),
        )
        # Long enough for heartbeats: at first delays are only compared, from then on the clock is known.
        await aeventually("results", lambda: len(screen.results) > 80, 30)
        skewed = worker.metric(SKEWED)
        age = worker.metric('cv_frame_age_seconds_sum{node_id="n"}')
        count = worker.metric('cv_frame_age_seconds_count{node_id="n"}')
        assert await asyncio.to_thread(producer.stop) == 0
    waits = [result.queue_seconds for result in screen.results]
    off = [result.timestamp - result.original_timestamp + shift for result in screen.results]
    print(
        f"\nproducer {shift:+.0f} s: {len(waits)} results, {[r.status for r in screen.results].count('expired')} "
        f"expired, waited {min(waits):.3f} to {max(waits):.3f} s, mean age {age / count:.3f} s, "
        f"{skewed:.0f} counted as skewed"
    )
    assert all(result.status == "ok" for result in screen.results)
    assert all(abs(seconds) < 60 for seconds in off)  # the clock really was off
    assert min(waits) >= 0
    assert max(waits) < BUDGET
    assert 0 <= age / count < BUDGET
    assert skewed >= 80


async def test_waiting_longer_than_the_budget_expires_by_the_senders_own_clock(
    shift: float, worker: Service, rabbitmq: str
) -> None:
    screen = Screen()
    async with bus(rabbitmq, screen) as sender:
        await aeventually("the screen", lambda: screen.subscribed)
        assert await say_the_time(sender, shift) is Outcome.CONFIRMED
        known = len(screen.results)
        waited = {"fresh": 0.0, "one": 1.0, "three": 3.0, "ten": 10.0, "hour": 3600.0}
        for name, seconds in waited.items():
            await send(sender, name, time.time() + shift - seconds)
        await aeventually("all answered", lambda: len(screen.results) >= known + len(waited))
        named = {result.frame_id: result for result in screen.results}
        skewed = worker.metric(SKEWED)
    said = {name: (named[name].status, round(named[name].queue_seconds, 2)) for name in waited}
    print(f"\nclock {shift:+.0f} s: {said}, {skewed:.0f} counted as skewed")
    assert [named[name].status for name in waited] == ["ok", "ok", "expired", "expired", "expired"]
    assert all(result.queue_seconds >= 0 for result in screen.results)
    assert all(abs(named[name].queue_seconds - seconds) < 1 for name, seconds in waited.items())
    assert skewed >= len(waited)


async def say_the_time(sender: Bus, shift: float) -> Outcome:
    """One heartbeat of a producer whose clock is wrong."""
    now = time.time() + shift
    status = ProducerStatus(
        producer_id="p",
        state="running",
        cameras=1,
        outstanding=0,
        window=4,
        since=now,
        time=now,
        version="0",
    )
    return await sender.publish(
        Message(STATUS_EXCHANGE, status_routing_key(status), encode_status(status), persistent=False)
    )


async def send(sender: Bus, name: str, timestamp: float) -> None:
    """One frame of that producer."""
    task = encode_task(
        Task(image=PICTURE, timestamp=timestamp, camera_id=f"camera-{name}", frame_id=name), TaskForm.COMPACT
    )
    message = Message("", TASK_QUEUE, task.body, task.content_type, task.headers, message_id=name, app_id="p")
    assert await sender.publish(message) is Outcome.CONFIRMED
