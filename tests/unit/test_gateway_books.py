"""The books of frames: what vanishes is noticed, what other things look like is not taken for it."""

from dataclasses import dataclass, field

from contract.status import LaneLoad, NodeStatus, ProducerStatus
from contract.topology import Lane
from gateway.books import LATELY, LEAST, FrameBooks

ENTRIES = 2 * LATELY


@dataclass
class Lab:
    """One lane with a producer and a worker; `turn` is two seconds of it."""

    books: FrameBooks = field(default_factory=FrameBooks)
    confirmed: int = 0
    settled: int = 0
    waiting: int = 0
    delayed: int = 0
    held: int = 1
    since: float = 1.0
    missing: int = 0

    def turn(self, sent: int = 0, computed: int = 0, foreign: int = 0, *, silent: bool = False) -> None:
        self.confirmed += sent
        self.settled += computed
        self.waiting += sent + foreign - computed
        if not silent:
            self.books.heard_producer(producer(self.confirmed, self.since))
            self.books.heard_node(node(self.settled, self.since))
        queues = dict.fromkeys(Lane.BATCH.retries, 0) | {Lane.BATCH.queue: self.waiting}
        queues[Lane.BATCH.retries[0]] = self.delayed
        found = self.books.enter(queues, {"batch": self.held})
        assert set(found) <= {Lane.BATCH}
        self.missing += found.get(Lane.BATCH, 0)

    def turns(self, count: int, sent: int = 0, computed: int = 0, foreign: int = 0) -> None:
        for _ in range(count):
            self.turn(sent, computed, foreign)


def producer(confirmed: int, since: float) -> ProducerStatus:
    return ProducerStatus(
        producer_id="p",
        state="running",
        cameras=1,
        outstanding=0,
        window=4,
        since=since,
        time=0.0,
        version="1",
        lanes={"batch": LaneLoad(window=4, weight=1.0)},
        confirmed={"batch": confirmed, "of another version": 7},
    )


def node(settled: int, since: float) -> NodeStatus:
    return NodeStatus(
        node_id="n",
        state="running",
        lane="batch",
        model="m",
        detector="d",
        fallback=None,
        prefetch=1,
        fps=0.0,
        busy=0.0,
        processed=settled - settled // 2 - settled // 4,
        failed=settled // 2,
        expired=settled // 4,
        since=since,
        time=0.0,
        version="1",
    )


def test_what_vanishes_from_a_queue_at_rest_is_told_once_and_to_the_frame() -> None:
    lab = Lab(waiting=4_500)
    lab.turns(ENTRIES)
    lab.waiting -= 1_077
    lab.turns(LATELY - 1)
    assert lab.missing == 0, "for half a minute it may be a mistake"
    lab.turns(1)
    assert lab.missing == 1_077
    lab.turns(3 * ENTRIES)
    assert lab.missing == 1_077


def test_what_vanishes_under_load_is_told() -> None:
    lab = Lab(waiting=500)
    lab.turns(ENTRIES, sent=100, computed=90)
    lab.waiting -= 400
    lab.turns(ENTRIES, sent=100, computed=90)
    assert 300 <= lab.missing <= 400


def test_all_that_comes_and_goes_in_order_adds_up() -> None:
    lab = Lab()
    lab.turns(ENTRIES, sent=100)
    lab.turns(ENTRIES, sent=100, computed=180)
    lab.turns(ENTRIES, computed=20)
    assert lab.missing == 0


def test_heartbeats_that_are_late_and_a_worker_killed_with_what_it_had_not_told_are_no_loss() -> None:
    lab = Lab(waiting=10_000)
    for turn in range(2 * ENTRIES):
        lab.turn(sent=40, computed=100, silent=turn % 2 == 1)
    lab.waiting -= 200  # two seconds of its work, for which its heartbeat never came
    lab.turns(ENTRIES, sent=40, computed=100)
    assert lab.missing == 0


def test_frames_of_other_senders_and_retries_are_no_loss() -> None:
    lab = Lab()
    lab.turns(ENTRIES, foreign=50)
    lab.turns(ENTRIES, foreign=50, computed=70)
    lab.waiting -= 40
    lab.delayed = 40  # they failed, and come again
    lab.turns(ENTRIES, computed=1)
    assert lab.missing == 0


def test_what_workers_take_into_their_hands_is_no_loss() -> None:
    lab = Lab(waiting=1_000, held=64)
    lab.turns(ENTRIES)
    lab.waiting -= 64
    lab.turns(2 * ENTRIES)
    assert lab.missing == 0


def test_a_restarted_process_counts_anew() -> None:
    lab = Lab(waiting=1_000)
    lab.turns(ENTRIES, sent=10, computed=10)
    lab.since, lab.confirmed, lab.settled = 2.0, 0, 0
    lab.turns(2 * ENTRIES, sent=10, computed=10)
    assert lab.missing == 0


def test_workers_that_start_with_frames_waiting_have_settled_some_before_they_are_heard() -> None:
    lab = Lab(waiting=1_000)
    lab.turns(ENTRIES, sent=40, computed=40)
    lab.since, lab.settled = 2.0, 0
    lab.turn(computed=150)
    lab.turns(2 * ENTRIES)
    assert lab.missing == 0


def test_workers_that_all_end_take_along_what_they_had_not_told() -> None:
    lab = Lab(waiting=10_000)
    lab.turns(ENTRIES, sent=40, computed=40)
    lab.waiting -= 60  # three seconds of their work, for which no heartbeat came
    lab.turns(2 * ENTRIES)
    assert lab.missing == 0


def test_a_handful_and_queues_that_nobody_tells_of_are_not_told() -> None:
    lab = Lab(waiting=1_000)
    lab.turns(ENTRIES)
    lab.waiting -= LEAST
    lab.turns(2 * ENTRIES)
    assert lab.missing == 0
    assert FrameBooks().enter({}, {}) == {}
