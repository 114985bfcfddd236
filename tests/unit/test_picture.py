"""Where pictures begin and end, whatever is around them and wherever they are cut."""

import time

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.picture import (
    LEAD,
    PictureCutOff,
    PictureError,
    Walk,
    other_format,
    picture_extent,
    picture_size,
)
from tests.helpers.images import astronaut, encoded, interlaced_png, jpeg, pillow, segment, with_exif

PORTRAIT = astronaut()[:64, :96]
JPEG, PNG = jpeg(PORTRAIT), encoded(PORTRAIT, ".png")
THUMBNAIL = jpeg(np.zeros((16, 16, 3), np.uint8))
EOI = b"\xff\xd9"

PICTURES = {
    "jpeg": JPEG,
    "jpeg grey": pillow(PORTRAIT, "JPEG", "L"),
    "jpeg progressive": pillow(PORTRAIT, "JPEG", progressive=True),
    "jpeg with restarts": pillow(PORTRAIT, "JPEG", restart_marker_blocks=2),
    "jpeg with a thumbnail": with_exif(JPEG, 1, THUMBNAIL),
    "jpeg with another in a comment": segment(JPEG, 0xFE, THUMBNAIL + EOI + b"\xff\xda"),
    "jpeg with fill bytes": JPEG[:2] + b"\xff\xff" + JPEG[2:],
    "jpeg with fill bytes before its end": JPEG[:-2] + b"\xff\xff" + EOI,
    "jpeg with stray bytes": segment(JPEG, 0xFE, b"x")[:7] + bytes(10) + JPEG[2:],
    "png": PNG,
    "png interlaced": interlaced_png(PORTRAIT),
}
AROUND = {
    "nothing": (b"", b""),
    "zeros": (b"", bytes(70_000)),
    "the rest of a buffer": (b"", bytes(range(256)) * 300),
    "another picture": (b"", THUMBNAIL),
    "a film": (b"", b"\0\0\0\x18ftypmp42" + bytes(100_000) + THUMBNAIL),
    "an FF": (b"\xff", b""),
    "line breaks": (b"\r\n\r\n", b"\r\n"),
    "a byte order mark": (b"\xef\xbb\xbf", b""),
    "the headers of a part": (b"--X\r\nContent-Type: image/jpeg\r\n\r\n", b"\r\n--X--\r\n"),
    "zeros before": (bytes(LEAD), b""),
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_found_whatever_is_around_it(name: str, around: str) -> None:
    picture, (before, after) = PICTURES[name], AROUND[around]
    found = picture_extent(before + picture + after)
    assert (found.begin, found.end) == (len(before), len(before) + len(picture))
    assert found.cut(before + picture + after) == picture
    assert (found.width, found.height) == picture_size(before + picture) == (96, 64)
    assert found.content_type == f"image/{name.split()[0]}"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_without_its_end_is_cut_off_wherever_it_was_cut(name: str) -> None:
    picture = PICTURES[name]
    for end in range(8, len(picture)):
        with pytest.raises(PictureCutOff):
            picture_extent(picture[:end])


@pytest.mark.parametrize("name", PICTURES)
@given(cuts=st.lists(st.integers(0, 20_000), max_size=8))
def test_it_is_found_while_it_comes_and_no_sooner_than_it_is_there(name: str, cuts: list[int]) -> None:
    stream = PICTURES[name] + JPEG
    walk, buffer, before = Walk(), bytearray(), 0
    for cut in [*sorted(cuts), len(stream)]:
        buffer += stream[before:cut]
        before = max(cut, before)
        end = walk.end(buffer)
        assert end == (len(PICTURES[name]) if len(buffer) >= len(PICTURES[name]) else None)
        if end is not None:
            break


@pytest.mark.parametrize(
    "damage", [b"\xff\xe1\x7f\xff", b"\xff\xe1\0\4", b"\xff\xda\0\0", b"\xff\xc4", b"\xff\x02"]
)
def test_damage_that_looks_like_a_segment_is_no_segment(damage: bytes) -> None:
    assert picture_extent(JPEG[:-2] + damage + EOI).end == len(JPEG) + len(damage)


def test_a_segment_that_comes_in_many_pieces_is_one() -> None:
    walk, data = Walk(), segment(JPEG, 0xFE, bytes(60_000))
    assert [walk.end(data[: 30_000 + n // 3]) for n in range(70_000)] == [None] * 70_000
    assert walk.end(data) == len(data)


def test_a_picture_that_another_begins_in_is_cut_off() -> None:
    with pytest.raises(PictureCutOff, match="another begins in it"):
        picture_extent(JPEG[: len(JPEG) // 2] + JPEG)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_rubbish_has_an_extent_within_it_or_none(before: bytes, after: bytes) -> None:
    for data in (before, JPEG[:2] + before, JPEG[:-40] + before + EOI, PNG[:40] + before, JPEG + after):
        try:
            found = picture_extent(data)
        except PictureError:
            continue
        else:
            assert 0 <= found.begin < found.end <= len(data)


HEAD = JPEG[: JPEG.find(b"\xff\xda") + 14]


@pytest.mark.parametrize(
    "rubbish",
    [b"\xff", b"\xff\xe0\0\0", b"\xff\xe0\0\2", b"\xff\xda\0\x08", b"\xff\0", b"\xff\xd8", b"\xff\xd8\xff"],
)
@pytest.mark.alone
@pytest.mark.parametrize("head", [JPEG[:2], HEAD, b"", PNG[:33], bytes(3)])
def test_what_is_made_to_take_time_takes_none(head: bytes, rubbish: bytes) -> None:
    data = head + rubbish * (12 * 1024 * 1024 // len(rubbish))
    began = time.process_time()
    with pytest.raises(PictureError):
        picture_extent(data)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (pillow(PORTRAIT, "WEBP"), "WebP"),
        (pillow(PORTRAIT, "GIF"), "GIF"),
        (pillow(PORTRAIT, "TIFF"), "TIFF"),
        (pillow(PORTRAIT, "BMP"), "BMP"),
        (b"\0\0\0\x18ftypmp42", "MP4 video"),
        (b"\0\0\0\x18ftypheic", "HEIF or AVIF"),
        (b"FLV\1\1\0\0\0\x09", "FLV video"),
        ((b"\x47" + bytes(187)) * 2, "MPEG-TS video"),
        (b"\0\0\0\1\x67\x42", "H.264 or H.265 video"),
        (b"#EXTM3U\n", "an HLS playlist"),
        (b"\r\n <!DOCTYPE html>", "HTML"),
        (b'{"error": 1}', "JSON"),
        (JPEG, None),
        (b"\r\n" + JPEG, None),
        (b"", None),
    ],
)
def test_what_is_no_picture_is_called_by_its_name(data: bytes, name: str | None) -> None:
    assert other_format(data) == name


def test_a_picture_within_something_else_is_none() -> None:
    with pytest.raises(PictureError, match="TIFF"):
        picture_extent(b"II*\0" + bytes(100) + THUMBNAIL)


def test_opencv_decodes_what_was_cut_out() -> None:
    for before, after in AROUND.values():
        for picture in PICTURES.values():
            found = picture_extent(before + picture + after)
            data = np.frombuffer(found.cut(before + picture + after), np.uint8)
            assert cv2.imdecode(data, cv2.IMREAD_COLOR) is not None
