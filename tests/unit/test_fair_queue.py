"""Shares of a worker's time, computed by a simulated worker against lines that behave as RabbitMQ's queues do."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest

from worker.fair_queue import RETURN_SECONDS, FairQueue

ROUND_TRIP = 0.004
"""The seconds from the end of computing a frame until its line's next one is there: confirm, acknowledge, deliver."""


@dataclass
class Client:
    """Sends to one line: frames of `cost` seconds, `rate` a second, or as many as are taken (None)."""

    cost: float
    weight: float
    rate: float | None = None
    prefetch: int = 1
    begins: float = 0.0


@dataclass
class Worker:
    """Simulated: computes for `seconds`, and counts what each line got."""

    clients: dict[str, Client]
    confirm: float = ROUND_TRIP / 2
    deliver: float = ROUND_TRIP / 2
    now: float = 0.0
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    delays: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.queue: FairQueue[float] = FairQueue(lambda: self.now)
        self.queue.weigh({name: client.weight for name, client in self.clients.items()})
        self._events: list[tuple[float, int, str, str]] = []  # when, number, line, what
        self._number = 0
        self._sent: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        self.delays = {name: [] for name in self.clients}
        for name, client in self.clients.items():
            self._plan(client.begins, name, "delivered")

    def run(self, seconds: float) -> dict[str, float]:
        """Compute until then; gives the seconds that each line got meanwhile."""
        before = dict(self.spent)
        end = self.now + seconds
        while self.now < end:
            self._happen()
            taken = self.queue.take()
            if not taken:
                patience = self.queue.patience()
                upcoming = min(self._events)[0] if self._events else end
                self.now = min(upcoming, end if patience is None else self.now + patience)
                continue
            (due,) = taken
            name = self._serving(due)
            self.delays[name].append(self.now - due)
            cost = self.clients[name].cost
            self.now += cost
            self.spent[name] += cost
            self.queue.charge(name, cost)
            self._plan(self.now + self.confirm, name, "settled")
        return {name: self.spent[name] - before.get(name, 0.0) for name in self.clients}

    def _serving(self, due: float) -> str:
        return self._line_of.pop(due)

    def _plan(self, when: float, name: str, what: str) -> None:
        self._number += 1
        self._events.append((when, self._number, name, what))

    def _happen(self) -> None:
        while self._events and min(self._events)[0] <= self.now:
            event = min(self._events)
            self._events.remove(event)
            when, _, name, what = event
            if what == "settled":
                self.queue.returned(name)
                self._plan(when + self.deliver, name, "acknowledged")
                continue
            self._held[name] -= what == "acknowledged"
            self._deliver(name, when)

    _line_of: dict[float, str] = field(default_factory=dict)

    def _deliver(self, name: str, when: float) -> None:
        """What RabbitMQ may hand out now."""
        client = self.clients[name]
        while self._held[name] < client.prefetch:
            sent = self._sent[name]
            due = client.begins + sent / client.rate if client.rate else when
            if due > self.now:
                self._plan(due, name, "delivered")
                return
            self._sent[name] += 1
            self._held[name] += 1
            due += 1e-9 * self._number
            self._number += 1
            self._line_of[due] = name
            self.queue.put(name, due)


def shares(spent: dict[str, float]) -> dict[str, float]:
    total = sum(spent.values())
    return {name: seconds / total for name, seconds in spent.items()}


def test_a_lone_line_gets_everything_at_once() -> None:
    worker = Worker({"school": Client(cost=0.05, weight=0.1)})
    spent = worker.run(10)
    assert spent["school"] > 10 * 0.05 / (0.05 + ROUND_TRIP) * 0.98


@pytest.mark.parametrize("cost", [0.001, 0.005, 0.2, 2.0])
def test_whoever_floods_with_light_or_heavy_frames_gets_its_share_of_the_seconds(cost: float) -> None:
    """The lane's light frames come back some milliseconds after each other: that is not idleness."""
    worker = Worker({"lane": Client(cost=0.005, weight=0.9), "school": Client(cost=cost, weight=0.1)})
    got = shares(worker.run(100))
    # Of the seconds computed; those that the lane is waited for are charged to it.
    assert got["school"] < 0.21
    assert got["school"] > 0.02


