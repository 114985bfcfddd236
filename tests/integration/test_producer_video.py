"""Video files, read in a decoding process."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import cv2
import numpy as np
import pytest
import pytest_asyncio

from producer.errors import SourceError
from producer.frames import Captured, Skipped
from producer.sources.streams.pool import Pool
from producer.sources.video import Video
from tests.helpers.media import image, write_video
from tests.helpers.video_files import CODECS, make, run

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    """One for the whole module: a decoding process takes most of a second to start."""
    async with Pool() as pool:
        yield pool


async def read(video: Video, most: int = 1000) -> list[Captured | Skipped]:
    seen: list[Captured | Skipped] = []
    async with aclosing(video.frames()) as frames:
        async for frame in frames:
            seen.append(frame)
            if len(seen) == most:
                break
    return seen


def pictures(seen: list[Captured | Skipped]) -> list[Captured]:
    return [item for item in seen if isinstance(item, Captured)]


def skipped(seen: list[Captured | Skipped], reason: str) -> int:
    return sum(item.count for item in seen if isinstance(item, Skipped) and item.reason == reason)


async def test_every_frame_of_a_file_in_order(tmp_path: Path, pool: Pool) -> None:
    path = write_video(tmp_path / "v.mkv", frames=12, fps=25)
    seen = pictures(await read(Video(path, pool, quality=95, loop=False, paced=False)))
    assert len(seen) == 12
    for n, frame in enumerate(seen):
        encoded = frame.picture.encoded(50)
        decoded = cv2.imdecode(np.frombuffer(encoded.data, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        assert np.abs(decoded[30:, 30:].mean(axis=(0, 1)) - image(n)[30:, 30:].mean(axis=(0, 1))).max() < 30


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("v.mp4", "h264"),
        ("v.mp4", "hevc"),
        ("v.avi", "mpeg4"),
        ("v.avi", "mjpeg"),
        ("v.mov", "h264"),
        ("v.mkv", "h264"),
        ("v.mkv", "vp9"),
        ("v.flv", "flv1"),
        ("v.flv", "h264"),
        ("v.webm", "vp8"),
        ("v.webm", "vp9"),
        ("v.ts", "h264"),
        ("v.gif", "gif"),
        ("a clip: 100%?x=#1.mp4", "h264"),
    ],
)
async def test_what_ffmpeg_writes_is_read(tmp_path: Path, pool: Pool, name: str, codec: str) -> None:
    path = make(tmp_path / name, codec, seconds=1)
    seen = pictures(await read(Video(path, pool, loop=False, paced=False)))
    assert len(seen) == 25
    for frame in seen:
        decoded = cv2.imdecode(np.frombuffer(frame.picture.encoded(50).data, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        assert decoded.shape == (240, 320, 3)


async def test_the_picture_on_the_cover_is_not_the_film(tmp_path: Path, pool: Pool) -> None:
    film, cover = make(tmp_path / "film.mp4", seconds=0.4), tmp_path / "cover.jpg"
    run("-f", "lavfi", "-i", "testsrc2=size=1280x720:duration=1:rate=1", str(cover))
    path = tmp_path / "both.mp4"
    streams = ["-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic"]
    run("-i", str(film), "-i", str(cover), *streams, str(path))
    assert len(await read(Video(path, pool, loop=False, paced=False))) == 10


async def test_a_path_is_seen_from_where_the_producer_runs(
    tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path / "v.mkv", frames=3)
    monkeypatch.chdir(tmp_path)
    assert len(await read(Video(Path("v.mkv"), pool, loop=False, paced=False))) == 3


async def test_quality_is_that_of_the_jpegs(tmp_path: Path, pool: Pool) -> None:
    path = make(tmp_path / "v.mkv", seconds=0.2)
    sizes = []
    for quality in (95, 20):
        first = pictures(await read(Video(path, pool, quality=quality, loop=False)))[0]
        sizes.append(len(first.picture.encoded(1).data))
    assert sizes[1] < sizes[0] / 2


async def test_it_is_paced_by_its_own_timestamps(tmp_path: Path, pool: Pool) -> None:
    path = write_video(tmp_path / "v.mkv", frames=11, fps=20)
    began = time.monotonic()
    seen = pictures(await read(Video(path, pool, loop=False)))
    assert time.monotonic() - began >= 0.54  # the last one too is shown as long as it lasts
    times = [frame.timestamp for frame in seen]
    assert times == sorted(times)
    assert times[-1] - times[0] >= 0.48
    assert abs(times[-1] - time.time()) < 1


@pytest.mark.parametrize("fps", [0.0, 1.0])
async def test_a_picture_every_six_seconds_is_played_in_that_time(
    tmp_path: Path, pool: Pool, fps: float
) -> None:
    path = tmp_path / "lapse.mkv"
    slow = ["-vf", "setpts=N*6/TB", "-fps_mode", "vfr", *CODECS["h264"]]
    run("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=0.4", *slow, str(path))
    seen = pictures(await read(Video(path, pool, fps=fps), most=2))
    assert seen[1].timestamp - seen[0].timestamp == pytest.approx(6, abs=0.5)


async def test_it_loops_for_ever(tmp_path: Path, pool: Pool) -> None:
    path = write_video(tmp_path / "v.mkv", frames=4)
    assert len(await read(Video(path, pool, paced=False), most=10)) == 10


async def test_thinned_to_a_rate_the_rest_is_counted(tmp_path: Path, pool: Pool) -> None:
    path = write_video(tmp_path / "v.mkv", frames=30, fps=30)
    seen = await read(Video(path, pool, fps=10, loop=False, paced=False))
    assert len(pictures(seen)) == 10
    assert skipped(seen, "rate") == 20


async def test_corrupt_packets_are_survived(tmp_path: Path, pool: Pool) -> None:
    path = write_video(tmp_path / "v.avi", frames=30, codec="mjpeg")
    data = bytearray(path.read_bytes())
    starts = [i for i in range(len(data) - 1) if data[i : i + 3] == b"\xff\xd8\xff"]
    for at in starts[10:13]:  # most of three pictures in the middle
        data[at : at + 600] = bytes(600)
    path.write_bytes(data)
    seen = await read(Video(path, pool, loop=False, paced=False))
    assert len(pictures(seen)) == 27
    assert skipped(seen, "corrupt") == 3
    assert "v.avi" in next(item.detail for item in seen if isinstance(item, Skipped))


async def test_a_file_that_breaks_off_gives_what_it_has(tmp_path: Path, pool: Pool) -> None:
    path = write_video(tmp_path / "v.mkv", frames=30)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 1 <= len(await read(Video(path, pool, loop=False, paced=False))) < 30


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "missing"), (b"", "not_a_video"), (b"no video " * 99, "not_a_video")]
)
async def test_what_is_no_video_is_a_clear_error(
    tmp_path: Path, pool: Pool, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "v.mkv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=r"v\.mkv") as raised:
        await read(Video(path, pool))
    assert raised.value.reason == reason


@pytest.mark.parametrize("name", ["list.mp4", "list.avi", "list.ffconcat"])
@pytest.mark.parametrize("named", ["v.mp4", "{folder}/v.mp4", "../{parent}/v.mp4"])
async def test_a_list_of_files_plays_none_of_them_and_is_told_as_that(
    tmp_path: Path, pool: Pool, name: str, named: str
) -> None:
    make(tmp_path / "v.mp4", seconds=0.2)
    line = named.format(folder=tmp_path, parent=tmp_path.name)
    (tmp_path / name).write_text(f"ffconcat version 1.0\nfile {line}\n")
    with pytest.raises(SourceError, match="is not a video but a list that may name others") as raised:
        await read(Video(tmp_path / name, pool, loop=False), 1)
    assert raised.value.reason == "not_a_video"


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nv.ts\n#EXT-X-ENDLIST\n"])
async def test_a_playlist_in_a_file_plays_nothing(tmp_path: Path, pool: Pool, text: str) -> None:
    make(tmp_path / "v.ts", seconds=0.2)
    (tmp_path / "list.mkv").write_text(text)
    with pytest.raises(SourceError, match="is not a video but a list"):
        await read(Video(tmp_path / "list.mkv", pool, loop=False), 1)


async def test_what_is_no_file_is_told_as_what_it_is(tmp_path: Path, pool: Pool) -> None:
    os.mkfifo(tmp_path / "pipe.mkv")
    for path, what in (
        (tmp_path / "pipe.mkv", "is a named pipe"),
        (Path("/dev/zero"), "is a device"),
        (Path("/dev/null"), "is a device"),
        (tmp_path, "is a folder"),
        (tmp_path / "none.mkv", "does not exist"),
    ):
        with pytest.raises(SourceError, match=what):
            await read(Video(path, pool), 1)
