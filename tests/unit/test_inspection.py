"""A camera's pictures looked at once: the gate's verdict and the camera's health together."""

import numpy as np

from contract.task import Task, TaskForm, encode_task, parse_task
from producer.inspection.gate import Gate
from producer.inspection.health import Health
from producer.inspection.judge import Judge
from producer.inspection.motion import Motion
from tests.helpers.images import jpeg
from tests.helpers.scenes import Image, Sensor, noisy, room


def both(motion: bool = True) -> Judge:
    return Judge(Gate(Motion() if motion else None), Health())


def test_frames_are_skipped_and_the_camera_is_well() -> None:
    judge, sensor = both(), Sensor()
    verdicts = [judge.encoded(sensor.shot(room()), n * 0.5) for n in range(30)]
    assert {v.look.reason for v in verdicts} == {"first", "still", "refresh"}
    assert [v.changes for v in verdicts] == [[]] * 30


def test_a_camera_whose_picture_turns_black_is_seen_though_nothing_is_sent() -> None:
    judge, dark = both(), np.zeros_like(room())
    begun = [c for n in range(30) for c in judge.encoded(Sensor(1.0, n).shot(dark), n * 0.5).changes]
    assert [c.defect for c in begun] == ["black"]


def test_identical_and_unmodified_pictures_are_frozen_after_a_while() -> None:
    picture = Sensor().shot(room())
    for motion in (True, False):
        by_bytes, by_word = both(motion), both(motion)
        by_word.encoded(picture, 0.0)
        seen = [by_bytes.encoded(picture, float(n)).changes for n in range(70)]
        told = [by_word.unmodified(float(n)) for n in range(1, 70)]
        for changes in (seen, told):
            assert [c.defect for some in changes for c in some] == ["frozen"]
    assert "frozen" in (by_bytes.health.defects if by_bytes.health else ())


def test_with_the_motion_gate_off_health_is_looked_at_all_the_same() -> None:
    judge, dark = both(motion=False), np.zeros_like(room())
    begun = [c for n in range(30) for c in judge.encoded(Sensor(1.0, n).shot(dark), n * 0.5).changes]
    assert [c.defect for c in begun] == ["black"]


def test_a_picture_that_cannot_be_read_says_nothing_about_health() -> None:
    for motion in (True, False):
        judge = both(motion)
        verdict = judge.encoded(b"\xff\xd8\xff no picture", 0.0)
        assert verdict.changes == []
        assert not verdict.look.send
        assert verdict.look.why == "the JPEG ends before its size"


def test_decoded_frames_likewise() -> None:
    judge, rng = both(), np.random.default_rng(1)
    frames: list[Image] = [noisy(room(), 4, rng) for _ in range(5)]
    assert [judge.pixels(f, n * 0.1).look.reason for n, f in enumerate(frames)] == ["first"] + ["still"] * 4
    begun = [c for n in range(70) for c in judge.pixels(frames[-1], 1.0 + n).changes]
    assert [c.defect for c in begun] == ["frozen"]


def test_health_can_be_left_out() -> None:
    judge, picture = Judge(Gate(None), None), Sensor().shot(room())
    assert judge.encoded(picture, 0.0).changes == []
    assert judge.pixels(room(), 1.0).changes == []
    assert judge.unmodified(2.0) == []


def test_the_share_of_change_can_be_written_into_a_task() -> None:
    motion = Motion()
    before = np.zeros((90, 120), np.uint8)
    motion.keep(before)
    after = before.copy()
    after[:30] = 200
    share = motion.changed(after)
    picture = jpeg(after)
    for form in TaskForm:
        task = Task(timestamp=1.0, camera_id="gate", frame_id="gate:1:1", image=picture, motion=share)
        written = encode_task(task, form)
        read = parse_task(written.body, content_type=written.content_type, headers=written.headers)
        assert read.motion == round(share, 4) > 0.2
