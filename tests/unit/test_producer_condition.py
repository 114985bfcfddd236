"""A camera's condition: its state and counts."""

import pytest

from producer.camera.condition import Condition
from producer.catalogue.grammar import CameraSpec
from producer.errors import SourceError


@pytest.fixture
def told() -> list[tuple[str, str | None]]:
    return []


@pytest.fixture
def camera(told: list[tuple[str, str | None]]) -> Condition:
    return Condition(
        CameraSpec("gate", "stream", "rtsp://h/s"),
        producer_id="p",
        wall=1000.0,
        changed=lambda camera: told.append((camera.state, camera.reason)),
    )


def test_the_first_frame_makes_it_live_and_is_told_once(
    camera: Condition, told: list[tuple[str, str | None]]
) -> None:
    assert camera.state == "connecting"
    for _ in range(3):
        camera.captured(1.0, 1001.0)
    assert told == [("live", None)]
    assert camera.since == 1001.0


def test_a_camera_that_never_opened_is_offline_at_once(
    camera: Condition, told: list[tuple[str, str | None]]
) -> None:
    camera.failed(SourceError("refused", "no way"), 1001.0)
    camera.failed(SourceError("refused", "no way"), 1002.0)
    assert told == [("offline", "no way")]
    assert camera.since == 1001.0


def test_a_live_camera_degrades_before_it_is_offline(
    camera: Condition, told: list[tuple[str, str | None]]
) -> None:
    camera.captured(1.0, 1001.0)
    for n in range(4):
        camera.failed(SourceError("timeout", "slow"), 1002.0 + n)
    assert told == [("live", None), ("degraded", "slow"), ("offline", "slow")]
    camera.captured(9.0, 1009.0)
    assert told[-1] == ("live", None)


def test_a_failure_for_good_is_offline_at_once(camera: Condition) -> None:
    camera.captured(1.0, 1001.0)
    camera.failed(SourceError("corrupt", "broken"), 1002.0, final=True)
    assert camera.state == "offline"


def test_silence_is_a_stall(camera: Condition, told: list[tuple[str, str | None]]) -> None:
    camera.captured(1.0, 1001.0)
    camera.tick(5.9, 1005.9)
    assert camera.state == "live"
    camera.tick(6.1, 1006.1)
    assert told[-1] == ("stalled", "no frame for 5 s")
    camera.alive(7.0, 1007.0)
    assert camera.state == "live"


def test_one_that_turns_out_to_be_slow_is_not_called_silent_between_two_pictures(camera: Condition) -> None:
    states = []
    for second in range(100):
        if second % 8 == 0:
            camera.captured(second, 1001.0 + second)
        camera.tick(second + 0.5, 1001.5 + second)
        states.append(camera.state)
    assert "stalled" not in states[8:]
    camera.tick(200.0, 1200.0)
    assert camera.state == "stalled"


def test_a_recording_is_not_silent_between_two_pictures() -> None:
    film = Condition(CameraSpec("a", "video", "x.mkv"), producer_id="p", wall=0.0)
    film.captured(0.0, 0.0)
    film.tick(59.0, 59.0)
    assert film.state == "live"


def test_a_camera_whose_every_picture_is_left_out_is_degraded_for_that_reason(
    camera: Condition, told: list[tuple[str, str | None]]
) -> None:
    for second in range(10):
        camera.left_out("12 bits", second, 1001.0 + second)
        camera.alive(second + 0.5, 1001.0)  # others that were not looked at say nothing
        camera.tick(second + 0.5, 1001.0 + second)
    assert told == [("degraded", "12 bits")]
    camera.captured(11.0, 1012.0)
    assert told[-1] == ("live", None)


