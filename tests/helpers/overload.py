"""Cameras, producers and workers in simulated time: more frames than can be computed, and what becomes of them."""

import heapq
import itertools
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from contract.status import HEARTBEAT_SECONDS, LaneLoad
from producer.lane.flow import Flow
from producer.lane.neighbours import Neighbours

ON_ITS_WAY = 0.002  # seconds of a message, at most
TICK = 0.25


@dataclass(frozen=True, slots=True)
class Item:
    camera_id: str
    frame_id: str
    captured: float


class Cluster:
    """One queue, first in first out, and workers that take `seconds` for a frame, a fifth more or less."""

    def __init__(self, workers: int, seconds: float, seed: int = 0) -> None:
        self.workers = workers
        self.now = 0.0
        self.random = random.Random(seed)
        self.done: list[tuple[float, Item]] = []  # when, which
        self.waits: list[tuple[float, float]] = []  # when, seconds in the queue
        self.producers: list[Producer] = []
        self._seconds = seconds
        self._queue: deque[tuple[Item, Producer, float]] = deque()
        self._busy: dict[int, tuple[Item, Producer, float]] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._tick()
        self._beat()

    @property
    def capacity(self) -> float:
        """Frames a second that the workers can do."""
        return self.workers / self._seconds

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, action = heapq.heappop(self._events)
            action()
        self.now = end

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + seconds, next(self._count), action))

    def accept(self, item: Item, producer: "Producer") -> None:
        self._queue.append((item, producer, self.now))
        self._assign()

    def kill(self, workers: int) -> None:
        """Kill the busy ones first; their frames go back to the head of the queue."""
        self.workers -= workers
        for number in list(self._busy)[:workers]:
            self._queue.appendleft(self._busy.pop(number))

    def add(self, workers: int) -> None:
        self.workers += workers
        self._assign()

    def throughput(self, since: float) -> float:
        """Frames a second that were computed from then to now."""
        return sum(when >= since for when, _ in self.done) / (self.now - since)

    def counts(self, since: float) -> Counter[str]:
        """Frames computed from then to now, by camera."""
        return Counter(item.camera_id for when, item in self.done if when >= since)

    def p95(self, since: float) -> float:
        """Seconds in the queue that 95 % of the frames taken from then to now did not exceed."""
        waits = sorted(wait for when, wait in self.waits if when >= since)
        return waits[int(len(waits) * 0.95)]

    def _assign(self) -> None:
        while self._queue and len(self._busy) < self.workers:
            job = self._queue.popleft()
            self.waits.append((self.now, self.now - job[2]))
            number, seconds = next(self._count), self._seconds * self.random.uniform(0.8, 1.2)
            self._busy[number] = job
            self.after(seconds, lambda n=number, s=seconds: self._finish(n, s))  # type: ignore[misc]

    def _finish(self, number: int, seconds: float) -> None:
        job = self._busy.pop(number, None)
        if job is None:  # its worker was killed
            return
        item, producer, _ = job
        self.done.append((self.now, item))
        queued = self.now - seconds - item.captured
        self.after(self.random.uniform(0, ON_ITS_WAY), lambda: producer.answered(item, queued, seconds))
        self._assign()

    def _tick(self) -> None:
        for producer in self.producers:
            producer.flow.give_up(self.now)
            producer.flow.window.grow_by(producer.neighbours.gain("live", producer.load, self.now))
            producer.pump()
        self.after(TICK, self._tick)

    def _beat(self) -> None:
        for producer in self.producers:
            for other in self.producers:
                if other is not producer:
                    other.neighbours.heard(producer, {"live": producer.load}, self.now)
        self.after(HEARTBEAT_SECONDS, self._beat)


class Producer:
    """Cameras that offer frames at their rates, a tenth of an interval early or late."""

    def __init__(
        self, cluster: Cluster, rates: Mapping[str, float], weights: Mapping[str, float] | None = None
    ) -> None:
        self.flow: Flow[Item] = Flow()
        self.neighbours = Neighbours()
        for camera_id in rates:
            self.flow.weigh(camera_id, (weights or {}).get(camera_id, 1.0))
        self._cluster = cluster
        self._count = itertools.count()
        cluster.producers.append(self)
        for camera_id, fps in rates.items():
            cluster.after(cluster.random.uniform(0, 1 / fps), lambda c=camera_id, f=fps: self._capture(c, f))  # type: ignore[misc]

    @property
    def load(self) -> LaneLoad:
        """As its heartbeat says."""
        return LaneLoad(window=self.flow.window.size, weight=self.flow.weight)

    def answered(self, item: Item, queued: float, seconds: float) -> None:
        self.flow.answered(item, queued, seconds, self._cluster.now)
        self.pump()

    def pump(self) -> None:
        now = self._cluster.now
        while (item := self.flow.take(now)) is not None:
            self.flow.sent(item, now, now - item.captured)
            self._cluster.after(
                self._cluster.random.uniform(0, ON_ITS_WAY),
                lambda item=item: self._cluster.accept(item, self),  # type: ignore[misc]
            )

    def _capture(self, camera_id: str, fps: float) -> None:
        item = Item(camera_id, f"{camera_id}:{next(self._count)}", self._cluster.now)
        self.flow.offer(item)
        self.pump()
        self._cluster.after(
            self._cluster.random.uniform(0.9, 1.1) / fps, lambda: self._capture(camera_id, fps)
        )


def jain(shares: Iterable[float]) -> float:
    """Jain's fairness index (Jain, Chiu & Hawe, DEC-TR-301, 1984): 1 if all shares are equal, 1/n if one has all."""
    shares = list(shares)
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))
