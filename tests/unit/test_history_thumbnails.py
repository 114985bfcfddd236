"""Thumbnails: small, bounded, and of bad pictures none."""

import asyncio
import io
import struct
import zlib

import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

from contract.picture import PictureError
from gateway.history import pictures
from gateway.history.pictures import event_picture, thumbnail
from gateway.history.store import ThumbnailRequest
from gateway.history.thumbnail_store import Thumbnail
from gateway.history.thumbnails import (
    ASKED_AT_ONCE,
    MAX_WANTED,
    PATIENCE_SECONDS,
    REST_SECONDS,
    Thumbnailer,
)
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


def test_the_whole_picture_is_the_frame_byte_for_byte_or_small_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert event_picture(WHOLE + b"what follows").whole == WHOLE
    with Image.open(io.BytesIO(event_picture(encoded((640, 480), "PNG")).whole)) as whole:
        assert (whole.format, whole.size) == ("JPEG", (640, 480))
    monkeypatch.setattr(pictures, "WHOLE_BYTES", 30_000)
    large = event_picture(encoded((4000, 3000))).whole
    with Image.open(io.BytesIO(large)) as whole:
        assert whole.size == (1280, 960)
    assert len(large) < 30_000


class Bench:
    """A thumbnailer and what it made."""

    def __init__(self, *, whole: bool = True) -> None:
        self.made: list[Thumbnail] = []
        self.metrics = GatewayMetrics(CollectorRegistry())
        self.it = Thumbnailer(self.made.append, self.metrics, whole=whole)

    def count(self, outcome: str) -> float:
        return self.metrics.registry.get_sample_value("gateway_thumbnails_total", {"outcome": outcome}) or 0.0


def wish(frame_id: str, started: float = 0.0, *, first: bool = True) -> ThumbnailRequest:
    return ThumbnailRequest("a", started, frame_id, first)


async def test_a_frame_is_asked_for_once_and_becomes_a_picture() -> None:
    bench = Bench()
    assert bench.it.request([wish("f1")], 0.0)
    assert bench.it.wanted(0.0) == ["f1"]
    assert bench.it.wanted(0.1) == []
    bench.it.picture(result(NOW, 2, confidence=0.85, frame_id="f1"), WHOLE, NOW)
    bench.it.picture(result(NOW, frame_id="f1"), WHOLE, NOW)  # a second time
    bench.it.picture(result(NOW, frame_id="f0"), WHOLE, NOW)  # nobody asked
    await aeventually("made", lambda: bench.made)
    (made,) = bench.made
    assert (made.result.frame_id, made.when, made.quality) == ("f1", NOW, 2085)
    assert made.picture.whole == WHOLE
    bench.it.close()


async def test_where_no_whole_pictures_are_kept_none_is_handed_on() -> None:
    bench = Bench(whole=False)
    bench.it.request([wish("f1")], 0.0)
    bench.it.wanted(0.0)
    bench.it.picture(result(NOW, frame_id="f1"), WHOLE, NOW)
    await aeventually("made", lambda: bench.made)
    assert bench.made[0].picture.whole == b""
    assert bench.made[0].picture.thumbnail
    bench.it.close()


async def test_an_event_is_asked_for_again_after_a_rest_and_another_one_at_once() -> None:
    bench = Bench()
    bench.it.request([wish("f1")], 0.0)
    assert bench.it.wanted(0.0) == ["f1"]
    bench.it.request([wish("f2"), wish("other", 20.0)], REST_SECONDS - 0.1)
    assert bench.it.wanted(1.0) == ["other"]
    bench.it.request([wish("f3", first=False)], REST_SECONDS)
    assert bench.it.wanted(REST_SECONDS) == ["f3"]
    bench.it.close()


async def test_what_does_not_come_is_counted_and_forgotten() -> None:
    bench = Bench()
    bench.it.request([wish("f1"), wish("better", 9.0, first=False)], 0.0)
    assert bench.it.wanted(0.0) == ["f1", "better"]
    assert bench.it.wanted(PATIENCE_SECONDS) == []
    assert bench.count("missed") == 1  # the other event has a picture
    bench.it.picture(result(NOW, frame_id="f1"), WHOLE, NOW)
    await asyncio.sleep(0)
    assert bench.made == []
    bench.it.close()


async def test_so_many_at_once_and_first_ones_first() -> None:
    bench = Bench()
    better = [wish(f"better {n}", n, first=False) for n in range(ASKED_AT_ONCE)]
    assert bench.it.request([*better, wish("first", 9_999.0)], 0.0)
    assert len(asked := bench.it.wanted(0.0)) == ASKED_AT_ONCE
    assert asked[0] == "first"
    assert len(bench.it.wanted(0.1)) == 1
    for n in range(0, 3 * MAX_WANTED, ASKED_AT_ONCE):
        bench.it.request([wish(f"{n + m}", 10_000.0 + n + m) for m in range(ASKED_AT_ONCE)], 0.2)
        bench.it.wanted(0.2)
    assert len(bench.it._asked) <= MAX_WANTED + ASKED_AT_ONCE
    bench.it.close()


async def test_a_bad_picture_is_counted() -> None:
    bench = Bench()
    bench.it.request([wish("f1")], 0.0)
    bench.it.wanted(0.0)
    bench.it.picture(result(NOW, frame_id="f1"), WHOLE[:400], NOW)
    await aeventually("counted", lambda: bench.count("unreadable") == 1)
    await asyncio.sleep(0)
    assert bench.made == []
    bench.it.close()