def test_a_broker_that_is_far_away_makes_nobodys_share_larger() -> None:
    """Its next frame takes longer than anybody waits for a broker nearby."""
    clients = {"lane": Client(cost=0.005, weight=0.9), "school": Client(cost=0.2, weight=0.1)}
    spent = Worker(clients, confirm=0.04, deliver=0.05).run(100)
    assert spent["school"] < 0.2 * 100
    assert spent["lane"] > 0.7 * 100 * 0.005 / (0.005 + 0.09)  # what its round trips leave it


def test_lines_of_one_weight_get_the_same_seconds_whatever_their_frames_cost() -> None:
    clients = {name: Client(cost=cost, weight=0.1) for name, cost in (("a", 0.01), ("b", 0.05), ("c", 0.2))}
    got = shares(Worker(clients).run(100))
    assert all(0.2 < share < 0.45 for share in got.values()), got


def test_what_the_lane_leaves_a_sender_gets_and_the_lane_waits_for_one_frame_at_most() -> None:
    """Twenty frames a second on the lane need a tenth of the worker."""
    worker = Worker({"lane": Client(cost=0.005, weight=0.9, rate=20), "school": Client(cost=0.1, weight=0.1)})
    spent = worker.run(50)
    assert spent["lane"] == pytest.approx(50 * 20 * 0.005, rel=0.02)  # every frame
    assert spent["school"] > 0.6 * 50
    assert max(worker.delays["lane"]) < 0.1 + 3 * (0.005 + ROUND_TRIP)


def test_who_comes_back_late_on_purpose_keeps_nobody_from_the_worker() -> None:
    """It sends each frame just before nobody would wait any longer."""
    late = 1 / (RETURN_SECONDS * 0.9 + 0.001 + ROUND_TRIP)
    worker = Worker({"a": Client(cost=0.001, weight=0.1, rate=late), "b": Client(cost=0.05, weight=0.1)})
    assert worker.run(50)["b"] > 0.4 * 50


def test_time_that_was_not_used_is_not_saved_up() -> None:
    worker = Worker(
        {"school": Client(cost=0.05, weight=0.1), "late": Client(cost=0.05, weight=0.1, begins=100.0)}
    )
    worker.run(100)
    spent = worker.run(10)
    assert spent["school"] > 3.5


def test_items_of_a_line_keep_their_order_and_go_together_as_far_as_they_may() -> None:
    queue: FairQueue[int] = FairQueue(lambda: 0.0)
    for item in (1, 2, 3, -4, 5, 6):
        queue.put("lane", item)
    batches = [queue.take(2, alone=lambda item: item < 0) for _ in range(5)]
    assert batches == [[1, 2], [3], [-4], [5, 6], []]
    assert len(queue) == 0


def test_what_waits_in_a_line_that_is_gone_is_still_served() -> None:
    queue: FairQueue[str] = FairQueue(lambda: 0.0)
    queue.weigh({"lane": 0.9, "school": 0.1})
    queue.put("school", "held")
    queue.weigh({"lane": 1.0})
    assert queue.take() == ["held"]


def test_in_a_hurry_nobody_is_waited_for() -> None:
    now = 0.0
    queue: FairQueue[str] = FairQueue(lambda: now)
    queue.weigh({"lane": 0.9, "school": 0.1})
    for name in ("lane", "school"):
        queue.put(name, name)
        assert queue.take() == [name]
        queue.charge(name, 1.0)
    queue.put("school", "next")
    queue.returned("lane")  # at once, so that the shortest wait holds
    assert queue.take() == []
    assert queue.patience() == RETURN_SECONDS
    queue.hurry()
    assert queue.take() == ["next"]


def test_a_frame_that_is_never_settled_is_waited_for_only_so_long() -> None:
    """In a broker alarm a result may wait for hours."""
    now = 0.0
    queue: FairQueue[str] = FairQueue(lambda: now)
    queue.weigh({"lane": 0.9, "school": 0.1})
    queue.put("lane", "held")
    queue.put("school", "first")
    assert [queue.take(), queue.take()] == [["held"], ["first"]]
    queue.charge("lane", 0.001)
    queue.charge("school", 1.0)
    queue.put("school", "second")
    assert queue.take() == []
    now = 0.26
    assert queue.take() == ["second"]
