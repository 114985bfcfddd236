"""Decoding processes that die, hang or grow: their cameras come back, and the others notice nothing."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from cli.survivors import start_time
from producer.camera import capture
from producer.errors import SourceError
from producer.sources.stream import Stream
from producer.sources.streams import pool as pools
from producer.sources.streams import watchdog
from producer.sources.streams.messages import DecodeRequest
from producer.sources.streams.pool import Pool
from producer.sources.video import Video
from tests.conftest import StartService
from tests.helpers.eventually import aeventually, eventually
from tests.helpers.running import Running, running
from tests.helpers.stream_servers import rtsp_server
from tests.helpers.video_files import make

PATIENCE = 3.0  # seconds: looking at a stream before its first frame takes one


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "WATCH_SECONDS", 0.1)
    monkeypatch.setattr(capture, "FIRST_RETRY", 0.1)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("video") / "yard.mp4", seconds=120, size="160x120")


@pytest.fixture(scope="module")
def server(video: Path) -> Iterator[str]:
    with rtsp_server(a=video, b=video, c=video) as address:
        yield address


async def flowing(camera: Running, frames: int = 1, *, since: float = 0.0) -> None:
    """Until it gave so many frames after that moment."""
    await aeventually(f"{camera.condition.camera_id} gives frames", lambda: camera.since(since) >= frames)


async def test_killed_its_cameras_are_back_and_others_go_on(server: str) -> None:
    async with Pool(cameras=2) as pool:
        sources = {name: Stream(f"rtsp://{server}/{name}", pool, fps=10) for name in "abc"}
        async with running(**sources) as cameras:
            for each in cameras.values():
                await flowing(each)
            assert sorted(pool.pids.values()) == [1, 2]
            (killed,) = (pid for pid, count in pool.pids.items() if count == 2)
            when = time.monotonic()
            os.kill(killed, signal.SIGKILL)
            shared = [each for each in cameras.values() if each.condition.camera_id in "ab"]
            for each in shared:
                await flowing(each, 6, since=when + 0.5)
                assert each.reasons == {"crashed": 1}
                assert each.condition.state == "live"
            assert killed not in pool.pids
            other = cameras["c"]
            assert other.reasons == {}
            during = [frame for frame in other.frames if frame > when - 0.5]
            assert max(b - a for a, b in pairwise(during)) < 1.0


async def test_one_that_is_stopped_is_ended_and_its_cameras_are_back(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "PATIENCE_SECONDS", PATIENCE)
    async with Pool() as pool, running(a=Stream(f"rtsp://{server}/a", pool, fps=10)) as cameras:
        camera = cameras["a"]
        await flowing(camera)
        (stopped,) = pool.pids
        os.kill(stopped, signal.SIGSTOP)
        when = time.monotonic()
        await aeventually("it fails", lambda: camera.reasons, 10)
        assert camera.reasons == {"stuck": 1}
        assert "not answered" in str(camera.condition.reason)
        await flowing(camera, 6, since=when + PATIENCE + 0.5)
        await aeventually("the process is gone", lambda: start_time(stopped) is None, 10)


@pytest.mark.alone  # a process that answers nothing for three seconds is blamed whole
async def test_a_camera_stuck_in_ffmpeg_is_named_and_soon_hurts_nobody(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(watchdog, "PATIENCE_SECONDS", PATIENCE)
    pipe = tmp_path / "pipe.mkv"
    os.mkfifo(pipe)
    silent = os.open(pipe, os.O_RDWR)  # reading the pipe takes until somebody writes: for ever
    request.addfinalizer(lambda: os.close(silent))
    async with Pool() as pool, running(a=Stream(f"rtsp://{server}/a", pool, fps=10)) as cameras:
        camera = cameras["a"]
        await flowing(camera)
        reasons = []
        for _ in range(3):
            await aeventually("both share", lambda: camera.condition.state == "live" and camera.frames)
            feed = await pool.open(DecodeRequest(url=f"file:{pipe}", shown="pipe.mkv"))
            try:
                async for _ in feed.items():
                    pytest.fail("there is nothing to be read")
            except SourceError as error:
                reasons.append(error.reason)
            finally:
                feed.close()
        assert reasons == ["stuck"] * 3
        assert camera.reasons == {"restarted": 2}  # the third time it had a process of its own
        when = time.monotonic()
        await flowing(camera, 6, since=when)


async def test_one_that_grows_too_large_is_ended_and_then_alone(server: str, tmp_path: Path) -> None:
    large = make(tmp_path / "large.mkv", "mpeg4", seconds=2, fps=5, size="4096x2304")
    async with Pool(memory_mb=115) as pool:
        small = Stream(f"rtsp://{server}/a", pool, fps=10)
        async with running(small=small) as cameras:
            camera = cameras["small"]
            await flowing(camera)
            async with running(large=Video(large, pool)):
                await aeventually("each is alone", lambda: sorted(pool.pids.values()) == [1, 1], 30)
                assert camera.reasons == {"memory": 2}
                when = time.monotonic()
                await flowing(camera, 21, since=when)
                assert camera.reasons == {"memory": 2}


async def test_a_file_goes_on_where_it_was(tmp_path: Path) -> None:
    path = make(tmp_path / "v.mkv", seconds=4)
    async with Pool() as pool:
        seen = 0
        pids = set()
        video = Video(path, pool, loop=False, paced=False)
        async for _ in video.frames():
            seen += 1
            if seen in (10, 60):
                pids |= set(pool.pids)
                os.kill(next(iter(pool.pids)), signal.SIGKILL)
                await aeventually("it is gone", lambda: not pool.pids)
        assert len(pids) == 2
    assert seen == 100


async def test_a_file_that_kills_every_process_is_given_up(tmp_path: Path) -> None:
    path = make(tmp_path / "v.mkv", seconds=1)
    async with Pool() as pool, running(v=Video(path, pool)) as cameras:
        while not cameras["v"].task.done():
            for pid in filter(None, pool.pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0)
        assert cameras["v"].task.result() is False
        assert cameras["v"].condition.state == "offline"
        assert cameras["v"].reasons == {"crashed": 1}


async def test_a_process_without_cameras_ends_after_a_while(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Pool() as pool:
        async for _ in Video(video, pool, loop=False, paced=False).frames():
            break
        (pid,) = pool.pids
        await aeventually("nobody is read", lambda: pool.pids == {pid: 0})
        monkeypatch.setattr(pools, "IDLE_SECONDS", 0.0)
        await aeventually("it is gone", lambda: not pool.pids and start_time(pid) is None)


async def test_at_the_end_of_the_pool_nothing_is_left(video: Path) -> None:
    async with Pool(cameras=1) as pool, running(a=Video(video, pool), b=Video(video, pool)) as cameras:
        for each in cameras.values():
            await flowing(each)
        pids = list(pool.pids)
        assert len(pids) == 2
    assert [start_time(pid) for pid in pids] == [None, None]


def children(pid: int) -> list[int]:
    """The processes that this one started."""
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


@pytest.mark.integration
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_producer_leaves_no_process_behind(
    rabbitmq: str, start: StartService, video: Path, ending: signal.Signals
) -> None:
    producer = start("producer", AMQP_URL=rabbitmq, SOURCE=f"yard={video}").ready()
    eventually("frames are sent", lambda: producer.metric('producer_frames_sent_total{camera_id="yard"}'), 30)
    (child,) = children(producer.process.pid)
    command = Path(f"/proc/{child}/cmdline").read_bytes()
    assert b"producer.sources.streams.child" in command
    assert b"yard" not in command
    if os.geteuid() == 0:  # nobody else may look into a confined process
        links = [os.readlink(link) for link in Path(f"/proc/{child}/fd").iterdir() if link.is_symlink()]
        assert sum(link.startswith("socket:") for link in links) == 1  # ours, and none of the broker's
    producer.process.send_signal(ending)
    producer.process.wait(20)
    eventually("the child is gone", lambda: start_time(child) is None, 10)
    if ending is signal.SIGTERM:
        assert producer.process.returncode == 0
        assert "decoding process ended" not in producer.log.read_text()
