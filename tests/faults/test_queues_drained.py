"""A backlog of stale frames: one worker drains more than 2,000 of them a second, and every one is recorded."""

import asyncio
import os
import time
from pathlib import Path

import numpy as np
import pytest

from broker import Consumer, Delivery, Message, Outcome
from cli.rabbitmq import RabbitMQNode
from contract.result import Result, parse_result
from contract.task import Task, TaskForm, encode_task
from contract.topology import RESULT_QUEUE, TASK_QUEUE
from tests.conftest import StartService
from tests.faults.books import clerk
from tests.helpers.bus import bus, results
from tests.helpers.eventually import POLL_SECONDS, aeventually

pytestmark = pytest.mark.alone  # its rates are measured, and its waits are counted in commands

BACKLOG = 4_500
RATE = 2_000
PLAIN = 3.0
"""On a slow machine: so many times what the same costs a loop that looks at nothing: 1.4 to 1.7 on a quiet one."""


@pytest.mark.parametrize(
    ("size", "form"), [(2_000, TaskForm.COMPACT), (30_000, TaskForm.BASE64)], ids=["2 KB", "30 KB base64"]
)
async def test_stale_backlog(
    size: int, form: TaskForm, start: StartService, shared_rabbitmq: RabbitMQNode, rabbitmq: str
) -> None:
    image = b"\xff\xd8\xff" + np.random.default_rng(1).bytes(size)
    captured = time.time() - 30
    tasks = [
        encode_task(Task(image=image, timestamp=captured, camera_id="c", frame_id=f"f-{n}"), form)
        for n in range(BACKLOG)
    ]
    messages = [Message("", TASK_QUEUE, task.body, task.content_type, task.headers) for task in tasks]
    await fill(rabbitmq, messages)
    # Nobody reads the results meanwhile: their own times tell how fast the worker was.
    worker = start("worker", NODE_ID="n", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar")
    expired = 'cv_frames_expired_total{hop="worker",node_id="n"}'

    async def drained(count: int) -> tuple[float, float]:
        """When so many are recorded: how many they are by then, and the CPU seconds of worker and broker."""
        deadline = time.monotonic() + 30
        while (frames := await asyncio.to_thread(worker.metric, expired)) < count:
            assert time.monotonic() < deadline, "the backlog is not drained"
            await asyncio.sleep(POLL_SECONDS)
        return frames, cpu_seconds(worker.process.pid) + cpu_seconds(shared_rabbitmq.pid or 0)

    frames_then, cpu_then = await drained(1)
    frames_now, cpu_now = await drained(BACKLOG)
    got = results()
    async with bus(rabbitmq, got):
        await aeventually("all recorded", lambda: len(got.deliveries) >= BACKLOG)
    recorded: list[Result] = [parse_result(delivery.body) for delivery in got.deliveries]
    times = [result.timestamp for result in recorded]
    rate = (BACKLOG - 1) / (max(times) - min(times))
    cost = (cpu_now - cpu_then) / (frames_now - frames_then)
    print(
        f"\nstale backlog of {size // 1000} KB frames ({form}): {rate:.0f} frames/s; worker and broker together "
        f"need {cost * 1e6:.0f} us of CPU a frame"
    )
    assert {result.frame_id for result in recorded} == {f"f-{n}" for n in range(BACKLOG)}
    assert {result.status for result in recorded} == {"expired"}
    # What the rate of a moment is, others on the machine decide, too: where they do, by what a frame costs.
    if rate < RATE and cost >= 1 / RATE:
        worker.kill()
        plain = await plain_cost(rabbitmq, shared_rabbitmq, messages, got.deliveries[0].body)
        print(f"a plain loop needs {plain * 1e6:.0f} us: this is {cost / plain:.2f} of it")
        assert cost < PLAIN * plain


async def fill(url: str, messages: list[Message]) -> None:
    """Send all of them; each is confirmed."""
    async with bus(url) as sender:
        for first in range(0, len(messages), 500):
            outcomes = await asyncio.gather(*map(sender.publish, messages[first : first + 500]))
            assert set(outcomes) == {Outcome.CONFIRMED}


async def plain_cost(url: str, node: RabbitMQNode, messages: list[Message], result: bytes) -> float:
    """What a frame costs, in CPU seconds of this process and the broker, if each is only answered and acknowledged."""
    await fill(url, messages)
    answered: list[Outcome] = []

    def answer(delivery: Delivery) -> None:
        def confirmed(outcome: Outcome) -> None:
            answered.append(outcome)
            delivery.ack()

        loop.publisher.publish(Message("", RESULT_QUEUE, result), confirmed)

    async with bus(url) as loop:
        before = time.process_time() + cpu_seconds(node.pid or 0)
        async with bus(url, Consumer(TASK_QUEUE, answer, prefetch=256)):
            await aeventually("all answered", lambda: len(answered) == len(messages), 60)
        after = time.process_time() + cpu_seconds(node.pid or 0)
    return (after - before) / len(messages)


def cpu_seconds(pid: int) -> float:
    """What the process has used up to now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def test_after_a_backlog_a_worker_holds_one_frame_again(
    start: StartService, shared_rabbitmq: RabbitMQNode, rabbitmq: str
) -> None:
    def prefetch() -> str:
        host = rabbitmq.rsplit("/", 1)[1]
        rows = shared_rabbitmq.ctl("list_consumers", "-p", host, "queue_name", "prefetch_count").splitlines()
        return " ".join(row.split()[1] for row in rows if row.split()[0] == TASK_QUEUE)

    async with clerk(rabbitmq) as books:
        for _ in range(300):
            await books.send(timestamp=time.time() - 30)
        start("worker", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar").ready()
        await aeventually("the backlog is gone", lambda: len(books.books.expired) == 300)
        drained = await asyncio.to_thread(prefetch)
        for _ in range(20):
            await books.send()
        settled = await books.settled()
        assert (len(settled.results), settled.duplicates) == (320, 0)
        for _ in range(20):  # a command each: the worker subscribes anew when it holds nothing
            if (now := await asyncio.to_thread(prefetch)) == "1":
                break
        print(f"\nprefetch after a backlog: {drained}, then {now}; {settled}")
        assert now == "1"
