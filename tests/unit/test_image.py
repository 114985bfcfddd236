"""Decoding: the header first, no larger than needed, and an error for what is not a picture."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.picture import PictureError, picture_size
from tests.helpers.images import astronaut, encoded, jpeg
from worker.detection.image import TooManyPixels, Wants, decode


def picture(width: int, height: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns % 256, rows % 256, (rows + columns) % 256], axis=2).astype(np.uint8)


def colour(longer_side: int | None) -> Wants:
    return Wants(longer_side, colour=True)


def test_what_serves_two_detectors_serves_each() -> None:
    grey = Wants(None, colour=False)
    assert colour(320) | colour(640) == colour(640)
    assert colour(320) | grey == colour(None)
    assert grey | grey == grey


def png_header(width: int, height: int) -> bytes:
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + ihdr + struct.pack(">I", zlib.crc32(ihdr))


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1, 1), (333, 77), (64, 1000)])
@pytest.mark.parametrize("extension", [".jpg", ".png"])
def test_size_comes_from_the_header(width: int, height: int, extension: str) -> None:
    assert picture_size(encoded(picture(width, height), extension)) == (width, height)


def test_progressive_jpeg() -> None:
    data = encoded(picture(320, 200), ".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    assert picture_size(data) == (320, 200)
    assert decode(data).pixels.shape == (200, 320, 3)


@pytest.mark.parametrize(
    ("wanted", "shape"),
    [
        (None, (480, 640)),
        (320, (240, 320)),
        (321, (480, 640)),
        (160, (120, 160)),
        (10, (60, 80)),
    ],
)
def test_a_jpeg_is_decoded_at_the_smallest_scale_that_suffices(
    wanted: int | None, shape: tuple[int, int]
) -> None:
    image = decode(jpeg(picture(640, 480)), colour(wanted))
    assert image.pixels.shape == (*shape, 3)
    assert (image.width, image.height) == (640, 480)


def test_an_upright_picture_is_measured_by_its_longer_side() -> None:
    assert decode(jpeg(picture(480, 640)), colour(320)).pixels.shape == (320, 240, 3)


def test_reduced_and_full_decoding_show_the_same_picture() -> None:
    data = jpeg(astronaut())
    full, half = decode(data).pixels, decode(data, colour(256)).pixels
    difference = cv2.resize(full, (256, 256), interpolation=cv2.INTER_AREA).astype(int) - half
    assert np.abs(difference).mean() < 2


def test_exif_orientation_turns_the_picture_and_its_size() -> None:
    data = jpeg(picture(640, 480))
    tiff = b"II*\x00\x08\x00\x00\x00" + struct.pack("<HHHIHH", 1, 0x0112, 3, 1, 6, 0) + b"\x00" * 4
    segment = b"Exif\x00\x00" + tiff
    turned = data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    image = decode(turned, colour(320))
    assert (image.width, image.height) == (480, 640)
    assert image.pixels.shape == (320, 240, 3)


def test_a_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(TooManyPixels, match="400000000 pixels"):
        decode(png_header(20_000, 20_000))


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        png_header(4, 4),
        png_header(0, 4),
        b"\xff\xd8\xff\xc0\x00",
        b"\xff\xd8\xff\xda\x00\x04\x00\x00",
    ],
)
def test_what_is_no_picture_is_an_image_error(data: bytes) -> None:
    with pytest.raises(PictureError):
        decode(data)


def test_a_truncated_jpeg_is_an_image_error_and_padding_is_not() -> None:
    data = jpeg(astronaut())
    with pytest.raises(PictureError, match="truncated"):
        decode(data[: len(data) // 2])
    assert decode(data + b"\x00" * 100).width == 512


@given(st.binary(max_size=64), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b""]))
def test_no_bytes_raise_anything_but_image_error(tail: bytes, start: bytes) -> None:
    try:
        width, height = picture_size(start + tail)
    except PictureError:
        return
    assert width > 0
    assert height > 0
