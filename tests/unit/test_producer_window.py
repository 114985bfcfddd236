"""How many frames may be outstanding: rules, and a simulated queue with workers."""

from collections import deque
from dataclasses import dataclass

import pytest

from producer.lane.flow import FIRST_REST, LONGEST_REST, REPLY_TIMEOUT, Flow
from producer.lane.window import FIRST_SILENCE, START, Window


@dataclass(frozen=True)
class Item:
    camera_id: str
    frame_id: str
    captured: float


class Cluster:
    """Workers behind one first-in-first-out queue that several producers share; a step is a millisecond."""

    def __init__(self, workers: int, seconds: float) -> None:
        self.workers = workers
        self.seconds = seconds
        self.now = 0.0
        self.queue: deque[tuple[Item, Flow[Item], float]] = deque()
        self.busy: list[tuple[float, Item, Flow[Item], float]] = []
        self.waits: list[tuple[float, float]] = []  # (when, seconds in the queue)
        self.done = 0

    def step(self) -> None:
        self.now += 0.001
        for end, item, flow, wait in [job for job in self.busy if job[0] <= self.now]:
            self.busy.remove((end, item, flow, wait))
            self.done += 1
            since_capture = end - self.seconds - item.captured
            flow.answered(item, since_capture, self.seconds, self.now)
        while self.queue and len(self.busy) < self.workers:
            item, flow, arrived = self.queue.popleft()
            self.waits.append((self.now, self.now - arrived))
            self.busy.append((self.now + self.seconds, item, flow, self.now - arrived))

    def send(self, flow: Flow[Item]) -> None:
        while (item := flow.take(self.now)) is not None:
            flow.sent(item, self.now, self.now - item.captured)
            self.queue.append((item, flow, self.now))

    def p95(self, since: float) -> float:
        waits = sorted(wait for when, wait in self.waits if when >= since)
        return waits[int(len(waits) * 0.95)]


class Load:
    """Cameras that offer `fps` frames a second each to one producer, out of step with each other."""

    def __init__(self, cluster: Cluster, cameras: int, fps: float) -> None:
        self.cluster = cluster
        self.flow: Flow[Item] = Flow()
        self.interval = 1 / fps
        self.due = [n / cameras / fps for n in range(cameras)]
        self.count = 0
        self.most_outstanding = 0

    def step(self) -> None:
        now = self.cluster.now
        for camera, due in enumerate(self.due):
            if now >= due:
                self.due[camera] += self.interval
                self.count += 1
                self.flow.offer(Item(str(camera), f"{camera}:{self.count}", now))
        self.cluster.send(self.flow)
        self.most_outstanding = max(self.most_outstanding, self.flow.outstanding)


def run(cluster: Cluster, loads: list[Load], seconds: float) -> None:
    end = cluster.now + seconds
    while cluster.now < end:
        cluster.step()
        for load in loads:
            load.step()


def test_five_fold_overload_keeps_the_queueing_time_near_its_target_and_the_workers_busy() -> None:
    cluster = Cluster(workers=2, seconds=0.02)  # 100 frames a second
    load = Load(cluster, cameras=50, fps=10)  # 500
    run(cluster, [load], 10)
    done = cluster.done
    run(cluster, [load], 20)
    assert cluster.p95(since=5) < 0.4
    assert cluster.done - done >= 0.95 * 2000
    assert load.most_outstanding < 60


def test_slow_workers_still_get_one_frame_at_a_time() -> None:
    cluster = Cluster(workers=1, seconds=0.3)
    load = Load(cluster, cameras=20, fps=10)
    run(cluster, [load], 60)
    assert cluster.done >= 0.95 * 60 / 0.3
    assert cluster.p95(since=10) < 0.65  # one frame computed, one waiting behind it, hardly ever two


def test_without_overload_nothing_is_held_back() -> None:
    cluster = Cluster(workers=4, seconds=0.02)
    load = Load(cluster, cameras=10, fps=10)
    run(cluster, [load], 10)
    assert cluster.done >= load.count - 10


def test_workers_that_come_and_go() -> None:
    cluster = Cluster(workers=2, seconds=0.02)
    load = Load(cluster, cameras=100, fps=10)
    run(cluster, [load], 10)
    cluster.workers = 8
    run(cluster, [load], 10)
    done = cluster.done
    run(cluster, [load], 5)
    assert cluster.done - done >= 0.95 * 5 * 400
    cluster.workers = 1
    run(cluster, [load], 10)
    assert cluster.p95(since=cluster.now - 5) < 0.4


def test_a_slow_and_a_fast_producer_share() -> None:
    cluster = Cluster(workers=4, seconds=0.02)
    slow, fast = Load(cluster, cameras=40, fps=5), Load(cluster, cameras=40, fps=30)
    run(cluster, [slow, fast], 30)
    assert cluster.p95(since=10) < 0.4
    assert 0.5 <= slow.flow.window.size / fast.flow.window.size <= 2


def test_cameras_share_fairly_under_overload() -> None:
    cluster = Cluster(workers=2, seconds=0.02)
    load = Load(cluster, cameras=30, fps=10)
    counts: dict[str, int] = {}
    take = load.flow.take

    def counted(now: float) -> Item | None:
        item = take(now)
        if item is not None:
            counts[item.camera_id] = counts.get(item.camera_id, 0) + 1
        return item

    load.flow.take = counted  # type: ignore[method-assign]
    run(cluster, [load], 30)
    shares = list(counts.values())
    assert len(shares) == 30
    assert sum(shares) ** 2 / (30 * sum(s * s for s in shares)) >= 0.95  # Jain's index


