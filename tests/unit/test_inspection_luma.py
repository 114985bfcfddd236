"""Small grey pictures, and what refuses to become one."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.picture import picture_size
from producer.errors import Undecodable
from producer.inspection.luma import luma_of, luma_of_pixels
from tests.helpers.images import encoded, jpeg, png, segment, with_exif
from tests.helpers.scenes import room


def test_sizes_come_from_the_header() -> None:
    picture = jpeg(room())
    assert picture_size(picture) == (640, 480)
    assert picture_size(segment(picture, 0xE5, bytes(40_000))) == (640, 480)
    assert picture_size(picture[:2] + b"\xff\xff\xff" + picture[2:]) == (640, 480)  # fill bytes
    assert picture_size(png(7, 5, bytes(5 * 22))) == (7, 5)


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>", b"\xff\xd8\xff", jpeg(room())[:100], png(7, 5, b"")[:20], png(0, 5, b"")],
    ids=["empty", "html", "start", "cut off", "cut-off png", "no pixels"],
)
def test_what_has_no_size_is_corrupt(data: bytes) -> None:
    with pytest.raises(Undecodable) as caught:
        luma_of(data)
    assert caught.value.reason == "corrupt"


@given(st.binary(max_size=200))
def test_any_bytes_after_a_signature_are_a_picture_or_unreadable(data: bytes) -> None:
    for signature in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"):
        try:
            luma_of(signature + data)
        except Undecodable:
            continue


def test_a_small_file_of_gigapixels_is_refused_before_it_is_decoded() -> None:
    picture = jpeg(room())
    at = picture.index(b"\xff\xc0") + 5
    bomb = picture[:at] + struct.pack(">HH", 60_000, 60_000) + picture[at + 4 :]
    with pytest.raises(Undecodable) as caught:
        luma_of(bomb)
    assert caught.value.reason == "too_many_pixels"


@pytest.mark.parametrize(
    ("size", "wanted", "shape"),
    [
        ((480, 640), 80, (60, 80)),
        ((1080, 1920), 80, (45, 80)),
        ((300, 500), 80, (48, 80)),
        ((640, 360), 80, (80, 45)),
        ((480, 640), 320, (240, 320)),
        ((40, 60), 80, (40, 60)),
    ],
)
def test_the_longer_side_is_as_asked_and_never_enlarged(
    size: tuple[int, int], wanted: int, shape: tuple[int, int]
) -> None:
    image = np.full((*size, 3), 130, np.uint8)
    for luma in (
        luma_of(jpeg(image), wanted),
        luma_of_pixels(image, wanted),
        luma_of_pixels(image[:, :, 0], wanted),
    ):
        assert luma.shape == shape
        assert np.abs(luma.astype(int) - 130).max() <= 2


def test_the_reduced_decode_agrees_with_the_pixels() -> None:
    picture = jpeg(room(), 95)
    luma = luma_of(picture)
    by_libjpeg = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    assert (luma == by_libjpeg).all(), "at 1/8, where that is enough"
    difference = luma.astype(int) - luma_of_pixels(room())
    assert np.abs(difference).mean() < 2


def test_it_is_upright() -> None:
    assert luma_of(with_exif(jpeg(room()), 6)).shape == (80, 60)


def test_a_png_can_be_looked_at() -> None:
    assert luma_of(encoded(room(), ".png")).shape == (60, 80)
