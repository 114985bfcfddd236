"""The confined process that turns pictures into JPEGs, drawn on or not."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from batch.pictures.messages import PictureBox
from batch.pictures.workshop import PictureWorkshop, UndecodablePicture
from tests.helpers.eventually import eventually
from tests.helpers.images import astronaut, jpeg

pytestmark = pytest.mark.integration


@pytest.fixture
def workshop() -> Iterator[PictureWorkshop]:
    made = PictureWorkshop()
    yield made
    made.close()


def read(data: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def test_a_webp_becomes_a_jpeg_that_shows_the_same(workshop: PictureWorkshop) -> None:
    image = astronaut()
    made = workshop.jpeg(cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 95])[1].tobytes())
    assert made[:3] == b"\xff\xd8\xff"
    shown = read(made)
    assert shown.shape == image.shape
    assert float(np.abs(shown.astype(int) - image).mean()) < 6


def test_boxes_are_drawn_and_it_is_made_smaller(workshop: PictureWorkshop) -> None:
    plain = jpeg(np.full((200, 400, 3), 90, np.uint8))
    drawn = read(workshop.jpeg(plain, boxes=[PictureBox(100, 50, 100, 100, "face 0.90")], width=200))
    assert drawn.shape == (100, 200, 3)
    assert int(drawn[50, 50, 1]) - int(drawn[50, 50, 2]) > 30  # green, at the box's left side
    assert abs(int(drawn[80, 150, 1]) - 90) < 20


def test_what_is_damaged_costs_itself(workshop: PictureWorkshop) -> None:
    for data in (b"RIFF\x10\0\0\0WEBPVP8 ", b"", b"\xff\xd8\xff", jpeg(astronaut())[:100]):
        with pytest.raises(UndecodablePicture, match="does not decode"):
            workshop.jpeg(data)
    assert workshop.jpeg(jpeg(astronaut()))


def test_a_process_that_dies_is_replaced(workshop: PictureWorkshop) -> None:
    assert workshop.jpeg(jpeg(astronaut()))
    process = workshop._process
    assert process is not None
    process.kill()
    eventually("it is gone", lambda: process.poll() is not None)
    assert workshop.jpeg(jpeg(astronaut()))
