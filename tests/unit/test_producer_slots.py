"""One newest-wins slot per camera, cameras in turn."""

from hypothesis import given
from hypothesis import strategies as st

from producer.lane.slots import Slots


def test_the_newest_frame_replaces_the_waiting_one() -> None:
    slots: Slots[int] = Slots()
    assert slots.offer("a", 1) is None
    assert slots.offer("a", 2) == 1
    assert slots.take() == 2
    assert slots.take() is None


def test_at_most_one_frame_of_a_camera_is_under_way() -> None:
    slots: Slots[int] = Slots()
    slots.offer("a", 1)
    assert slots.take() == 1
    slots.offer("a", 2)
    assert slots.take() is None
    slots.done("a")
    assert slots.take() == 2


def test_a_fast_camera_does_not_starve_a_slow_one() -> None:
    slots: Slots[str] = Slots()
    taken = []
    slots.offer("slow", "slow")
    for _ in range(20):
        for _ in range(10):
            slots.offer("fast", "fast")
        slots.offer("slow", "slow")
        item = slots.take()
        assert item is not None
        taken.append(item)
        slots.done(item)
    assert taken == ["slow", "fast"] * 10


def test_a_replaced_frame_keeps_its_cameras_place_in_the_line() -> None:
    slots: Slots[str] = Slots()
    slots.offer("a", "a1")
    slots.offer("b", "b1")
    slots.offer("a", "a2")
    assert [slots.take(), slots.take()] == ["a2", "b1"]


def test_done_for_a_camera_that_is_not_busy_changes_nothing() -> None:
    slots: Slots[str] = Slots()
    slots.offer("a", "a1")
    slots.done("a")
    assert [slots.take(), slots.take()] == ["a1", None]


def test_a_camera_that_is_no_longer_served_leaves_nothing_behind() -> None:
    slots: Slots[str] = Slots()
    slots.weigh("a", 5)
    slots.offer("a", "a1")
    assert slots.take() == "a1"
    slots.offer("a", "a2")
    assert slots.forget("a") == "a2"
    slots.done("a")
    assert slots.waiting == 0
    assert slots.take() is None
    slots.offer("a", "a3")
    assert slots.take() == "a3"


@given(st.lists(st.tuples(st.sampled_from("otd"), st.sampled_from("abc"))))
def test_whatever_happens_each_camera_has_at_most_one_waiting_and_one_under_way(
    events: list[tuple[str, str]],
) -> None:
    slots: Slots[str] = Slots()
    waiting: set[str] = set()
    busy: set[str] = set()
    for what, camera in events:
        if what == "o":
            assert (slots.offer(camera, camera) is not None) == (camera in waiting)
            waiting.add(camera)
        elif what == "t":
            item = slots.take()
            assert (item is None) == (not waiting - busy)
            if item is not None:
                assert item in waiting - busy
                waiting.remove(item)
                busy.add(item)
        else:
            slots.done(camera)
            busy.discard(camera)
        assert slots.waiting == len(waiting)
