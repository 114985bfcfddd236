"""Pictures as the world makes them: each becomes a result whose boxes are right, or is refused with its reason.

Every picture takes the whole way of a task, parsed, decoded and detected. What ITU-T T.81 (JPEG), EXIF and RFC 2083
(PNG) allow is in here as far as it can be made on the spot.
"""

import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from contract.failures import FailureReason
from contract.result import DetectedObject, Result
from contract.task import Task, TaskForm, encode_task
from gateway.history.pictures import thumbnail
from tests.helpers.images import FACE, encoded, iou, jpeg, pillow, png, turned_back, with_exif
from tests.helpers.odd_pictures import DITHERED, HEIGHT, ODD, PORTRAIT, THUMBNAIL, WIDTH, difference
from tests.helpers.one import One
from tests.helpers.tiny_yunet import write_tiny_yunet
from worker.detection.detector import Detector
from worker.detection.haar import Haar
from worker.detection.image import decode
from worker.detection.yunet import YuNet
from worker.processor import Computed, Failed, Processed, Processor

MAX_PIXELS = 50_000_000
NOT_AN_IMAGE, TOO_MANY_PIXELS = FailureReason.NOT_AN_IMAGE, FailureReason.TOO_MANY_PIXELS

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def haar() -> Haar:
    return Haar()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> YuNet:
    return YuNet(write_tiny_yunet(tmp_path_factory.mktemp("zoo") / "tiny.onnx"), size=320)


@pytest.fixture(scope="module")
def yunet(yunet_file: Path) -> YuNet:
    return YuNet(yunet_file)


def process(
    image: bytes, detector: Detector, form: TaskForm = TaskForm.COMPACT, max_pixels: int = MAX_PIXELS
) -> Processed:
    task = encode_task(Task(image=image, timestamp=time.time(), camera_id="zoo", frame_id="zoo:1"), form)
    return Processor(One(detector), "n-1", staleness=None, max_pixels=max_pixels).process(
        task.body, content_type=task.content_type, headers=task.headers, message_id=None, waited=0.0
    )


def result(image: bytes, detector: Detector, form: TaskForm = TaskForm.COMPACT) -> Result:
    outcome = process(image, detector, form)
    assert isinstance(outcome, Computed), outcome
    return outcome.result


def box(found: DetectedObject) -> tuple[float, ...]:
    return (found.x, found.y, found.w, found.h)


@pytest.mark.parametrize("name", sorted(ODD.keys() - DITHERED))
@pytest.mark.parametrize("form", TaskForm)
def test_the_face_is_found_where_it_is(name: str, form: TaskForm, haar: Haar) -> None:
    found = result(ODD[name](), haar, form)
    assert (found.width, found.height) == (WIDTH, HEIGHT)
    assert max((iou(box(d), FACE) for d in found.detections), default=0) >= 0.5


@pytest.mark.parametrize("name", ODD)
def test_every_decoder_sees_the_same(name: str) -> None:
    """OpenCV, with which workers and producers decode, and Pillow, which makes event pictures; browsers: tests/e2e."""
    picture = ODD[name]()
    decoded = decode(picture)
    assert (decoded.width, decoded.height) == (WIDTH, HEIGHT)
    assert difference(decoded.pixels, name) < 8
    small = decode(thumbnail(picture)).pixels
    assert small.shape == (250, 320, 3)
    assert difference(small, name) < 8


@pytest.mark.parametrize("name", sorted(ODD.keys() - DITHERED))
def test_yunet_finds_the_face_where_it_is(name: str, yunet: YuNet) -> None:
    found = result(ODD[name](), yunet)
    assert [d.label for d in found.detections] == ["face"]
    assert iou(box(found.detections[0]), FACE) >= 0.6
    assert found.detections[0].confidence >= 0.85


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("thumbnail", [b"", THUMBNAIL], ids=["bare", "thumbnail"])
def test_boxes_are_in_pixels_of_the_upright_picture(orientation: int, thumbnail: bytes, haar: Haar) -> None:
    stored = jpeg(turned_back(PORTRAIT, orientation))
    found = result(with_exif(stored, orientation, thumbnail), haar)
    assert (found.width, found.height) == (WIDTH, HEIGHT)
    assert max((iou(box(d), FACE) for d in found.detections), default=0) >= 0.5


