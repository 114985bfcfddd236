"""The benchmarks' own arithmetic: a wrong ratio would be believed."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from bench.accuracy import Score, counted, matched, smallest, total
from bench.bare import bare
from bench.hold import mixed
from bench.load import Rate
from bench.machine import cpu_seconds, resident_megabytes
from bench.pictures import decoded, encoded
from bench.scenes import HEIGHT, WIDTH, Portrait, backgrounds, iou, portraits, scenes
from bench.snapshots import Cost, picture, row
from bench.tables import percent, table
from bench.throughput import Measured, Row, line
from contract.picture import picture_size
from contract.task import TaskForm
from tests.helpers.eventually import eventually
from worker.detection import Detections


def found(*boxes: tuple[float, float, float, float]) -> Detections:
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.ones(len(boxes), np.float32),
        ("face",) * len(boxes),
    )


def test_a_face_takes_one_detection_and_the_rest_is_false() -> None:
    face = (10.0, 10.0, 20.0, 20.0)
    score = matched([face], found(face, (12, 12, 20, 20), (200, 200, 20, 20)))
    assert (score.faces, score.found, score.false) == (1, 1, 2)


def test_each_detection_serves_one_face() -> None:
    left, right = (10.0, 10.0, 20.0, 20.0), (14.0, 10.0, 20.0, 20.0)
    score = matched([left, right], found((11, 10, 20, 20)))
    assert (score.found, score.false) == (1, 0)


def test_too_little_overlap_is_a_miss_and_a_false_detection() -> None:
    score = matched([(0.0, 0.0, 20.0, 20.0)], found((15, 0, 20, 20)))
    assert (score.found, score.false) == (0, 1)


@pytest.mark.parametrize(("faces", "seen", "hits", "surplus"), [(2, 1, 1, 0), (2, 3, 2, 1), (0, 2, 0, 2)])
def test_counting_against_a_known_number(faces: int, seen: int, hits: int, surplus: int) -> None:
    score = counted(faces, seen)
    assert (score.found, score.false) == (hits, surplus)


def test_scores_add_up() -> None:
    whole = total([Score(2, 1, 0, 1), Score(2, 2, 3, 1)])
    assert (whole.recall, whole.surplus) == (0.75, 1.5)


def test_smallest_size_does_not_stumble_over_one_bad_size_above_it() -> None:
    def recalls(*each: int) -> dict[int, Score]:
        return {size: Score(100, hits, 0, 100) for size, hits in zip((10, 20, 30, 40), each, strict=True)}

    assert smallest(recalls(50, 95, 85, 100)) == "20 px"
    assert smallest(recalls(95, 20, 20, 20)) == "none"


def test_scenes_are_the_same_every_time_and_have_the_face_where_they_say() -> None:
    # A portrait that is nothing but a bright face on black: what is bright in the scene is the face.
    image = np.zeros((200, 200, 3), np.uint8)
    image[60:140, 70:130] = 255
    person = [Portrait(image, (70, 60, 60, 80))]
    wall = [np.zeros((HEIGHT, WIDTH, 3), np.uint8)]
    for size in (20, 80, 400):
        made = scenes(size, 3, person, wall)
        assert [scene.jpeg for scene in made] == [scene.jpeg for scene in scenes(size, 3, person, wall)]
        for scene in made:
            assert picture_size(scene.jpeg) == (WIDTH, HEIGHT)
            rows, columns = np.nonzero(decoded(scene.jpeg)[:, :, 1] > 128)
            x, y = float(columns.min()), float(rows.min())
            seen = (x, y, columns.max() + 1 - x, rows.max() + 1 - y)
            assert iou(scene.box, seen) > 0.85
            assert max(scene.box[2:]) == pytest.approx(size, abs=1)


def test_people_and_places_need_no_footage() -> None:
    assert all(max(person.box[2:]) > 64 for person in portraits(None))
    assert {place.shape for place in backgrounds(None)} == {(HEIGHT, WIDTH, 3)}


def test_cpu_seconds_of_another_process_are_its_own() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        eventually("a busy process uses its core", lambda: cpu_seconds(busy.pid) > 0.2)
        before, ours = cpu_seconds(os.getpid()), time.process_time()
        assert before == pytest.approx(ours, abs=0.05)
        now, most = resident_megabytes(busy.pid)
        assert 1 < now <= most
    finally:
        busy.kill()
        busy.wait()


def test_bare_loop_measures_milliseconds() -> None:
    image = encoded(np.zeros((240, 320, 3), np.uint8))
    assert 0 < bare("haar", [image], 5) < 1000


def test_ratios_are_within_a_round() -> None:
    row = Row("yunet", TaskForm.COMPACT, 2, 1)
    ours = [Measured(Rate(200, 100), 0.8), Measured(Rate(400, 200), 0.6)]
    plain = [Measured(Rate(10, 5), 0.9), Measured(Rate(40, 10), 0.9)]
    cells = line(row, ours, plain)
    assert cells[3:] == ("300", "15.0", "150", "20.0", "70 %")


def test_other_sizes_are_mixed_in_without_changing_the_number() -> None:
    images = mixed([[b"s"] * 60, [b"m"] * 60, [b"l"] * 60])
    assert len(images) == 60
    assert (images.count(b"m"), images.count(b"l")) == (2, 1)


def test_snapshots_are_compared_within_a_round() -> None:
    ours = [Cost(1000, 0.1), Cost(1000, 0.4)]
    plain = [Cost(2000, 0.1), Cost(1000, 0.5)]
    assert row("new", ours, plain) == ("new", "0.250", "0.275", "4000", "3636", "1.40 (0.80-2.00)")


def test_a_snapshot_is_filled_up_and_still_a_picture() -> None:
    image = encoded(np.full((48, 64, 3), 90, np.uint8))
    filled = picture([bytes(9999), image], 5000)
    assert len(filled) == 5000
    assert np.array_equal(decoded(filled), decoded(image))


def test_table_is_markdown() -> None:
    assert table(("a", "b"), [(1, percent(0.5))]) == "| a | b |\n| --- | --- |\n| 1 | 50 % |"


@pytest.mark.parametrize(
    "name",
    [
        "accuracy",
        "broker",
        "cameras",
        "canary",
        "cluster",
        "hold",
        "rtsp",
        "snapshots",
        "stages",
        "system",
        "throughput",
        "tracing",
    ],
)
def test_every_command_explains_itself(name: str) -> None:
    said = subprocess.run([sys.executable, "-m", f"bench.{name}", "--help"], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert f"python -m bench.{name}" in said.stdout
