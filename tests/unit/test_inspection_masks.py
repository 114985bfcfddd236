"""Masks: every pixel that a polygon touches is hidden, whatever the picture's size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.inspection.masks import KEPT_PIXELS, Mask
from tests.helpers.scenes import room

LEFT_HALF = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]


@pytest.mark.parametrize(("height", "width"), [(480, 640), (60, 80), (7, 9)])
def test_the_same_fractions_hide_the_same_part_of_every_size(height: int, width: int) -> None:
    raster = Mask([LEFT_HALF]).raster(height, width)
    assert raster.shape == (height, width)
    assert raster[:, : width // 2].all()
    assert not raster[:, width // 2 + 2 :].any()


def test_all_of_the_picture() -> None:
    assert Mask([[(0, 0), (1, 0), (1, 1), (0, 1)]]).raster(48, 64).all()


fractions = st.floats(0, 1, allow_nan=False)


@given(fractions, fractions, fractions, fractions, st.integers(1, 200), st.integers(1, 200))
def test_every_pixel_that_is_touched_is_hidden_and_hardly_another(
    x1: float, y1: float, x2: float, y2: float, height: int, width: int
) -> None:
    (left, right), (top, bottom) = sorted((x1, x2)), sorted((y1, y2))
    raster = Mask([[(left, top), (right, top), (right, bottom), (left, bottom)]]).raster(height, width)
    x, y = np.arange(width) / width, np.arange(height) / height
    across = (x < right) & (x + 1 / width > left)
    down = (y < bottom) & (y + 1 / height > top)
    assert raster[down[:, None] & across[None, :]].all()
    far_across = (x > right + 2 / width) | (x + 1 / width < left - 2 / width)
    far_down = (y > bottom + 2 / height) | (y + 1 / height < top - 2 / height)
    assert not raster[far_down[:, None] | far_across[None, :]].any()


def test_a_crossing_or_concave_polygon_and_several() -> None:
    mask = Mask([[(0, 0), (0.4, 0), (0.1, 0.1), (0, 0.4)], [(0.9, 0.9), (1, 0.9), (1, 1)]])
    raster = mask.raster(100, 100)
    assert raster[5, 5]
    assert raster[95, 98]
    assert not raster[30, 30]
    assert not raster[50, 50]


def test_the_image_itself_is_not_touched_by_filling() -> None:
    before = room().copy()
    filled = Mask([LEFT_HALF]).filled(room())
    assert (room() == before).all()
    assert (filled[:, :320] == 0).all()
    assert (filled[:, 323:] == room()[:, 323:]).all()


def test_grey_images_and_views_are_filled_too() -> None:
    view = room()[::2, ::2, 0]
    assert (Mask([LEFT_HALF]).filled(view)[:, :160] == 0).all()


def test_a_raster_is_made_once_per_size_and_large_ones_are_not_kept() -> None:
    mask = Mask([LEFT_HALF])
    small = mask.raster(60, 80)
    assert mask.raster(480, 640) is not mask.raster(480, 640)
    assert KEPT_PIXELS < 480 * 640
    assert mask.raster(60, 80) is small
    assert mask.raster(45, 80).shape == (45, 80)
    assert not small.flags.writeable


@pytest.mark.parametrize(
    ("polygon", "words"),
    [
        ([(0, 0), (1, 1)], "three"),
        ([(0, 0), (1, 1), (0, 1.2)], "outside 0-1"),
        ([(0, 0), (1, 1), (float("nan"), 1)], "outside 0-1"),
        ([(0, 0), (100, 0), (100, 100)], "fractions"),
    ],
)
def test_what_is_no_polygon_is_refused(polygon: list[tuple[float, float]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Mask([LEFT_HALF, polygon])


def test_no_polygons_are_no_mask() -> None:
    assert not Mask([])
    assert Mask([LEFT_HALF])
