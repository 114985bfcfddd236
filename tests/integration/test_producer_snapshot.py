"""HTTP cameras, good and bad, on a real server."""

import asyncio
import base64
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from producer.frames import Captured, Skipped, SourceError
from producer.sources import snapshot
from producer.sources.snapshot import Snapshot, open_session
from tests.helpers.media import jpeg, png

MIB = 1024 * 1024


class Camera:
    """A server with one good camera at /good and one misbehaving camera per path."""

    def __init__(self) -> None:
        self.picture = jpeg(1)
        self.requests: list[web.Request] = []
        self.url = ""

    async def good(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        tag = f'"{hash(self.picture)}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(body=self.picture, content_type="image/jpeg", headers={"ETag": tag})

    async def plain(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        return web.Response(body=self.picture)

    async def secret(self, request: web.Request) -> web.Response:
        expected = "Basic " + base64.b64encode(b"me:pa ss").decode()
        if request.headers.get("Authorization") != expected:
            return web.Response(status=401)
        return web.Response(body=png())

    async def status(self, request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["code"]))

    async def html(self, _request: web.Request) -> web.Response:
        return web.Response(text="<html>log in", content_type="text/html")

    async def cut(self, _request: web.Request) -> web.Response:
        return web.Response(body=jpeg()[:-50], content_type="image/jpeg")

    async def nothing(self, _request: web.Request) -> web.Response:
        return web.Response(body=b"")

    async def around(self, _request: web.Request) -> web.Response:
        raise web.HTTPFound("/around")

    async def announced(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(body=bytes(13 * MIB), content_type="image/jpeg")

    async def endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(200):
                await response.write(bytes(MIB))
        except ConnectionError:
            pass
        return response

    async def stalls(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"\xff\xd8\xff")
        await asyncio.sleep(5)
        return response

    async def closes(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"\xff\xd8\xff")
        assert request.transport is not None
        request.transport.abort()
        return response


@pytest.fixture
async def camera() -> AsyncIterator[Camera]:
    camera = Camera()
    app = web.Application()
    good = [camera.good, camera.plain, camera.secret]
    bad = [camera.html, camera.cut, camera.nothing, camera.around, camera.announced, camera.endless]
    for handler in [*good, *bad, camera.stalls, camera.closes]:
        app.router.add_get(f"/{handler.__name__}", handler)
    app.router.add_get("/status/{code}", camera.status)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    camera.url = f"http://{host}:{port}"
    yield camera
    await runner.cleanup()


@pytest.fixture
async def session(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[aiohttp.ClientSession]:
    monkeypatch.setattr(snapshot, "TIMEOUT", aiohttp.ClientTimeout(total=3, sock_read=0.3))
    async with open_session() as session:
        yield session


async def read(source: Snapshot, count: int) -> list[Captured | Skipped]:
    frames = source.frames()
    seen = [await anext(frames) for _ in range(count)]
    await frames.aclose()
    return seen


async def test_a_picture_passes_through_unchanged_and_an_unmodified_one_is_skipped(
    camera: Camera, session: aiohttp.ClientSession
) -> None:
    source = Snapshot(f"{camera.url}/good", session, fps=100)
    first, second = await read(source, 2)
    assert isinstance(first, Captured)
    assert first.picture.encoded(50).data == camera.picture
    assert second == Skipped("unmodified")
    camera.picture = jpeg(2)
    (third,) = await read(source, 1)
    assert isinstance(third, Captured)
    assert third.picture.encoded(50).data == jpeg(2)


async def test_without_validators_identical_bytes_are_skipped(
    camera: Camera, session: aiohttp.ClientSession
) -> None:
    first, second = await read(Snapshot(f"{camera.url}/plain", session, fps=100), 2)
    assert isinstance(first, Captured)
    assert second == Skipped("identical")


async def test_a_still_camera_shows_signs_of_life(
    camera: Camera, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "REFRESH_SECONDS", 0.0)
    seen = await read(Snapshot(f"{camera.url}/good", session, fps=100), 3)
    assert all(isinstance(frame, Captured) for frame in seen)


async def test_one_connection_serves_all_requests_to_a_host(
    camera: Camera, session: aiohttp.ClientSession
) -> None:
    await read(Snapshot(f"{camera.url}/plain", session, fps=100), 5)
    peers = {request.transport.get_extra_info("peername") for request in camera.requests if request.transport}
    assert len(camera.requests) == 5
    assert len(peers) == 1


async def test_user_and_password_in_the_address(camera: Camera, session: aiohttp.ClientSession) -> None:
    url = camera.url.replace("http://", "http://me:pa%20ss@") + "/secret"
    (frame,) = await read(Snapshot(url, session), 1)
    assert isinstance(frame, Captured)
    assert frame.picture.encoded(50).content_type == "image/png"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/secret", "unauthorised"),
        ("/status/403", "unauthorised"),
        ("/status/404", "not_found"),
        ("/status/503", "http_5xx"),
        ("/status/304", "http_3xx"),
        ("/html", "not_an_image"),
        ("/cut", "not_an_image"),
        ("/nothing", "not_an_image"),
        ("/around", "redirects"),
        ("/announced", "too_large"),
        ("/endless", "too_large"),
        ("/stalls", "timeout"),
        ("/closes", "closed"),
    ],
)
async def test_a_bad_answer_has_its_reason_and_no_password(
    camera: Camera, session: aiohttp.ClientSession, path: str, reason: str
) -> None:
    url = camera.url.replace("http://", "http://me:hunter2@") + path + "?pwd=hunter2"
    with pytest.raises(SourceError) as raised:
        await read(Snapshot(url, session), 1)
    assert raised.value.reason == reason
    assert "hunter2" not in str(raised.value)


async def test_nobody_there_and_a_name_that_is_not_known(session: aiohttp.ClientSession) -> None:
    with pytest.raises(SourceError) as refused:
        await read(Snapshot("http://127.0.0.1:9/x", session), 1)
    assert refused.value.reason == "refused"
    with pytest.raises(SourceError) as unknown:
        await read(Snapshot("http://no-such-host.invalid/x", session), 1)
    assert unknown.value.reason == "dns"


async def test_after_an_error_the_same_source_goes_on(camera: Camera, session: aiohttp.ClientSession) -> None:
    source = Snapshot(f"{camera.url}/plain", session, fps=100)
    camera.picture = b"<html>"
    with pytest.raises(SourceError):
        await read(source, 1)
    camera.picture = jpeg(3)
    (frame,) = await read(source, 1)
    assert isinstance(frame, Captured)