def scene(width: int, height: int) -> tuple[Picture, tuple[float, float], float]:
    """A dark picture with a bright square; the square's centre, and the side of a pixel of the input in it."""
    pixel = max(width, height) / 320
    picture = np.zeros((height, width, 3), np.uint8)
    x, y, side = round(0.7 * width), round(0.3 * height), max(1, round(16 * pixel))
    picture[y : y + side, x : x + side] = 255
    return picture, (x + side / 2, y + side / 2), pixel


SIZES = [(4000, 3000), (3000, 4000), (4001, 2999), (1283, 721), (641, 481), (639, 479), (321, 241), (65, 49)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("extension", [".jpg", ".png"])
def test_every_scale_gives_boxes_of_the_original(
    width: int, height: int, extension: str, tiny: YuNet
) -> None:
    picture, (x, y), pixel = scene(width, height)
    found = result(encoded(picture, extension), tiny)
    assert (found.width, found.height) == (width, height)
    assert found.detections
    for each in found.detections:
        assert each.x + each.w / 2 == pytest.approx(x, abs=9 * pixel)
        assert each.y + each.h / 2 == pytest.approx(y, abs=9 * pixel)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("width", "height"), [(1280, 960), (1283, 957), (2999, 961)])
def test_turned_pictures_at_a_reduced_scale(orientation: int, width: int, height: int, tiny: YuNet) -> None:
    picture, (x, y), pixel = scene(width, height)
    found = result(with_exif(jpeg(turned_back(picture, orientation)), orientation), tiny)
    assert (found.width, found.height) == (width, height)
    assert found.detections
    for each in found.detections:
        assert each.x + each.w / 2 == pytest.approx(x, abs=9 * pixel)
        assert each.y + each.h / 2 == pytest.approx(y, abs=9 * pixel)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 3), (1, 3000), (3000, 1)])
@pytest.mark.parametrize("extension", [".jpg", ".png"])
@pytest.mark.parametrize("name", ["haar", "tiny"])
def test_tiny_pictures_have_a_result_without_faces(
    width: int, height: int, extension: str, name: str, request: pytest.FixtureRequest
) -> None:
    detector: Detector = request.getfixturevalue(name)
    found = result(encoded(np.zeros((height, width, 3), np.uint8), extension), detector)
    assert (found.width, found.height, found.detections) == (width, height, [])


def patched(image: bytes, offset: int, value: bytes) -> bytes:
    return image[:offset] + value + image[offset + len(value) :]


def frame_header(image: bytes) -> int:
    """Where the start-of-frame marker of a baseline JPEG is."""
    return image.index(b"\xff\xc0")


def claiming(image: bytes, width: int, height: int) -> bytes:
    """A baseline JPEG or a PNG whose header claims another size, with a right checksum."""
    if image.startswith(b"\xff\xd8"):
        return patched(image, frame_header(image) + 5, struct.pack(">HH", height, width))
    lying = patched(image, 16, struct.pack(">II", width, height))
    return patched(lying, 29, struct.pack(">I", zlib.crc32(lying[12:29])))


def flipped(image: bytes, offset: int) -> bytes:
    return patched(image, offset, bytes([image[offset] ^ 0xFF]))


JPEG, PNG = jpeg(PORTRAIT), encoded(PORTRAIT, ".png")
SOF = frame_header(JPEG)
NEITHER, UNDECODABLE = "neither JPEG nor PNG|: only JPEG and PNG are read", "does not decode"

