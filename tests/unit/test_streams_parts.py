"""Pure parts: keyframes only, the choice among substreams, and the seats of cameras in processes."""

import itertools

import pytest

from producer.sources.streams.keyframes import Keyframes
from producer.sources.streams.seats import Seating, Seats
from producer.sources.streams.substreams import choose


def decoded(keyframes: Keyframes, packets: range, gop: int, fps: float = 25.0) -> list[int]:
    """Which of these packets, by number, are decoded; every `gop`th is a keyframe."""
    return [n for n in packets if keyframes.wants(n % gop == 0, n / fps)]


def test_all_is_decoded_unless_asked_otherwise() -> None:
    assert decoded(Keyframes(), range(100), 25) == list(range(100))


def test_once_asked_only_keyframes_are_decoded_as_soon_as_their_distance_is_known() -> None:
    keyframes = Keyframes()
    keyframes.asked = True
    assert decoded(keyframes, range(100), 25) == [*range(26), 50, 75]
    assert keyframes.only


def test_asked_in_the_middle_it_begins_at_once() -> None:
    keyframes = Keyframes()
    decoded(keyframes, range(60), 25)
    keyframes.asked = True
    assert decoded(keyframes, range(60, 110), 25) == [75, 100]


def test_it_ends_with_a_keyframe_because_the_others_need_one() -> None:
    keyframes = Keyframes()
    keyframes.asked = True
    decoded(keyframes, range(60), 25)
    keyframes.asked = False
    assert decoded(keyframes, range(60, 110), 25) == list(range(75, 110))
    assert not keyframes.only


@pytest.mark.parametrize(("gop", "only"), [(50, True), (51, False), (250, False)])
def test_keyframes_must_come_every_two_seconds(gop: int, only: bool) -> None:
    keyframes = Keyframes()
    keyframes.asked = True
    decoded(keyframes, range(600), gop)
    assert keyframes.only is only


def test_when_keyframes_become_rare_all_is_decoded_again() -> None:
    keyframes = Keyframes()
    keyframes.asked = True
    decoded(keyframes, range(50), 25)
    assert decoded(keyframes, range(50, 260), 100) == list(range(100, 260))


def test_without_times_or_with_times_that_run_backwards_all_is_decoded() -> None:
    keyframes = Keyframes()
    keyframes.asked = True
    assert all(keyframes.wants(n % 5 == 0, None) for n in range(50))
    assert all(keyframes.wants(n % 5 == 0, -float(n)) for n in range(50))


@pytest.mark.parametrize(
    ("sizes", "index"),
    [
        ([(1920, 1080)], 0),
        ([(320, 240), (1280, 720), (640, 480), (1920, 1080)], 2),
        ([(360, 640), (720, 1280)], 0),  # upright
        ([(160, 120), (320, 240)], 1),
        ([(0, 0), (1280, 720)], 1),  # 0: not known yet
        ([(640, 480), (640, 480)], 0),
    ],
)
def test_the_smallest_picture_that_is_large_enough(sizes: list[tuple[int, int]], index: int) -> None:
    assert choose(sizes) == index


def test_no_video_no_choice() -> None:
    with pytest.raises(ValueError, match="no size"):
        choose([])


def seats(*cameras: int, alone: bool = False) -> list[Seats[str]]:
    return [Seats(f"process {n}", count, alone) for n, count in enumerate(cameras)]


def test_the_fullest_process_with_room_takes_it() -> None:
    placement = Seating(4)
    assert placement.seat("cam", seats(), 0.0) is None
    assert placement.seat("cam", seats(4, 1, 3), 0.0) == "process 2"
    assert placement.seat("cam", seats(4, 4), 0.0) is None


def test_cameras_fill_as_few_processes_as_will_do() -> None:
    placement = Seating(8)
    loads: list[int] = []
    for n in range(20):
        process = placement.seat(f"cam{n}", seats(*loads), 0.0)
        if process is None:
            loads.append(1)
        else:
            loads[int(process.split()[1])] += 1
    assert loads == [8, 8, 4]


def test_after_two_deaths_in_ten_minutes_a_camera_is_alone() -> None:
    placement = Seating(8)
    placement.died(["bad"], 100.0)
    assert placement.seat("bad", seats(3), 101.0) == "process 0"
    placement.died(["bad"], 600.0)
    assert placement.alone("bad", 601.0)
    assert placement.seat("bad", seats(3), 601.0) is None
    assert placement.seat("good", seats(3), 601.0) == "process 0"
    assert not placement.alone("bad", 100.0 + 600.0 + 0.1)


def test_nobody_joins_one_that_is_alone_and_its_process_can_be_used_again() -> None:
    placement = Seating(8)
    for now in (1.0, 2.0):
        placement.died(["bad"], now)
    lone = seats(1, alone=True)
    assert placement.seat("good", lone, 3.0) is None
    assert placement.seat("bad", lone, 3.0) is None
    assert placement.seat("bad", seats(0, alone=True), 3.0) == "process 0"


def test_old_deaths_are_forgotten() -> None:
    placement = Seating(8)
    for n in itertools.count():
        placement.died([f"cam{n}"], float(n))
        if n == 2_000:
            break
    assert len(placement._deaths) <= 601
