"""Thumbnails: small, bounded, and of bad pictures none."""

import asyncio
import io
import struct
import zlib

import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

from contract.picture import PictureError
from gateway.history.pictures import thumbnail
from gateway.history.store import ThumbnailRequest
from gateway.history.thumbnail_store import Thumbnail
from gateway.history.thumbnails import (
    BETTER_REST_SECONDS,
    FRUITLESS_REST_SECONDS,
    MAX_WATCHED,
    REST_SECONDS,
    WATCH_SECONDS,
    Thumbnailer,
)
from gateway.live.watch_list import GRACE_SECONDS, WatchList
from gateway.metrics import GatewayMetrics
from tests.helpers.eventually import aeventually
from tests.helpers.results import result

NOW = 1_795_000_000.0


def encoded(size: tuple[int, int], form: str = "JPEG", mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 128 if mode == "L" else None).save(out, form)
    return out.getvalue()


@pytest.mark.parametrize(
    ("size", "form", "mode", "expected"),
    [
        ((1920, 1080), "JPEG", "RGB", (320, 180)),
        ((640, 480), "PNG", "RGBA", (320, 240)),
        ((480, 640), "JPEG", "L", (240, 320)),
        ((100, 50), "JPEG", "CMYK", (100, 50)),
        ((40, 30), "PNG", "P", (40, 30)),
    ],
)
def test_a_small_jpeg(size: tuple[int, int], form: str, mode: str, expected: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(thumbnail(encoded(size, form, mode)))) as small:
        assert (small.format, small.size, small.mode) == ("JPEG", expected, "RGB")