REFUSED: dict[str, tuple[bytes, FailureReason, str]] = {
    "gif": (pillow(PORTRAIT, "GIF"), NOT_AN_IMAGE, NEITHER),
    "webp": (pillow(PORTRAIT, "WEBP"), NOT_AN_IMAGE, NEITHER),
    "bmp": (pillow(PORTRAIT, "BMP"), NOT_AN_IMAGE, NEITHER),
    "tiff": (pillow(PORTRAIT, "TIFF"), NOT_AN_IMAGE, NEITHER),
    "jpeg 2000": (encoded(PORTRAIT, ".jp2"), NOT_AN_IMAGE, NEITHER),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NOT_AN_IMAGE, NEITHER),
    "jpeg of 12 bits": (patched(JPEG, SOF + 4, b"\x0c"), NOT_AN_IMAGE, UNDECODABLE),
    "jpeg lossless": (patched(JPEG, SOF + 1, b"\xc3"), NOT_AN_IMAGE, UNDECODABLE),
    "jpeg hierarchical": (patched(JPEG, SOF + 1, b"\xc5"), NOT_AN_IMAGE, UNDECODABLE),
    "jpeg without height": (claiming(JPEG, WIDTH, 0), NOT_AN_IMAGE, "has no pixels"),
    "jpeg 10,000x10,000": (
        claiming(JPEG, 10_000, 10_000),
        TOO_MANY_PIXELS,
        "10000x10000 are 100000000 pixels",
    ),
    "jpeg 65,535x65,535": (claiming(JPEG, 65_535, 65_535), TOO_MANY_PIXELS, "the limit is 50000000"),
    "jpeg with a broken segment": (
        patched(JPEG, 4, b"\xff\xff"),
        NOT_AN_IMAGE,
        "header is corrupt|before its size|truncated",
    ),
    "jpeg of a start only": (JPEG[:2] + b"\xff\xd9", NOT_AN_IMAGE, "before its size"),
    "png 10,000x10,000": (
        png(10_000, 10_000, bytes(1251 * 10_000), depth=1, colour=0),
        TOO_MANY_PIXELS,
        "10000x10000",
    ),
    "png that claims more": (claiming(PNG, 10_000, 10_000), TOO_MANY_PIXELS, "10000x10000"),
    "png that claims less than it may": (claiming(PNG, 7_000, 7_000), NOT_AN_IMAGE, UNDECODABLE),
    "png that is higher than its data": (claiming(PNG, WIDTH, HEIGHT + 1), NOT_AN_IMAGE, UNDECODABLE),
    "png that is wider than its data": (claiming(PNG, WIDTH + 100, HEIGHT), NOT_AN_IMAGE, UNDECODABLE),
    "png wider than the decoder's limit": (
        png(1_100_000, 40, bytes(137_501 * 40), depth=1, colour=0),
        NOT_AN_IMAGE,
        UNDECODABLE,
    ),
    "png with 2^31 columns": (claiming(PNG, 2**31, 1), TOO_MANY_PIXELS, "2147483648x1"),
    "png without width": (claiming(PNG, 0, HEIGHT), NOT_AN_IMAGE, "has no pixels"),
    "png with 3 bits": (png(4, 4, bytes(100), depth=3), NOT_AN_IMAGE, UNDECODABLE),
    "png of an unknown colour type": (png(4, 4, bytes(100), colour=5), NOT_AN_IMAGE, UNDECODABLE),
    "png with a wrong checksum of the header": (flipped(PNG, 30), NOT_AN_IMAGE, UNDECODABLE),
    "png with a wrong checksum of the pixels": (flipped(PNG, len(PNG) - 14), NOT_AN_IMAGE, UNDECODABLE),
    "png with a wrong byte": (flipped(PNG, len(PNG) // 2), NOT_AN_IMAGE, UNDECODABLE),
    "png without pixels": (png(WIDTH, HEIGHT, b""), NOT_AN_IMAGE, UNDECODABLE),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("form", TaskForm)
def test_what_is_refused_says_why(name: str, form: TaskForm, haar: Haar) -> None:
    image, reason, sentence = REFUSED[name]
    outcome = process(image, haar, form)
    assert isinstance(outcome, Failed)
    assert outcome.reason is reason
    assert any(part in outcome.error for part in sentence.split("|")), outcome.error
    assert not outcome.reason.transient


WHOLE = {
    "jpeg": JPEG,
    "jpeg progressive": ODD["jpeg progressive"](),
    "jpeg with a thumbnail": ODD["jpeg with a thumbnail"](),
    "png": PNG,
    "png interlaced": ODD["png interlaced"](),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_truncated_picture_is_refused_wherever_it_ends(name: str, tiny: YuNet) -> None:
    """Within its header, within the thumbnail, right after it, in the pixels, and one byte before the end."""
    image = WHOLE[name]
    for end in (*range(1, 40), *range(40, 4000, 97), *range(4000, len(image), 6007), len(image) - 1):
        outcome = process(image[:end], tiny)
        assert isinstance(outcome, Failed), f"ends after {end} bytes"
        assert outcome.reason is NOT_AN_IMAGE
        assert outcome.error


def test_a_picture_that_is_lower_than_its_data_is_what_its_header_says(haar: Haar) -> None:
    for image in (JPEG, PNG):
        found = result(claiming(image, WIDTH, 64), haar)
        assert (found.width, found.height) == (WIDTH, 64)
        assert all(d.y + d.h <= 64 for d in found.detections)


BOMB = """
import sys, time
from pathlib import Path
from contract.picture import PictureError
from worker.detection.image import Wants, decode

def peak() -> int:  # not ru_maxrss, which a new program inherits from who started it
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])

bomb, harmless = (Path(name).read_bytes() for name in sys.argv[1:])
decode(harmless, Wants(320, True))
before, started = peak(), time.process_time()
try:
    decode(bomb, Wants(320, True), max_pixels=int(sys.stdin.read()))
except PictureError:
    pass
print(peak() - before, time.process_time() - started)
"""


def test_a_picture_of_too_many_pixels_costs_neither_memory_nor_time(tmp_path: Path) -> None:
    """10,000x10,000 in 12 KB; to see that the measure measures, the same with the limit lifted."""
    bomb, harmless = tmp_path / "bomb.png", tmp_path / "harmless.png"
    bomb.write_bytes(REFUSED["png 10,000x10,000"][0])
    harmless.write_bytes(PNG)

    def costs(limit: int) -> tuple[float, float]:
        """Megabytes and CPU seconds."""
        done = subprocess.run(
            [sys.executable, "-c", BOMB, str(bomb), str(harmless)],
            input=str(limit), capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        kilobytes, seconds = done.stdout.split()
        return int(kilobytes) / 1024, float(seconds)

    refused, allowed = costs(MAX_PIXELS), costs(10**9)
    assert allowed[0] > 250
    assert refused[0] < 10
    assert refused[1] < allowed[1] / 20


SMALL = np.asarray(cv2.resize(PORTRAIT, (97, 61), interpolation=cv2.INTER_AREA), np.uint8)
SOURCES = [
    jpeg(SMALL),
    with_exif(jpeg(SMALL), 6),
    pillow(SMALL, "JPEG", progressive=True),
    encoded(SMALL, ".png"),
]
change = st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 2), st.binary(min_size=1, max_size=4))


@given(st.sampled_from(SOURCES), st.lists(change, min_size=1, max_size=6))
def test_damage_gives_a_result_or_a_reason(
    tiny: YuNet, source: bytes, changes: list[tuple[float, int, bytes]]
) -> None:
    """Bytes overwritten, inserted and taken out, mostly in the header."""
    image = source
    for where, kind, value in changes:
        position = int(where**3 * len(image))
        image = image[:position] + (value if kind < 2 else b"") + image[position + (kind != 1) * len(value) :]
    outcome = process(image, tiny, max_pixels=100_000) if image else None
    if isinstance(outcome, Computed):
        assert outcome.result.width * outcome.result.height <= 100_000
        for d in outcome.result.detections:
            assert 0 <= d.x < d.x + d.w <= outcome.result.width
            assert 0 <= d.y < d.y + d.h <= outcome.result.height
    elif isinstance(outcome, Failed):
        assert outcome.reason in (NOT_AN_IMAGE, TOO_MANY_PIXELS)
        assert outcome.error
