"""RTSP cameras that misbehave as they are told, and webcams."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import pytest_asyncio

from producer.errors import SourceError
from producer.frames import Captured, Skipped
from producer.sources import stream
from producer.sources.stream import Stream
from producer.sources.streams.pool import Pool
from producer.sources.webcam import Webcam
from tests.helpers.media import write_video
from tests.helpers.rtsp import RtspCamera, rtsp_camera

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def camera(tmp_path: Path) -> AsyncIterator[RtspCamera]:
    async with rtsp_camera(write_video(tmp_path / "v.ts", frames=90, codec="mpeg2video")) as camera:
        yield camera


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    """One for the whole module: a decoding process takes most of a second to start."""
    async with Pool() as pool:
        yield pool


async def drain(frames: AsyncIterator[Captured | Skipped]) -> None:
    async for _ in frames:
        pass


async def test_a_stream_gives_frames_until_it_ends(camera: RtspCamera, pool: Pool) -> None:
    frames = Stream(camera.url, pool).frames()
    captured: list[Captured] = []
    while len(captured) < 10:  # on a busy machine some are skipped, and told as such
        each = await anext(frames)
        captured += [each] if isinstance(each, Captured) else []
    frame = captured[-1]
    image = cv2.imdecode(np.frombuffer(frame.picture.encoded(85).data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (48, 64, 3)
    camera.hang_up()
    with pytest.raises(SourceError):
        await drain(frames)


async def test_it_can_be_opened_again(camera: RtspCamera, pool: Pool) -> None:
    source = Stream(camera.url, pool)
    for _ in range(2):
        frames = source.frames()
        await anext(frames)
        await frames.aclose()
    assert camera.plays == 2


async def test_a_camera_that_falls_silent_is_noticed(
    camera: RtspCamera, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "READ_TIMEOUT", 0.5)
    frames = Stream(camera.url, pool).frames()
    await anext(frames)
    camera.sending.clear()
    with pytest.raises(SourceError) as raised:
        await drain(frames)
    assert raised.value.reason == "timeout"
    assert "is open, and has sent nothing" in str(raised.value)


@pytest.mark.parametrize(
    ("status", "reason"), [("401 Unauthorized", "unauthorised"), ("404 Not Found", "not_found")]
)
async def test_a_refusal_has_its_reason_and_no_password(
    camera: RtspCamera, pool: Pool, status: str, reason: str
) -> None:
    camera.status = status
    url = camera.url.replace("rtsp://", "rtsp://me:hunter2@")
    with pytest.raises(SourceError) as raised:
        await anext(Stream(url, pool).frames())
    assert raised.value.reason == reason
    assert "hunter2" not in str(raised.value)


async def test_nobody_there(pool: Pool) -> None:
    with pytest.raises(SourceError) as raised:
        await asyncio.wait_for(anext(Stream("rtsp://127.0.0.1:9/x", pool).frames()), 10)
    assert raised.value.reason == "refused"


async def test_a_webcam_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="plug the camera in") as raised:
        await anext(Webcam(0, devices=tmp_path).frames())
    assert raised.value.reason == "missing"
