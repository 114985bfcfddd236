"""Live streams from real servers: RTSP, RTMP and HLS, good and bad."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import cv2
import numpy as np
import pytest
import pytest_asyncio

from producer.frames import Captured, Skipped
from producer.sources import stream
from producer.sources.stream import Stream
from producer.sources.streams.pool import Pool
from tests.helpers.captured import failing, first
from tests.helpers.dead_proxies import DEAD_PROXIES
from tests.helpers.stream_servers import mute_server, rtmp_server, rtsp_server, segment, web_server
from tests.helpers.video_files import make

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    """One for the whole module: a decoding process takes most of a second to start."""
    async with Pool() as pool:
        yield pool


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("video") / "yard.mp4", seconds=20)


@pytest.fixture(scope="module")
def server(video: Path) -> Iterator[str]:
    with rtsp_server(yard=video) as address:
        yield address


def size(frame: Captured) -> tuple[int, int]:
    image = cv2.imdecode(np.frombuffer(frame.picture.encoded(1).data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.shape[1], image.shape[0]


async def test_rtsp_gives_pictures_as_they_are_captured(pool: Pool, server: str) -> None:
    seen = await first(Stream(f"rtsp://{server}/yard", pool, fps=5), 12)
    assert size(seen[0]) == (320, 240)
    # The first may come in a burst, from looking at the stream.
    late = [frame.timestamp for frame in seen[6:]]
    gaps = np.diff(late)
    assert 0.1 < gaps.mean() < 0.3
    assert abs(late[-1] - time.time()) < 1


async def test_rtsp_with_a_password(pool: Pool, video: Path) -> None:
    with rtsp_server("me:pa55", yard=video) as server:
        (frame,) = await first(Stream(f"rtsp://me:pa55@{server}/yard", pool), 1)
        assert size(frame) == (320, 240)
        wrong = await failing(Stream(f"rtsp://me:hunter2@{server}/yard", pool))
        assert wrong.reason == "unauthorised"
        assert "hunter2" not in str(wrong)


async def test_rtsp_at_another_path(pool: Pool, server: str) -> None:
    assert (await failing(Stream(f"rtsp://{server}/gate", pool))).reason == "not_found"


async def test_nothing_moves_and_only_keyframes_are_decoded(pool: Pool, server: str) -> None:
    source = Stream(f"rtsp://{server}/yard", pool)
    counts = {"picture": 0, "idle": 0}
    phase: list[dict[str, int]] = []
    async with aclosing(source.frames()) as items:
        async for item in items:
            if isinstance(item, Captured):
                counts["picture"] += 1
            else:
                counts[item.reason] = counts.get(item.reason, 0) + item.count
            if sum(counts.values()) < 75:
                continue
            phase.append(counts)
            counts = {"picture": 0, "idle": 0}
            if len(phase) == 1:
                source.set_idle(True)
            elif len(phase) == 2:
                source.set_idle(False)
            else:
                break
    busy, idle, again = phase
    assert busy["idle"] == 0
    assert idle["idle"] > 40  # of 75; the first second may pass until two keyframes were seen
    assert idle["picture"] < 35
    assert again["picture"] > 40


async def test_rtmp(pool: Pool, video: Path) -> None:
    with rtmp_server(video) as url:
        seen = await first(Stream(url, pool, fps=5), 3)
        assert size(seen[0]) == (320, 240)


async def test_hls_takes_one_size_and_keeps_its_time(pool: Pool, video: Path, tmp_path: Path) -> None:
    playlist = segment(video, tmp_path, ["320x240", "640x480", "1280x960"])
    async with web_server(tmp_path) as web:
        source = Stream(f"{web.url}/{playlist.name}", pool, fps=5)
        seen = await first(source, 16)
        assert size(seen[0]) == (640, 480)
        times = [frame.timestamp for frame in seen]
        assert 2.5 < times[-1] - times[0] < 4.5  # 15 of 5 a second; a segment comes in no time
        asked = [sum(f"/size{n}" in path and path.endswith(".ts") for path in web.asked) for n in range(3)]
    # Each is looked into once; only the chosen one is played.
    assert asked[0] <= 2
    assert asked[2] <= 2
    assert asked[1] >= 4


async def test_hls_of_this_machine_goes_through_no_proxy(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, proxy in DEAD_PROXIES.items():
        monkeypatch.setenv(name, proxy)
    playlist = segment(video, tmp_path, ["320x240"])
    async with web_server(tmp_path) as web, Pool() as pool:
        (frame,) = await first(Stream(f"{web.url}/{playlist.name}", pool, fps=5), 1)
        assert size(frame) == (320, 240)


async def test_hls_of_elsewhere_goes_through_the_proxy_that_the_environment_names(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playlist = segment(video, tmp_path, ["320x240"])
    async with web_server(tmp_path) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        async with Pool() as pool:
            assert await first(Stream(f"http://cam.invalid/{playlist.name}", pool, fps=5), 1)


async def test_hls_that_ends_is_a_stream_that_closed(pool: Pool, tmp_path: Path) -> None:
    playlist = segment(make(tmp_path / "v.mp4", seconds=1), tmp_path, ["320x240"])
    async with web_server(tmp_path) as web:
        assert (await failing(Stream(f"{web.url}/{playlist.name}", pool))).reason == "closed"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/status/401/x.m3u8", "unauthorised"),
        ("/status/404/x.m3u8", "not_found"),
        ("/status/410/x.m3u8", "http_4xx"),
        ("/status/503/x.m3u8", "http_5xx"),
        ("/html/x.m3u8", "not_a_video"),
        ("/silent/x.m3u8", "timeout"),
    ],
)
async def test_hls_with_a_bad_answer(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, reason: str
) -> None:
    monkeypatch.setattr(stream, "OPEN_TIMEOUT", 0.5)
    async with web_server(tmp_path) as web:
        url = web.url.replace("http://", "http://me:hunter2@") + path + "?token=hunter3"
        failed = await failing(Stream(url, pool))
    assert failed.reason == reason
    assert "hunter" not in str(failed)


async def test_hls_that_grows_no_more_is_noticed(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HLS_READ_TIMEOUT", 1.0)
    segment(make(tmp_path / "v.mp4", seconds=2), tmp_path, ["320x240"])
    playlist = tmp_path / "size0.m3u8"
    playlist.write_text(playlist.read_text().replace("#EXT-X-ENDLIST", ""))  # it is live
    async with web_server(tmp_path) as web:
        assert (await failing(Stream(f"{web.url}/{playlist.name}", pool))).reason == "timeout"


@pytest.mark.parametrize("scheme", ["rtsp", "rtmp"])
async def test_one_that_never_says_a_word(pool: Pool, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr(stream, "OPEN_TIMEOUT", 0.5)
    async with mute_server() as address:
        assert (await failing(Stream(f"{scheme}://{address}/live/x", pool))).reason == "timeout"


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "rtmp", "rtmps", "http", "https"])
async def test_nobody_there_and_a_name_that_is_not_known(pool: Pool, scheme: str) -> None:
    assert (await failing(Stream(f"{scheme}://127.0.0.1:9/x.m3u8", pool))).reason == "refused"
    assert (await failing(Stream(f"{scheme}://no-such-host.invalid/x.m3u8", pool))).reason == "dns"


async def test_who_takes_slowly_gets_the_newest(pool: Pool, server: str) -> None:
    replaced = 0
    async with aclosing(Stream(f"rtsp://{server}/yard", pool).frames()) as items:
        taken = 0
        async for item in items:
            if isinstance(item, Skipped):
                replaced += item.count if item.reason == "replaced" else 0
                continue
            taken += 1
            if taken > 2:
                assert time.time() - item.timestamp < 0.25
            if taken == 5:
                break
            await asyncio.sleep(0.4)
    assert replaced > 10
