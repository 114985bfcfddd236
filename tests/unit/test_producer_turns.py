"""Cameras in turn by weight: rules, and clusters that are offered five times what they can do."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.lane.turns import GRACE, Turns
from tests.helpers.overload import Cluster, Producer, jain

TARGET = 0.2  # seconds that frames shall wait in the queue
SOON = 5.0  # seconds after which the flow has found its rate


def taken(turns: Turns, count: int) -> list[str]:
    """The next turns, if everybody queues up again at once."""
    order = []
    for _ in range(count):
        camera_id = turns.take()
        assert camera_id is not None
        order.append(camera_id)
        turns.join(camera_id)
    return order


# --- the line ---------------------------------------------------------------------------------------------


def test_equal_weights_are_a_round_robin_in_the_order_of_arrival() -> None:
    turns = Turns()
    for camera_id in "cab":
        turns.join(camera_id)
    assert taken(turns, 7) == list("cabcabc")


def test_turns_are_as_the_weights() -> None:
    turns = Turns()
    for camera_id, weight in {"a": 1, "b": 2, "c": 5}.items():
        turns.weigh(camera_id, weight)
        turns.join(camera_id)
    assert Counter(taken(turns, 8 * 50)) == {"a": 50, "b": 100, "c": 250}


def test_turns_of_a_heavy_camera_are_spread() -> None:
    turns = Turns()
    turns.weigh("heavy", 3)
    for camera_id in ("heavy", "a", "b", "d"):
        turns.join(camera_id)
    order = taken(turns, 60)
    runs = [len(list(group)) for camera_id, group in itertools.groupby(order) if camera_id == "heavy"]
    assert order.count("heavy") == 30
    assert max(runs) <= 3 + 1


def test_who_is_in_line_keeps_its_place() -> None:
    turns = Turns()
    for camera_id in "aba":
        turns.join(camera_id)
    assert len(turns) == 2
    assert [turns.take(), turns.take(), turns.take()] == ["a", "b", None]


def test_a_long_absence_earns_nothing_but_the_grace() -> None:
    turns = Turns()
    for camera_id in "ab":
        turns.join(camera_id)
    taken(turns, 2)
    turns.take()  # a leaves, for long
    taken(turns, 1000)
    turns.join("a")
    assert taken(turns, 10).count("a") <= 5 + GRACE


def test_who_comes_late_does_not_set_the_time_back() -> None:
    turns = Turns()
    for camera_id in "abc":
        turns.join(camera_id)
    taken(turns, 3)
    turns.take()  # a leaves, for long
    taken(turns, 1000)
    turns.join("a")
    assert turns.take() == "a"
    turns.join("new")
    assert Counter(taken(turns, 30))["new"] == pytest.approx(10, abs=1)


def test_a_newcomer_neither_waits_for_a_whole_round_nor_makes_up_for_the_past() -> None:
    turns = Turns()
    for camera_id in "abcd":
        turns.join(camera_id)
    taken(turns, 401)
    turns.join("new")
    order = taken(turns, 50)
    assert "new" in order[:5]
    assert order.count("new") == 10


def test_a_weight_changes_while_frames_flow() -> None:
    turns = Turns()
    for camera_id in "ab":
        turns.join(camera_id)
    taken(turns, 100)
    turns.weigh("a", 3)
    assert Counter(taken(turns, 100))["a"] == pytest.approx(75, abs=2)


def test_a_camera_that_is_forgotten_leaves_the_line_and_nothing_behind() -> None:
    turns = Turns()
    turns.weigh("a", 9)
    for camera_id in "ab":
        turns.join(camera_id)
    turns.forget("a")
    assert len(turns) == 1
    assert turns.take() == "b"
    assert turns.take() is None
    turns.join("b")
    turns.join("a")
    assert Counter(taken(turns, 10)) == {"a": 5, "b": 5}


def test_who_is_forgotten_and_comes_back_stands_at_the_end() -> None:
    turns = Turns()
    for camera_id in "ab":
        turns.join(camera_id)
    turns.forget("a")
    turns.join("a")
    assert [turns.take(), turns.take(), turns.take()] == ["b", "a", None]


@pytest.mark.parametrize("weight", [0, -1.0, float("inf"), float("nan")])
def test_a_weight_is_positive_and_finite(weight: float) -> None:
    with pytest.raises(ValueError, match="a positive number"):
        Turns().weigh("a", weight)


WEIGHTS = st.lists(st.integers(1, 10), min_size=1, max_size=6)


@given(weights=WEIGHTS, events=st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=200))
def test_nobody_waits_longer_than_its_weight_allows(
    weights: list[int], events: list[tuple[bool, int]]
) -> None:
    turns = Turns()
    for number, weight in enumerate(weights):
        turns.weigh(str(number), weight)
    passed: dict[int, Counter[int]] = {}  # in line: the turns of the others since
    for take, number in events:
        if take:
            camera_id = turns.take()
            assert (camera_id is None) == (not passed)
            if camera_id is None:
                continue
            served = int(camera_id)
            del passed[served]
            for waiting, others in passed.items():
                others[served] += 1
                assert others[served] <= weights[served] / weights[waiting] + 1 + GRACE
        elif number < len(weights):
            turns.join(str(number))
            passed.setdefault(number, Counter())
        assert len(turns) == len(passed)


# --- five times what the workers can do -------------------------------------------------------------------


def judge(cluster: Cluster, since: float) -> None:
    """Little waiting, and nobody idle."""
    assert cluster.p95(since) < 2 * TARGET
    assert cluster.throughput(since) >= 0.95 * cluster.capacity


def test_a_thousand_cameras_get_the_same_share() -> None:
    cluster = Cluster(workers=2, seconds=2 / 150)
    cameras = [f"cam-{n}" for n in range(1000)]
    Producer(cluster, dict.fromkeys(cameras, 0.75))
    cluster.run(SOON + 80)
    judge(cluster, SOON)
    counts = cluster.counts(SOON)
    assert jain(counts[camera_id] for camera_id in cameras) >= 0.99


@pytest.mark.parametrize("busy_before", [False, True])
def test_a_thousand_cameras_with_priorities(busy_before: bool) -> None:
    cluster = Cluster(workers=16 if busy_before else 2, seconds=2 / 150)
    weights = {f"cam-{n}": 4.0 if n % 10 == 0 else 2.0 if n % 10 < 4 else 1.0 for n in range(1000)}
    Producer(cluster, dict.fromkeys(weights, 0.75), weights)
    if busy_before:  # all cameras get all that they offer, until most workers die
        cluster.run(30)
        cluster.kill(14)
    begin = cluster.now + SOON
    cluster.run(SOON + 120)
    judge(cluster, begin)
    counts = cluster.counts(begin)
    assert jain(counts[camera_id] / weight for camera_id, weight in weights.items()) >= 0.99
    mean = {
        weight: sum(counts[camera_id] for camera_id, w in weights.items() if w == weight)
        / sum(w == weight for w in weights.values())
        for weight in (1.0, 2.0, 4.0)
    }
    assert mean[2.0] / mean[1.0] == pytest.approx(2, rel=0.1)
    assert mean[4.0] / mean[1.0] == pytest.approx(4, rel=0.1)


def test_cameras_that_offer_more_get_no_more() -> None:
    cluster = Cluster(workers=2, seconds=0.02)
    rates = {f"cam-{n}": 30.0 if n % 2 else 2.5 for n in range(50)}
    Producer(cluster, rates)
    cluster.run(SOON + 60)
    judge(cluster, SOON)
    counts = cluster.counts(SOON)
    assert jain(counts[camera_id] for camera_id in rates) >= 0.99


def test_one_of_low_priority_among_many_of_high_is_not_starved() -> None:
    cluster = Cluster(workers=2, seconds=0.02)
    weights = {f"cam-{n}": 10.0 for n in range(49)} | {"low": 1.0}
    Producer(cluster, dict.fromkeys(weights, 10.0), weights)
    cluster.run(SOON + 60)
    judge(cluster, SOON)
    times = [when for when, item in cluster.done if item.camera_id == "low" and when >= SOON]
    turn = sum(weights.values()) / cluster.capacity  # seconds, at its weight of 1
    assert len(times) == pytest.approx(60 / turn, abs=2)
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) <= 1.5 * turn


def test_a_slow_and_a_fast_producer_side_by_side() -> None:
    cluster = Cluster(workers=4, seconds=0.02)
    slow, fast = {f"slow-{n}": 8.0 for n in range(50)}, {f"fast-{n}": 30.0 for n in range(50)}
    Producer(cluster, slow)
    Producer(cluster, fast)
    cluster.run(SOON + 60)
    judge(cluster, SOON)
    counts = cluster.counts(SOON)
    assert jain(counts[camera_id] for camera_id in [*slow, *fast]) >= 0.95


@pytest.mark.parametrize("few", [4, 30, 100])
def test_a_camera_gets_the_same_of_a_producer_with_few_cameras_as_of_one_with_many(few: int) -> None:
    cluster = Cluster(workers=4, seconds=0.02)
    cameras = [f"cam-{n}" for n in range(300 + few)]
    fps = 5 * cluster.capacity / len(cameras)
    Producer(cluster, dict.fromkeys(cameras[:few], fps))
    Producer(cluster, dict.fromkeys(cameras[few:], fps))
    cluster.run(SOON + 60)
    judge(cluster, SOON)
    counts = cluster.counts(SOON)
    assert jain(counts[camera_id] for camera_id in cameras) >= 0.95


def test_workers_killed_and_added() -> None:
    cluster = Cluster(workers=8, seconds=8 / 600)
    cameras = [f"cam-{n}" for n in range(1000)]
    Producer(cluster, dict.fromkeys(cameras, 3.0))
    cluster.run(SOON + 5)
    judge(cluster, SOON)
    cluster.kill(6)
    cluster.run(SOON + 20)
    judge(cluster, cluster.now - 20)
    cluster.add(6)
    cluster.run(SOON + 20)
    judge(cluster, cluster.now - 20)