def test_a_live_one_too_and_not_for_one_or_two_of_them(
    camera: Condition, told: list[tuple[str, str | None]]
) -> None:
    for second in range(0, 30, 3):
        camera.captured(second, 1001.0)
        camera.left_out("damaged", second + 1, 1001.0)
        camera.left_out("damaged", second + 2, 1001.0)
    assert told == [("live", None)]
    for second in range(30, 33):
        camera.left_out("damaged", second, 1001.0)
    assert told[-1] == ("degraded", "damaged")


def test_one_that_rarely_sends_says_in_time_what_is_wrong_with_its_first_picture(camera: Condition) -> None:
    camera.left_out("12 bits", 0.0, 1000.0)
    camera.tick(4.0, 1004.0)
    assert camera.state == "connecting"
    camera.tick(6.0, 1006.0)
    assert (camera.state, camera.reason) == ("degraded", "12 bits")


def test_waiting_for_a_first_picture_has_its_reason(
    camera: Condition, told: list[tuple[str, str | None]]
) -> None:
    camera.waiting("no keyframe yet", 1.0, 1001.0)
    camera.captured(2.0, 1002.0)
    camera.failed(SourceError("closed", "gone"), 1003.0)
    camera.waiting("no keyframe yet", 4.0, 1004.0)
    assert told == [
        ("connecting", "no keyframe yet"),
        ("live", None),
        ("degraded", "gone"),
        ("degraded", "no keyframe yet"),
    ]


def test_a_slow_camera_has_more_time_and_a_waiting_one_all_of_it() -> None:
    slow = Condition(CameraSpec("a", "folder", "x"), producer_id="p", wall=0.0, fps=0.1)
    slow.captured(0.0, 0.0)
    slow.tick(29.0, 29.0)
    assert slow.state == "live"
    slow.waiting_for_queue = True
    slow.tick(1000.0, 1000.0)
    assert slow.state == "live"


def test_another_reason_in_the_same_state_is_told_and_keeps_its_beginning(
    camera: Condition, told: list[tuple[str, str | None]]
) -> None:
    camera.failed(SourceError("refused", "a"), 1001.0)
    camera.failed(SourceError("dns", "b"), 1002.0)
    assert told == [("offline", "a"), ("offline", "b")]
    assert camera.since == 1001.0


def test_the_heartbeat_says_it_all(camera: Condition) -> None:
    camera.status(0.0, 1000.0)
    for _ in range(20):
        camera.captured(1.0, 1001.0)
    camera.sent = 15
    camera.dropped["replaced"] = 5
    status = camera.status(2.0, 1002.0)
    assert (status.camera_id, status.producer_id, status.state, status.fps) == ("gate", "p", "live", 10.0)
    assert (status.sent, status.dropped, status.time) == (15, {"replaced": 5}, 1002.0)


def test_an_end_is_no_failure(camera: Condition) -> None:
    camera.ended(1001.0)
    assert camera.state == "disabled"
    assert camera.reason is not None
    assert "finished" in camera.reason


def test_each_message_is_news_once(camera: Condition) -> None:
    assert [camera.news(detail) for detail in ("a", "b", "a")] == [True, True, False]


def test_its_rate_counts_what_came_and_not_what_the_source_thinned_out(camera: Condition) -> None:
    camera.report(0.0)
    for n in range(10):
        camera.alive(n / 10, 1001.0)  # frames that the source left out
        camera.nothing_new(n / 10, 1001.0)
    camera.captured(1.0, 1001.0)
    report = camera.report(2.0)
    assert (report.fps, report.skipped) == (5.5, 10)


def test_the_rate_of_a_slow_camera_is_not_nothing_between_its_frames(camera: Condition) -> None:
    rates = []
    for second in range(0, 60, 2):
        if second % 10 == 4:
            camera.captured(second, 1_000.0 + second)
        rates.append(camera.report(second).fps)
    assert rates[:2] == [0.0, 0.0]  # nothing came yet
    assert set(rates[10:]) == {0.1}
    assert camera.report(158.0).fps == 0.01  # nor does it stay what it was
    assert camera.report(400.0).fps == 0.0