def png_of(width: int, height: int) -> bytes:
    """A PNG whose head promises that many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + head + crc


WHOLE = encoded((640, 480))


@pytest.mark.parametrize(
    "picture",
    [b"", b"GIF89a", WHOLE[:300], WHOLE[: len(WHOLE) // 2], png_of(60_000, 60_000), png_of(10, 10)],
    ids=["empty", "gif", "head", "half", "bomb", "no pixels"],
)
def test_what_is_no_picture(picture: bytes) -> None:
    with pytest.raises(PictureError):
        thumbnail(picture)


class Bench:
    """A thumbnailer and what it made."""

    def __init__(self) -> None:
        self.made: list[Thumbnail] = []
        self.metrics = GatewayMetrics(CollectorRegistry())
        self.it = Thumbnailer(self.made.append, self.metrics)

    def count(self, outcome: str) -> float:
        return self.metrics.registry.get_sample_value("gateway_thumbnails_total", {"outcome": outcome}) or 0.0


async def test_the_first_picture_and_then_better_ones_and_then_a_rest() -> None:
    bench = Bench()
    assert bench.it.request([ThumbnailRequest("a", 10)], 0.0)
    assert not bench.it.request([ThumbnailRequest("a", 10)], 0.1)
    assert bench.it.wanted(0.1) == {"a"}
    for count, confidence in [(0, 0), (1, 0.55), (1, 0.6), (1, 0.85), (1, 0.5), (2, 0.6), (1, 0.99)]:
        frame = result(NOW, count, confidence=confidence, frame_id=f"{count} {confidence}")
        bench.it.picture(frame, WHOLE, 0.2, NOW)
    bench.it.picture(result(NOW, 1, camera_id="b"), WHOLE, 0.2, NOW)  # nobody asked
    await aeventually("made", lambda: len(bench.made) >= 3)
    assert [(each.camera_id, each.frame_id, each.when, each.quality) for each in bench.made] == [
        ("a", "1 0.55", NOW, 1055),
        ("a", "1 0.85", NOW, 1085),
        ("a", "2 0.6", NOW, 2060),
    ]
    assert bench.it.wanted(WATCH_SECONDS) == frozenset()
    assert not bench.it.request([ThumbnailRequest("a", 2070)], WATCH_SECONDS + BETTER_REST_SECONDS - 0.1)
    assert bench.it.request([ThumbnailRequest("a", 2070)], WATCH_SECONDS + BETTER_REST_SECONDS)
    assert bench.count("missed") == 0
    bench.it.close()


async def test_another_event_soon_after_gets_its_picture_too() -> None:
    bench = Bench()
    bench.it.request([ThumbnailRequest("a", 10)], 0.0)
    bench.it.picture(result(NOW, confidence=0.9), WHOLE, 1.0, NOW)
    assert not bench.it.request([ThumbnailRequest("a", 10)], 1.0 + REST_SECONDS - 0.1)  # it is not stored yet
    assert bench.it.request(
        [ThumbnailRequest("a", 10)], 1.0 + REST_SECONDS
    )  # another event, while it is watched
    bench.it.picture(result(NOW + 5, confidence=0.5, frame_id="second"), WHOLE, 4.5, NOW + 5)
    await aeventually("made", lambda: len(bench.made) == 2)
    assert bench.made[1].frame_id == "second"
    assert bench.it.wanted(10.0) == frozenset()
    assert bench.it.request([ThumbnailRequest("a", 10)], 10.0)  # and another one, soon after
    bench.it.close()


async def test_a_camera_that_brings_nothing_is_let_go() -> None:
    bench = Bench()
    bench.it.request([ThumbnailRequest("a", 10), ThumbnailRequest("b", 1100)], 0.0)
    assert bench.it.wanted(WATCH_SECONDS) == frozenset()
    assert bench.count("missed") == 1  # b has a picture
    assert not bench.it.request([ThumbnailRequest("a", 10)], WATCH_SECONDS + REST_SECONDS - 0.1)
    assert bench.it.request([ThumbnailRequest("a", 10)], WATCH_SECONDS + REST_SECONDS)
    assert not bench.it.request([ThumbnailRequest("b", 1100)], WATCH_SECONDS + FRUITLESS_REST_SECONDS - 0.1)
    assert bench.it.request([ThumbnailRequest("b", 1100)], WATCH_SECONDS + FRUITLESS_REST_SECONDS)
    bench.it.close()


async def test_so_many_at_once_and_no_more() -> None:
    bench = Bench()
    bench.it.request([ThumbnailRequest(f"c{n}", 10) for n in range(MAX_WATCHED + 5)], 0.0)
    assert len(bench.it.wanted(0.0)) == MAX_WATCHED
    bench.it.picture(result(NOW, camera_id="c7"), WHOLE, 0.1, NOW)
    assert not bench.it.request([ThumbnailRequest("other", 1100)], 0.1)
    assert bench.it.request(
        [ThumbnailRequest("new", 10)], 0.1
    )  # c7 has a picture, and makes room for one that has none
    assert bench.it.wanted(0.1) == {"new", *(f"c{n}" for n in range(MAX_WATCHED) if n != 7)}
    bench.it.close()


async def test_a_bad_picture_is_counted() -> None:
    bench = Bench()
    bench.it.request([ThumbnailRequest("a", 10)], 0.0)
    bench.it.picture(result(NOW), WHOLE[:400], 0.1, NOW)
    await aeventually("counted", lambda: bench.count("unreadable") == 1)
    await asyncio.sleep(0)
    assert bench.made == []
    bench.it.close()


def test_watched_for_one_picture_without_the_grace_of_viewers() -> None:
    bound: dict[str, bool] = {}
    announced: list[list[str]] = []
    watching = WatchList(bound.__setitem__, announced.append)
    watching.follow(frozenset({"seen"}), 0.0, frozenset({"brief", "seen"}))
    assert announced == [["brief", "seen"]]
    watching.follow(frozenset(), 0.5)
    assert (announced[-1], bound) == (["seen"], {"seen": True, "brief": False})
    watching.follow(frozenset(), GRACE_SECONDS + 0.1)
    assert announced[-1] == []
    watching.follow(frozenset({"a"}), 9.0, frozenset({"a"}))
    watching.follow(frozenset(), 9.5, frozenset({"a"}))
    watching.follow(frozenset(), 9.6)
    assert announced[-1] == ["a"]  # a viewer wanted it half a second ago
