"""Running one camera: retries, skips, surprises; and blocking sources in threads."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator

import pytest
from prometheus_client import CollectorRegistry

from contract.task import MAX_BODY_BYTES, TaskForm
from producer import capture
from producer.cameras import Camera
from producer.capture import run_camera
from producer.frames import Captured, Encoded, Frame, Skipped, SourceError
from producer.grammar import CameraSpec
from producer.metrics import ProducerMetrics
from producer.sender import Form, Sender
from producer.threads import in_thread
from tests.helpers.media import jpeg

FRAME = Captured(1000.0, Encoded(jpeg(), "image/jpeg"))


class Script:
    """A source that plays one list of items per opening; an exception is raised."""

    def __init__(self, *openings: list[Captured | Skipped | Exception], retries: bool = True) -> None:
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


async def run(source: Script) -> tuple[bool, list[Frame], Camera, CollectorRegistry]:
    frames: list[Frame] = []
    registry = CollectorRegistry()
    camera = Camera(CameraSpec("cam", "rtsp", "rtsp://h"), producer_id="p", start=1, wall=1.0)

    async def sink(frame: Frame) -> None:
        frames.append(frame)

    ended = await run_camera(camera, source, sink, ProducerMetrics(registry))
    return ended, frames, camera, registry


async def test_it_is_opened_again_until_it_ends() -> None:
    lost, surprise = SourceError("timeout", "slow"), RuntimeError("a bug")
    ended, frames, camera, registry = await run(Script([lost], [FRAME, lost], [surprise], [FRAME, FRAME]))
    assert ended
    assert [frame.frame_id for frame in frames] == ["cam:1:0", "cam:1:1", "cam:1:2"]
    assert camera.state == "disabled"
    errors = {"camera_id": "cam", "reason": "timeout"}
    assert registry.get_sample_value("producer_camera_errors_total", errors) == 2
    assert registry.get_sample_value("producer_camera_errors_total", {**errors, "reason": "error"}) == 1


async def test_what_cannot_recover_is_not_opened_again() -> None:
    ended, _, camera, _ = await run(Script([SourceError("missing", "not there")], retries=False))
    assert not ended
    assert (camera.state, camera.reason) == ("offline", "not there")


async def test_skipped_frames_are_counted_and_a_corrupt_one_is_no_sign_of_life() -> None:
    _, frames, _, registry = await run(
        Script([Skipped("corrupt", "x.jpg is broken"), Skipped("rate"), FRAME])
    )
    assert len(frames) == 1
    for reason in ("corrupt", "rate"):
        labels = {"camera_id": "cam", "reason": reason}
        assert registry.get_sample_value("producer_frames_skipped_total", labels) == 1


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


@pytest.mark.parametrize("form", list(TaskForm))
async def test_a_picture_above_the_limit_becomes_a_smaller_jpeg_or_is_dropped(form: TaskForm) -> None:
    sender = Sender(Form("frame_queue", form, 50, None, "p"), {}, ProducerMetrics(CollectorRegistry()))
    padded = Encoded(jpeg() + bytes(MAX_BODY_BYTES), "image/jpeg")
    encoded = sender._encode(Frame("cam", "cam:1:0", 1.0, padded))
    assert encoded is not None
    assert len(encoded.data) < 10_000
    assert sender._encode(Frame("cam", "cam:1:1", 1.0, Encoded(bytes(MAX_BODY_BYTES), "image/jpeg"))) is None
