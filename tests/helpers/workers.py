"""Stand-ins for workers with a known speed, on the test's event loop: they take tasks and answer with a result."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from broker import Consumer, Delivery, Message, Publisher
from contract.result import Result, encode_result
from contract.task import Task, parse_task
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually


class TimedWorkers:
    """`count` workers that take `seconds` for a frame, one after the other. `answer=False`: results are lost."""

    def __init__(
        self,
        publisher: Publisher,
        count: int,
        seconds: float,
        *,
        answer: bool = True,
        queue: str = "frame_queue",
    ) -> None:
        self.consumers = [Consumer(queue, self._taken, prefetch=1) for _ in range(count)]
        self.ages: list[tuple[float, float]] = []  # (when, seconds from capture until a worker took it)
        self.tasks: list[Task] = []
        self.deliveries: list[Delivery] = []
        self.seconds = seconds
        self.answer = answer
        self._publisher = publisher

    def p95_age(self, since: float) -> float:
        """Of the frames taken since then (Unix seconds)."""
        ages = sorted(age for when, age in self.ages if when >= since)
        return ages[int(len(ages) * 0.95)]

    def _taken(self, delivery: Delivery) -> None:
        now = time.time()
        task = parse_task(
            delivery.body,
            content_type=delivery.content_type,
            headers=delivery.headers,
            message_id=delivery.message_id,
        )
        self.ages.append((now, now - task.timestamp))
        self.tasks.append(task)
        self.deliveries.append(delivery)
        asyncio.get_running_loop().call_later(self.seconds, self._done, delivery, task, now)

    def _done(self, delivery: Delivery, task: Task, taken: float) -> None:
        if self.answer and delivery.reply_to:
            result = Result(
                timestamp=time.time(),
                original_timestamp=task.timestamp,
                node_id="stand-in",
                detections=[],
                camera_id=task.camera_id,
                frame_id=task.frame_id,
                width=640,
                height=480,
                model="none",
                status="ok",
                processing_seconds=self.seconds,
                queue_seconds=max(0.0, taken - task.timestamp),
            )
            self._publisher.publish(
                Message(
                    "",
                    delivery.reply_to,
                    encode_result(result),
                    correlation_id=delivery.correlation_id,
                    persistent=False,
                    mandatory=False,
                )
            )
        delivery.ack()


@asynccontextmanager
async def timed_workers(url: str, count: int, seconds: float, **options: Any) -> AsyncIterator[TimedWorkers]:
    """Workers on a connection of their own, each subscribed; at the end what they hold goes back to the queue."""
    replies = Publisher()
    workers = TimedWorkers(replies, count, seconds, **options)
    async with bus(url, replies, *workers.consumers):
        await aeventually("workers", lambda: all(each.subscribed for each in workers.consumers))
        yield workers
