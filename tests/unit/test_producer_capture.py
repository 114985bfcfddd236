"""Running one camera: retries, skips, surprises; and blocking sources in threads."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import structlog
from prometheus_client import CollectorRegistry

from contract.topology import Lane
from producer.camera import camera as cameras
from producer.camera import capture
from producer.camera.capture import run_camera
from producer.camera.condition import Condition
from producer.catalogue.grammar import CameraSpec
from producer.catalogue.settings import of_spec
from producer.errors import SourceError
from producer.frames import Captured, Encoded, Frame, Pixels, Skipped
from producer.metrics import ProducerMetrics
from producer.settings import ProducerSettings
from producer.sources.folder import Folder
from producer.sources.threads import in_thread
from tests.helpers.cameras import SIGHT, OpenLane, camera
from tests.helpers.media import image, jpeg

FRAME = Captured(1000.0, Encoded(jpeg(), "image/jpeg"))


class FakeTime:
    """Stands for the module `time`: each look at the clock is a second later."""

    def __init__(self, seconds: Iterator[float]) -> None:
        self._seconds = seconds

    def monotonic(self) -> float:
        return float(next(self._seconds))

    def time(self) -> float:
        return 1000.0


class Script:
    """A source that plays one list of items per opening; an exception is raised."""

    def __init__(self, *openings: Sequence[Captured | Skipped | Exception], retries: bool = True) -> None:
        self.openings = list(openings)
        self.retries = retries

    async def frames(self) -> AsyncGenerator[Captured | Skipped]:
        for item in self.openings.pop(0):
            if isinstance(item, Exception):
                raise item
            yield item


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "compute_backoff", lambda attempt, **_: 0.0)


async def run(
    source: Script | None, **different: Any
) -> tuple[bool, list[Frame], Condition, CollectorRegistry]:
    frames: list[Frame] = []
    registry = CollectorRegistry()

    async def sink(frame: Frame) -> None:
        frames.append(frame)

    one = camera(source, OpenLane(sink), ProducerMetrics(registry), **different)
    ended = await run_camera(one)
    return ended, frames, one.condition, registry


def test_frames_are_numbered_and_keep_their_capture_time() -> None:
    one = camera(camera_id="gate")
    frames = [one.frame(Captured(1000.5, FRAME.picture)) for _ in range(2)]
    assert [frame.frame_id for frame in frames] == ["gate:1:0", "gate:1:1"]
    assert frames[0].timestamp == 1000.5


async def test_it_is_opened_again_until_it_ends() -> None:
    lost, surprise = SourceError("timeout", "slow"), RuntimeError("a bug")
    ended, frames, condition, registry = await run(Script([lost], [FRAME, lost], [surprise], [FRAME, FRAME]))
    assert ended
    assert [frame.frame_id for frame in frames] == ["cam:1:0", "cam:1:1", "cam:1:2"]
    assert condition.state == "disabled"
    errors = {"camera_id": "cam", "reason": "timeout"}
    assert registry.get_sample_value("producer_camera_errors_total", errors) == 2
    assert registry.get_sample_value("producer_camera_errors_total", {**errors, "reason": "error"}) == 1


async def test_a_wrong_password_is_not_tried_often(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[tuple[float, float]] = []

    def backoff(attempt: int, *, base: float, cap: float) -> float:
        waits.append((base, cap))
        return 0.0

    monkeypatch.setattr(capture, "compute_backoff", backoff)
    await run(Script([SourceError("unauthorised", "no")], [SourceError("timeout", "slow")], []))
    assert waits == [(10.0, 300.0), (0.5, 30.0)]


async def test_what_cannot_recover_is_not_opened_again() -> None:
    ended, _, condition, _ = await run(Script([SourceError("missing", "not there")], retries=False))
    assert not ended
    assert (condition.state, condition.reason) == ("offline", "not there")


async def test_skipped_frames_are_counted_and_a_corrupt_one_is_no_sign_of_life() -> None:
    _, frames, _, registry = await run(
        Script([Skipped("corrupt", "x.jpg is broken"), Skipped("rate"), FRAME])
    )
    assert len(frames) == 1
    for reason in ("corrupt", "rate"):
        labels = {"camera_id": "cam", "reason": reason}
        assert registry.get_sample_value("producer_frames_skipped_total", labels) == 1


async def test_what_shows_nothing_new_is_counted_and_not_sent() -> None:
    same = Captured(1000.0, Encoded(jpeg(), "image/jpeg"))
    other = Captured(1001.0, Encoded(jpeg(5), "image/jpeg"))
    resaved = Captured(1002.0, Encoded(jpeg(5, quality=80), "image/jpeg"))
    ended, frames, condition, registry = await run(
        Script([same, same, Skipped("unmodified"), other, resaved]),
        sight=replace(SIGHT, motion=(12.0, 0.002)),
    )
    assert ended
    assert [frame.timestamp for frame in frames] == [1000.0, 1001.0]
    first, changed = (frame.motion for frame in frames)  # the first one is compared with nothing
    assert first is None
    assert changed is not None
    assert 0.002 < changed <= 1
    assert condition.skipped == 3
    for reason in ("identical", "unmodified", "still"):
        labels = {"camera_id": "cam", "reason": reason}
        assert registry.get_sample_value("producer_frames_skipped_total", labels) == 1


async def test_with_motion_off_only_the_same_bytes_are_skipped() -> None:
    same, resaved = Encoded(jpeg(), "image/jpeg"), Encoded(jpeg(quality=80), "image/jpeg")
    _, frames, _, _ = await run(Script([Captured(1.0, p) for p in (same, same, resaved)]), sight=SIGHT)
    assert [frame.picture for frame in frames] == [same, resaved]
    assert [frame.motion for frame in frames] == [None, None]


async def test_a_picture_that_does_not_decode_is_told_and_is_no_sign_of_life() -> None:
    broken = Encoded(jpeg()[:300] + b"\xff\xd9", "image/jpeg")
    _, frames, condition, registry = await run(
        Script([FRAME, Captured(1001.0, broken)]), sight=replace(SIGHT, motion=(12.0, 0.002))
    )
    assert len(frames) == 1
    labels = {"camera_id": "cam", "reason": "corrupt"}
    assert registry.get_sample_value("producer_frames_skipped_total", labels) == 1
    assert condition.skipped == 0


def twelve_bit() -> bytes:
    picture = bytearray(jpeg())
    frame = picture.find(b"\xff\xc0")
    picture[frame + 1], picture[frame + 4] = 0xC1, 12
    return bytes(picture)


def huge(width: int = 9000, height: int = 6000) -> bytes:
    return cv2.imencode(".jpg", np.zeros((height, width), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (twelve_bit, "JPEG of 12 bits a sample cannot be decoded here"),
        (huge, "9000x6000 are too many pixels: set longer_side"),
        (lambda: jpeg()[:300] + b"\xff\xd9", "the picture is damaged"),
    ],
    ids=["12 bits", "54 megapixels", "damaged"],
)
@pytest.mark.parametrize("motion", [None, (12.0, 0.002)], ids=["motion off", "motion on"])
@pytest.mark.parametrize("health", [True, False])
async def test_pictures_that_nobody_can_decode_are_not_sent_and_the_camera_says_why(
    monkeypatch: pytest.MonkeyPatch,
    picture: Callable[[], bytes],
    why: str,
    motion: tuple[float, float] | None,
    health: bool,
) -> None:
    monkeypatch.setattr(cameras, "time", FakeTime(iter(range(10_000))))
    data = picture()
    shots = [Captured(n, Encoded(data + bytes(n), "image/jpeg")) for n in range(6)]
    lost = SourceError("closed", "over")  # so that its state stays to be seen
    source = Script([*shots, lost], [])
    told: list[tuple[str, str | None]] = []
    frames: list[Frame] = []

    async def sink(frame: Frame) -> None:
        frames.append(frame)

    one = camera(source, OpenLane(sink), sight=replace(SIGHT, motion=motion, health=health))
    one.condition._changed = lambda condition: told.append((condition.state, condition.reason))
    await run_camera(one)
    assert frames == []
    state, reason = told[0]
    assert state == "degraded"
    assert reason is not None
    assert reason.startswith("its pictures cannot be used: ")
    assert why in reason


async def test_longer_side_makes_a_picture_of_54_megapixels_possible() -> None:
    shot = Captured(1.0, Encoded(huge(), "image/jpeg"))
    for motion in (None, (12.0, 0.002)):
        _, frames, _, _ = await run(
            Script([shot]), sight=replace(SIGHT, motion=motion, health=True, longer_side=1280)
        )
        data = frames[0].picture.encoded(85).data
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        assert decoded.shape == (853, 1280, 3)


async def test_no_source_gives_more_frames_a_second_than_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(n / 100 for n in range(100_000))
    monkeypatch.setattr(cameras, "time", FakeTime(moments))  # each look at the clock is 10 ms later
    shots = [Captured(n, Encoded(jpeg(n), "image/jpeg")) for n in range(1000)]
    _, frames, _, registry = await run(Script(shots), fps=1.0)
    seconds = next(moments)
    assert seconds - 2 <= len(frames) <= seconds + 2
    labels = {"camera_id": "cam", "reason": "rate"}
    assert registry.get_sample_value("producer_frames_skipped_total", labels) == 1000 - len(frames)
    _, frames, _, _ = await run(Script(shots), fps=1.0, lossless=True)
    assert len(frames) == 1000


async def test_a_black_camera_is_degraded_with_the_reason_and_a_metric_until_it_sees_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter(range(10_000))
    monkeypatch.setattr(cameras, "time", FakeTime(now))
    black = [Captured(n, Pixels(np.full((48, 64, 3), n % 8, np.uint8))) for n in range(30)]
    states: list[tuple[str, str | None]] = []
    registry = CollectorRegistry()
    metrics = ProducerMetrics(registry)
    labels = {"camera_id": "cam", "defect": "black"}
    values: list[float | None] = []

    async def sink(frame: Frame) -> None:
        states.append((one.condition.state, one.condition.reason))
        values.append(registry.get_sample_value("producer_camera_defect", labels))

    one = camera(
        Script([*black, *(Captured(n, Pixels(image(n))) for n in range(40))]),
        OpenLane(sink),
        metrics,
        sight=replace(SIGHT, health=True),
    )
    await run_camera(one)
    kinds = [state for n, (state, _) in enumerate(states) if n == 0 or states[n - 1][0] != state]
    assert kinds == ["live", "degraded", "live"]
    assert ("degraded", "black: the picture is black") in states
    assert values[states.index(("degraded", "black: the picture is black"))] == 1
    assert values[-1] is None


async def test_a_camera_that_is_switched_off_is_disabled_and_says_so() -> None:
    ended, frames, condition, _ = await run(None, enabled=False)
    assert (ended, frames, condition.state) == (True, [], "disabled")
    assert "enabled: false" in (condition.reason or "")


async def test_frames_go_to_the_lane_and_model_that_are_wanted_of_the_camera() -> None:
    _, frames, _, _ = await run(Script([FRAME]), lane=Lane.BATCH, model="haar")
    assert [(frame.lane, frame.model) for frame in frames] == [(Lane.BATCH, "haar")]


async def test_a_thread_hands_over_in_order_and_stays_one_ahead() -> None:
    made: list[int] = []

    def numbers() -> Generator[int]:
        for n in range(5):
            made.append(n)
            yield n

    items = in_thread(numbers, "test")
    assert await anext(items) == 0
    await asyncio.sleep(0.05)
    assert len(made) <= 3
    assert [n async for n in items] == [1, 2, 3, 4]


async def test_an_error_in_the_thread_is_raised_here() -> None:
    def broken() -> Generator[int]:
        yield 1
        raise SourceError("timeout", "slow")

    items = in_thread(broken, "test")
    assert await anext(items) == 1
    with pytest.raises(SourceError, match="slow"):
        await anext(items)


async def test_closing_ends_the_thread_and_its_generator() -> None:
    closed = threading.Event()

    def endless() -> Generator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    items = in_thread(endless, "test")
    await anext(items)
    await items.aclose()
    assert await asyncio.to_thread(closed.wait, 5)


async def test_a_file_of_too_many_pixels_is_not_sent_and_named(tmp_path: Path) -> None:
    """What workers would not decode came back as a dead letter, again and again."""
    huge = np.zeros((7000, 9000), np.uint8)
    (tmp_path / "a.jpg").write_bytes(jpeg())
    cv2.imwrite(str(tmp_path / "b.jpg"), huge)
    cv2.imwrite(str(tmp_path / "c.webp"), np.zeros((8, 8), np.uint8))
    cv2.imwrite(str(tmp_path / "d.bmp"), huge)
    wanted = of_spec(CameraSpec("cam", "folder", str(tmp_path)), ProducerSettings(id="p"))
    with structlog.testing.capture_logs() as told:
        ended, frames, _, registry = await run(
            Script([item async for item in Folder(tmp_path, loop=False, paced=False).frames()]),
            sight=wanted.sight,
        )
    assert ended
    assert len(frames) == 2
    assert [line["detail"] for line in told if line["event"] == "frame skipped"] == [
        "b.jpg cannot be used: 9000x7000 are too many pixels: set longer_side, up to 3500",
        "d.bmp cannot be used: 9000x7000 are too many pixels: set longer_side, up to 3500",
    ]
    labels = {"camera_id": "cam", "reason": "too_many_pixels"}
    assert registry.get_sample_value("producer_frames_skipped_total", labels) == 2


async def test_a_folder_is_sent_whole_though_its_pictures_repeat(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(jpeg())
    wanted = of_spec(CameraSpec("cam", "folder", str(tmp_path)), ProducerSettings(id="p"))
    seen = [item async for item in Folder(tmp_path, loop=False, paced=False).frames()]
    _, frames, _, _ = await run(Script(seen * 2), sight=wanted.sight)
    assert len(frames) == 4


async def test_when_the_certificate_ends_is_told_while_the_camera_is_there() -> None:
    class Certified:
        retries = True
        certificate_end: float | None = None

        async def frames(self) -> AsyncGenerator[Captured]:
            return
            yield

    registry, source = CollectorRegistry(), Certified()
    one = camera(source, metrics=ProducerMetrics(registry))

    def told() -> float | None:
        name = "framefleet_certificate_expiry_timestamp_seconds"
        return registry.get_sample_value(name, {"camera_id": "cam"})

    one.tick()
    assert told() is None
    for ends in (2e9, 3e9):  # renewed
        source.certificate_end = ends
        one.tick()
        assert told() == ends
    one.forget()
    assert told() is None
