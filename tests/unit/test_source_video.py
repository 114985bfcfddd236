"""Video files, made on the spot with PyAV."""

import time
from contextlib import aclosing
from pathlib import Path

import cv2
import numpy as np
import pytest

from producer.frames import Captured, Skipped, SourceError
from producer.sources.video import Video
from tests.helpers.media import image, write_video


async def read(video: Video, most: int = 1000) -> list[Captured | Skipped]:
    seen: list[Captured | Skipped] = []
    async with aclosing(video.frames()) as frames:
        async for frame in frames:
            seen.append(frame)
            if len(seen) == most:
                break
    return seen


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("v.mkv", "mpeg4"),
        ("v.mp4", "mpeg4"),
        ("v.avi", "mjpeg"),
        ("v.mov", "mpeg4"),
        ("v.gif", "gif"),
    ],
)
async def test_every_frame_of_a_file(tmp_path: Path, name: str, codec: str) -> None:
    path = write_video(tmp_path / name, frames=12, fps=25, codec=codec)
    seen = await read(Video(path, loop=False, paced=False))
    assert len(seen) == 12
    for n, frame in enumerate(seen):
        assert isinstance(frame, Captured)
        encoded = frame.picture.encoded(95)
        decoded = cv2.imdecode(np.frombuffer(encoded.data, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        assert np.abs(decoded[30:, 30:].mean(axis=(0, 1)) - image(n)[30:, 30:].mean(axis=(0, 1))).max() < 30


async def test_it_is_paced_by_its_own_timestamps(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mkv", frames=11, fps=20)
    began = time.monotonic()
    seen = await read(Video(path, loop=False))
    assert time.monotonic() - began >= 0.48
    times = [frame.timestamp for frame in seen if isinstance(frame, Captured)]
    assert times == sorted(times)
    assert abs(times[-1] - time.time()) < 1


async def test_it_loops_for_ever(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mkv", frames=4)
    assert len(await read(Video(path, paced=False), most=10)) == 10


async def test_thinned_to_a_rate_the_rest_is_counted(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mkv", frames=30, fps=30)
    seen = await read(Video(path, fps=10, loop=False, paced=False))
    assert sum(isinstance(frame, Captured) for frame in seen) == 10
    assert seen.count(Skipped("rate")) == 20


async def test_corrupt_packets_are_survived(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.avi", frames=30, codec="mjpeg")
    data = bytearray(path.read_bytes())
    starts = [i for i in range(len(data) - 1) if data[i : i + 3] == b"\xff\xd8\xff"]
    for at in starts[10:13]:  # most of three pictures in the middle
        data[at : at + 600] = bytes(600)
    path.write_bytes(data)
    seen = await read(Video(path, loop=False, paced=False))
    assert sum(isinstance(frame, Captured) for frame in seen) == 27
    skipped = [frame for frame in seen if isinstance(frame, Skipped)]
    assert {frame.reason for frame in skipped} == {"corrupt"}
    assert "v.avi" in skipped[0].detail


async def test_a_file_that_breaks_off_gives_what_it_has(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mkv", frames=30)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 1 <= len(await read(Video(path, loop=False, paced=False))) < 30


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "missing"), (b"", "not_a_video"), (b"no video " * 99, "not_a_video")]
)
async def test_what_is_no_video_is_a_clear_error(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "v.mkv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=r"v\.mkv") as raised:
        await read(Video(path))
    assert raised.value.reason == reason