def test_without_workers_the_queue_does_not_fill() -> None:
    cluster = Cluster(workers=0, seconds=0.02)
    load = Load(cluster, cameras=50, fps=10)
    for _ in range(3600):  # an hour, in steps of a second
        cluster.now += 0.999
        cluster.step()
        load.flow.give_up(cluster.now)
        load.step()
    assert len(cluster.queue) <= START + 30
    assert load.flow.window.silent
    cluster.workers = 4  # and all is well again at once
    run(cluster, [load], 2)
    done = cluster.done
    run(cluster, [load], 5)
    assert not load.flow.window.silent
    assert cluster.done - done >= 0.95 * 5 * 200


def test_a_lost_reply_frees_its_slot_and_changes_nothing_else() -> None:
    flow: Flow[Item] = Flow()
    a, b, c = items = [Item(name, name, 0.0) for name in "abc"]
    for item in items:
        flow.offer(item)
    for _ in range(3):
        flow.take(0.0)
    flow.answered(b, 0.0, 0.0, 1.0)
    flow.answered(c, 0.0, 0.0, 1.0)
    assert flow.give_up(REPLY_TIMEOUT) == []
    size = flow.window.size
    assert flow.give_up(REPLY_TIMEOUT + 0.1) == [a]
    assert flow.outstanding == 0
    assert flow.window.size == size
    assert not flow.window.silent


def test_a_skewed_clock_of_a_worker_neither_shrinks_nor_inflates_the_window() -> None:
    for skew in (-60.0, 60.0):
        cluster = Cluster(workers=2, seconds=0.02)
        load = Load(cluster, cameras=50, fps=10)
        answered = load.flow.answered

        def skewed(item: Item, queued: float, processing: float, now: float, skew: float = skew) -> None:
            answered(item, max(0.0, queued + skew), processing, now)  # noqa: B023

        load.flow.answered = skewed  # type: ignore[method-assign]
        run(cluster, [load], 20)
        assert cluster.p95(since=10) < 0.5
        assert cluster.done >= 0.9 * 2000


def test_a_full_queue_halves_the_window_and_pauses() -> None:
    window = Window()
    window.rejected(10.0)
    assert window.size == START / 2
    assert not window.allows(0, 10.1)
    assert window.allows(0, 11.0)


def test_silence_grows_and_ends_with_any_reply() -> None:
    window = Window()
    window.silence(0.0)
    assert window.size == 1
    assert not window.allows(0, FIRST_SILENCE - 0.1)
    assert window.allows(0, FIRST_SILENCE)
    window.silence(10.0)
    assert not window.allows(0, 10 + 2 * FIRST_SILENCE - 0.1)
    window.heard()
    assert window.allows(0, 10.0)


def test_resetting_frees_every_camera() -> None:
    flow: Flow[Item] = Flow()
    items = [Item(name, name, 0.0) for name in "ab"]
    for item in items:
        flow.offer(item)
        flow.take(0.0)
    assert flow.reset() == items
    flow.offer(Item("a", "a2", 0.0))
    assert flow.take(0.0) is not None


@pytest.mark.parametrize("queue_full", [True, False])
def test_a_failed_frame_frees_its_camera(queue_full: bool) -> None:
    flow: Flow[Item] = Flow()
    first = Item("a", "a1", 0.0)
    flow.offer(first)
    flow.take(0.0)
    flow.failed(first, 0.0, queue_full=queue_full)
    assert flow.outstanding == 0
    flow.offer(Item("a", "a2", 0.0))
    assert flow.take(5.0) is not None


def rest_after(flow: Flow[Item], now: float) -> float:
    """The seconds without a turn of a camera whose frame fails."""
    flow.offer(Item("a", "", now))
    item = flow.take(now)
    assert item is not None
    flow.refused(item, now)
    assert flow.outstanding == 0
    flow.offer(Item("a", "", now))
    rest = 0.0
    while (again := flow.take(now + rest)) is None:
        rest += 0.25
        flow.end_rests(now + rest)
    flow.answered(again, 0.0, 0.0, now + rest) if rest == LONGEST_REST else flow.free(again)
    return rest


def test_a_camera_whose_frames_fail_rests_longer_each_time_until_one_does_not() -> None:
    """Each is a dead letter: at their camera's full rate they would push out all others."""
    flow: Flow[Item] = Flow()
    flow.weigh("a", 1.0)
    rests = [rest_after(flow, 100.0 * number) for number in range(7)]
    assert rests == [FIRST_REST, 1.0, 2.0, 4.0, 8.0, LONGEST_REST, FIRST_REST]


def test_one_that_fails_for_days_rests_no_longer_and_one_that_is_gone_is_forgotten() -> None:
    flow: Flow[Item] = Flow()
    flow.weigh("a", 1.0)
    for number in range(3_000):
        flow.end_rests(100.0 * number)
        flow.offer(Item("a", "", 100.0 * number))
        item = flow.take(100.0 * number)
        assert item is not None
        if number == 2_999:
            flow.forget("a")
        flow.refused(item, 100.0 * number)
    assert (flow._failures, flow._resting, flow.outstanding) == ({}, {}, 0)
