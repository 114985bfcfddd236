"""What leaves the producer: untouched byte for byte, or masked beyond recovery."""

import cv2
import numpy as np
import pytest

from producer.errors import Undecodable
from producer.frames import Encoded, Pixels
from producer.inspection.masks import Mask
from producer.inspection.outgoing import Altered, Outgoing
from tests.helpers.images import encoded, jpeg, with_exif
from tests.helpers.scenes import Image, room

LEFT_HALF = Mask([[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]])
JPEG = Encoded(jpeg(room()), "image/jpeg")


def decoded(picture: Encoded) -> Image:
    image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize(
    "outgoing", [Outgoing(), Outgoing(Mask([])), Outgoing(longer_side=640), Outgoing(longer_side=5000)]
)
def test_an_untouched_picture_is_the_very_same(outgoing: Outgoing) -> None:
    assert outgoing.encoded(JPEG) is JPEG
    assert Altered(JPEG, outgoing).encoded(50) is JPEG
    png = Encoded(encoded(room(), ".png"), "image/png")
    assert outgoing.encoded(png) is png


def test_what_is_masked_is_black_in_what_leaves() -> None:
    image = decoded(Outgoing(LEFT_HALF).encoded(JPEG))
    assert image.shape == (480, 640, 3)
    assert image[:, :312].max() <= 8  # the blocks of the JPEG next to the edge ring a little
    difference = image[:, 330:].astype(int) - decoded(JPEG)[:, 330:]
    assert np.abs(difference).mean() < 3


def test_masked_and_smaller() -> None:
    image = decoded(Outgoing(LEFT_HALF, longer_side=320).encoded(JPEG))
    assert image.shape == (240, 320, 3)
    assert image[:, :152].max() <= 8
    assert image[:, 168:].mean() > 50


def test_the_metadata_goes_with_its_thumbnail_and_the_picture_stays_upright() -> None:
    thumbnail = jpeg(np.ascontiguousarray(room()[::8, ::8]))
    turned = Encoded(with_exif(jpeg(room()), 6, thumbnail), "image/jpeg")
    sent = Outgoing(LEFT_HALF).encoded(turned)
    assert thumbnail not in sent.data
    assert b"Exif" not in sent.data
    image = decoded(sent)
    assert image.shape == (640, 480, 3)
    assert image[:, :232].max() <= 8


def test_a_png_becomes_a_jpeg_where_something_changes() -> None:
    sent = Outgoing(longer_side=64).encoded(Encoded(encoded(room(), ".png"), "image/png"))
    assert sent.content_type == "image/jpeg"
    assert decoded(sent).shape == (48, 64, 3)


def test_recompressing_saves_bytes_or_changes_nothing() -> None:
    fine = Encoded(jpeg(room(), 95), "image/jpeg")
    assert len(Outgoing(recompress=True, quality=60).encoded(fine).data) < len(fine.data) / 2
    coarse = Encoded(jpeg(room(), 30), "image/jpeg")
    assert Outgoing(recompress=True, quality=95).encoded(coarse) is coarse


def test_the_quality_counts() -> None:
    sizes = [len(Outgoing(LEFT_HALF, quality=q).encoded(JPEG).data) for q in (30, 60, 90)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] / 2


@pytest.mark.parametrize("data", [b"", b"<html>", JPEG.data[:300]], ids=["nothing", "html", "cut off"])
def test_what_cannot_be_masked_does_not_leave(data: bytes) -> None:
    with pytest.raises(Undecodable):
        Outgoing(LEFT_HALF).encoded(Encoded(data, "image/jpeg"))


def test_pixels_are_altered_when_they_are_encoded() -> None:
    before = room().copy()
    sent = Altered(Pixels(room()), Outgoing(LEFT_HALF, longer_side=320)).encoded(90)
    assert (room() == before).all()
    image = decoded(sent)
    assert image.shape == (240, 320, 3)
    assert image[:, :152].max() <= 8


def test_frames_that_only_their_source_can_encode_are_masked_too() -> None:
    class Film:
        def encoded(self, quality: int) -> Encoded:
            return Encoded(jpeg(room(), quality), "image/jpeg")

    assert decoded(Altered(Film(), Outgoing(LEFT_HALF)).encoded(85))[:, :312].max() <= 8
