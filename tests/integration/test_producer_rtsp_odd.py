"""RTSP cameras whose clocks, keyframes, logins, transports and certificates are odd: analysed, or told truly."""

import asyncio
import hashlib
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from producer.errors import SourceError
from producer.frames import Captured, Skipped
from producer.sources import stream
from producer.sources.stream import Stream
from producer.sources.streams import decoder, rtsp
from producer.sources.streams.keyframes import Keyframes
from producer.sources.streams.messages import DecodeRequest
from producer.sources.streams.pool import Pool
from producer.trust import Trust
from tests.helpers.components import require
from tests.helpers.h264_rtsp import FPS, H264Camera, h264
from tests.helpers.media import write_video
from tests.helpers.rtsp import RtspCamera, listening

pytestmark = pytest.mark.asyncio(loop_scope="module")

TCP = {"rtsp_transport": "tcp", "analyzeduration": "1000000"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    """One for the whole module: a decoding process takes most of a second to start."""
    async with Pool() as pool:
        yield pool


@pytest.fixture(scope="module")
def often(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return h264(tmp_path_factory.mktemp("h264") / "often.h264", seconds=4, gop=10)


@pytest.fixture(scope="module")
def rare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return h264(tmp_path_factory.mktemp("h264") / "rare.h264", seconds=10, gop=250)


async def seconds_of(source: Stream, seconds: float) -> tuple[list[float], list[Skipped]]:
    """When its frames came, from the first one on, and what was left out before it."""
    frames: list[float] = []
    before: list[Skipped] = []
    async with aclosing(source.frames()) as items:
        async for item in items:
            if isinstance(item, Captured):
                frames.append(time.monotonic())
                assert abs(item.timestamp - time.time()) < 1
            elif not frames:
                before.append(item)
            if frames and time.monotonic() - frames[0] >= seconds:
                break
    return frames, before


async def failing(source: Stream) -> SourceError:
    """What ends it before its first frame."""
    try:
        async with aclosing(source.frames()) as items:
            async for item in items:
                assert not isinstance(item, Captured)
    except SourceError as error:
        return error
    raise AssertionError("it came to its end")


CLOCKS: dict[str, Callable[[int], int]] = {
    "right": lambda n: n * 90_000 // FPS,
    "standing still": lambda n: 0,
    "backwards": lambda n: -n * 90_000 // FPS,
    "jumping about": lambda n: (n * 7919) % 1000 * 90_000,
    "a thousand times too slow": lambda n: n * 4,
    "thirty times too fast": lambda n: n * 108_000,
    "over the end of its 32 bits": lambda n: (1 << 32) - 90_000 + n * 3600,
}


@pytest.mark.parametrize("clock", CLOCKS)
async def test_a_live_stream_is_thinned_by_our_clock_whatever_its_own_says(
    pool: Pool, often: Path, clock: str
) -> None:
    camera = H264Camera(often, clock=CLOCKS[clock])
    async with listening(camera):
        frames, _ = await seconds_of(Stream(camera.url, pool, fps=2), 4)
    assert 7 <= len(frames) <= 10


@pytest.mark.alone
async def test_before_the_first_keyframe_it_is_waited_for_and_nothing_is_corrupt(
    pool: Pool, rare: Path
) -> None:
    camera = H264Camera(rare, first=125)  # five seconds before the next one
    async with listening(camera):
        frames, before = await seconds_of(Stream(camera.url, pool), 1)
    assert len(frames) > 20
    assert {item.reason for item in before} == {"no_keyframe"}
    assert sum(item.count for item in before) > 80
    assert "has not sent a keyframe yet" in before[0].detail


async def test_one_that_sends_no_keyframe_is_given_up_for_that_reason(
    rare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "KEYFRAME_SECONDS", 2.0)
    camera = H264Camera(rare, first=1)
    async with listening(camera):
        request = DecodeRequest(
            url=camera.url, shown="the camera", options=TCP, open_timeout=1.0, read_timeout=5.0
        )
        failed = await asyncio.to_thread(_decoded, request)
    assert failed.reason == "no_keyframe"
    assert "the camera sent no keyframe for 2 s" in str(failed)


def _decoded(request: DecodeRequest) -> SourceError:
    """What ends decoding, in this process, before the first frame."""
    try:
        for item in decoder.decode(request, Keyframes()):
            assert isinstance(item, Skipped)
    except SourceError as error:
        return error
    raise AssertionError("it came to its end")


async def test_one_that_offers_udp_only_is_read_over_udp(pool: Pool, often: Path) -> None:
    camera = H264Camera(often, udp_only=True)
    async with listening(camera):
        frames, _ = await seconds_of(Stream(camera.url, pool, fps=5), 2)
    assert 8 <= len(frames) <= 13
    assert [("TCP" in each) for each in camera.requests if each.startswith("SETUP")] == [True, False]


@pytest.mark.parametrize(
    ("challenges", "name"),
    [
        (['Digest realm="c", nonce="1", algorithm=SHA-256'], "Digest with SHA-256"),
        (['Digest realm="c", nonce="1", algorithm="SHA-512-256", qop="auth"'], "Digest with SHA-512-256"),
        (['Digest realm="c", nonce="1", qop="auth-int"'], "Digest with MD5 and qop auth-int"),
        (["Bearer"], "Bearer"),
        (['Digest realm="c", nonce="1"'], None),
        (
            ['Digest realm="c", nonce="1", algorithm=SHA-256', 'Digest realm="c", nonce="2", algorithm=MD5'],
            None,
        ),
        (['Basic realm="c"'], None),
    ],
)
async def test_a_login_that_ffmpeg_does_not_know_is_named(
    pool: Pool, tmp_path: Path, challenges: list[str], name: str | None
) -> None:
    camera = RtspCamera(write_video(tmp_path / "v.ts", frames=5, codec="mpeg2video"))
    camera.status, camera.challenges = "401 Unauthorized", challenges
    async with listening(camera):
        failed = await failing(Stream(camera.url.replace("//", "//me:hunter2@"), pool))
        missing = await failing(Stream(camera.url, pool))
    assert failed.reason == missing.reason == "unauthorised"
    if name is None:
        assert "refuses the user name or password" in str(failed)
        assert "asks for a login: write the address with user:password@" in str(missing)
    else:
        assert f"takes logins by {name} only, which FFmpeg does not know" in str(failed)
    assert "hunter2" not in str(failed) + "".join(
        each for each in camera.requests if "Authorization" not in each
    )


async def test_what_is_at_the_port_is_looked_at_before_it_is_blamed(
    pool: Pool, often: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "OPEN_TIMEOUT", 1.0)
    monkeypatch.setattr(rtsp, "ANSWER_SECONDS", 0.5)

    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(web, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        failed = await failing(Stream(f"rtsp://127.0.0.1:{port}/x", pool))
    assert (failed.reason, "does not answer as RTSP cameras do" in str(failed)) == ("not_rtsp", True)
    camera = RtspCamera(often)
    camera.sending.clear()
    async with listening(camera):
        failed = await failing(Stream(camera.url, pool))
    assert (failed.reason, "answers, and sends no video in time" in str(failed)) == ("timeout", True)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_redirect_to_another_host_is_told_and_nothing_is_said_there(
    pool: Pool, often: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.setattr(stream, "OPEN_TIMEOUT", 1.0)
    heard: list[bytes] = []

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1_000))
        writer.close()

    async with await asyncio.start_server(other, "127.0.0.1", 0) as server:
        camera = RtspCamera(often)
        camera.status = "302 Moved"
        camera.challenges = [f"x\r\nLocation: rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/y"]
        async with listening(camera):
            for _ in range(times):
                failed = await failing(Stream(camera.url.replace("//", "//me:hunter2@"), pool))
                assert (failed.reason, "leads to 127.0.0.1, which" in str(failed)) == ("elsewhere", True)
    assert b"".join(heard) == b""


async def test_a_redirect_within_a_camera_is_followed(pool: Pool, often: Path) -> None:
    camera = H264Camera(often)
    answer = camera.answer

    def moved(method: str, sequence: str, request: str) -> str:
        if method == "DESCRIBE" and "/stream " in request:
            return f"RTSP/1.0 302 Moved\r\n{sequence}\r\nLocation: {camera.url}/moved\r\n\r\n"
        return answer(method, sequence, request)

    camera.answer = moved  # type: ignore[method-assign]
    async with listening(camera):
        frames, _ = await seconds_of(Stream(camera.url, pool), 0.2)
    assert frames


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A camera's: made by itself, in a name that nobody asks for."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        require("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=cam-7",
    ]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return certificate, key


async def test_rtsps_trusts_no_certificate_that_nobody_signed_unless_told_so(
    pool: Pool, tmp_path: Path, own_certificate: tuple[Path, Path]
) -> None:
    camera = RtspCamera(write_video(tmp_path / "v.ts", frames=90, codec="mpeg2video"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own_certificate)
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(own_certificate[0].read_text())).digest()
    async with listening(camera, context):
        url = camera.url.replace("rtsp://", "rtsps://me:hunter2@")
        failed = await failing(Stream(url, pool))
        assert failed.reason == "tls"
        assert f"set tls: sha256:{fingerprint.hex()}" in str(failed)
        other = await failing(Stream(url, pool, trust=Trust(fingerprint=bytes(32))))
        assert (other.reason, "another certificate" in str(other)) == ("tls", True)
        assert not any("Authorization" in each or "hunter2" in each for each in camera.requests)
        assert camera.plays == 0
        for trust in (Trust(verify=False), Trust(fingerprint=fingerprint)):
            frames, _ = await seconds_of(Stream(url, pool, trust=trust), 0.2)
            assert frames
