"""HTTP cameras, good and bad, on a real server."""

import asyncio
import gc
import os
import socket
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest

from bench.machine import resident_megabytes
from producer.errors import SourceError
from producer.frames import Captured, Skipped
from producer.sources.http import address, stills
from producer.sources.http.client import HttpClient
from producer.sources.snapshot import Snapshot
from tests.helpers.frames import data, failure, granted, read
from tests.helpers.http_camera import HttpCamera, http_camera, sized, with_login
from tests.helpers.media import jpeg

Quick = partial(Snapshot, seconds=1.0)
"""Without the patience of real cameras' time-outs."""


@pytest.fixture
async def camera() -> AsyncIterator[HttpCamera]:
    async with http_camera() as camera:
        yield camera


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient() as client:
        yield client


# --- pictures -------------------------------------------------------------------------------------------


async def test_a_picture_passes_through_unchanged_and_an_unmodified_one_is_skipped(
    camera: HttpCamera, client: HttpClient
) -> None:
    source = Quick(f"{camera.url}/good", client, fps=100)
    first, second = await read(source, 2)
    assert data(first) == jpeg(1)
    assert second == Skipped("unmodified")
    camera.picture = jpeg(2)
    (third,) = await read(source, 1)
    assert data(third) == jpeg(2)


async def test_a_picture_s_time_is_when_all_of_it_had_come(camera: HttpCamera) -> None:
    """So the way from a slow camera does not make it stale."""
    async with HttpClient() as client:
        asked = time.time()
        (frame,) = await read(Snapshot(f"{camera.url}/late", client, seconds=10), 1)
    assert isinstance(frame, Captured)
    assert asked + 1.8 < frame.timestamp <= time.time()
    assert time.time() - frame.timestamp < 0.5


async def test_https_where_nobody_begins_with_tls_is_told_as_that(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        said = await failure(Snapshot(f"https://127.0.0.1:{port}/x.jpg", client))
    assert said.reason == "tls"
    assert "takes the connection and does not begin with TLS in time" in str(said)


@pytest.mark.parametrize("coding", ["br", "zstd"])
async def test_a_coding_that_is_not_unpacked_is_named(
    camera: HttpCamera, client: HttpClient, coding: str
) -> None:
    said = await failure(Quick(f"{camera.url}/coded/{coding}", client))
    assert f"packed as {coding}, which is not unpacked here" in str(said)


async def test_a_still_camera_is_asked_for_its_picture_now_and_then(
    camera: HttpCamera, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stills, "REFRESH_SECONDS", 0.0)
    seen = await read(Quick(f"{camera.url}/good", client, fps=100), 3)
    assert [data(item) for item in seen] == [jpeg(1)] * 3
    assert not any("if-none-match" in request.headers for request in camera.requests)


async def test_without_validators_every_picture_comes(camera: HttpCamera, client: HttpClient) -> None:
    seen = await read(Quick(f"{camera.url}/plain", client, fps=100), 3)
    assert [data(item) for item in seen] == [jpeg(1)] * 3


async def test_the_resolution_may_change(camera: HttpCamera, client: HttpClient) -> None:
    seen = await read(Quick(f"{camera.url}/resizes", client, fps=100), 4)
    assert [data(item) for item in seen] == [sized(n) for n in range(1, 5)]


async def test_one_connection_serves_all_requests_to_a_host(camera: HttpCamera, client: HttpClient) -> None:
    await read(Quick(f"{camera.url}/plain", client, fps=100), 5)
    assert len(camera.requests) == 5
    assert len({request.peer for request in camera.requests}) == 1


async def test_compression_is_not_asked_for_and_undone_all_the_same(
    camera: HttpCamera, client: HttpClient
) -> None:
    (frame,) = await read(Quick(f"{camera.url}/packed", client), 1)
    assert data(frame) == jpeg(1)
    assert camera.requests[0].headers["accept-encoding"] == "identity"


# --- logins and redirects -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["secret", "digest"])
async def test_the_camera_chooses_how_to_log_in(camera: HttpCamera, client: HttpClient, way: str) -> None:
    source = Quick(with_login(f"{camera.url}/{way}"), client, fps=100)
    assert all(isinstance(frame, Captured) for frame in await read(source, 5))
    words = [request.headers.get("authorization", "nothing").split()[0] for request in camera.requests]
    assert words[0] == "nothing"
    assert words[-4:] == ["Basic" if way == "secret" else "Digest"] * 4, "it is remembered"
    if way == "digest":
        assert "Basic" not in words, "the password itself is not sent to a camera that takes Digest"


@pytest.mark.parametrize("way", ["secret", "digest"])
async def test_a_wrong_password_is_refused_and_a_right_one_works_later(
    camera: HttpCamera, client: HttpClient, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Quick(with_login(f"{camera.url}/{way}"), client, fps=100)
    monkeypatch.setattr("tests.helpers.http_camera.PASSWORD", "another")
    assert "refuses the user name or password" in str(await failure(source))
    assert "refuses the user name or password" in str(await failure(source))
    monkeypatch.undo()
    assert isinstance((await read(source, 1))[0], Captured)


async def test_a_missing_login_is_asked_for(camera: HttpCamera, client: HttpClient) -> None:
    said = await failure(Quick(f"{camera.url}/secret", client))
    assert said.reason == "unauthorised"
    assert "user:password@" in str(said)


@pytest.mark.parametrize("way", ["secret", "digest"])
async def test_no_other_host_gets_the_login(camera: HttpCamera, client: HttpClient, way: str) -> None:
    async with http_camera() as other:
        camera.elsewhere = f"{other.url}/{way}"
        source = Quick(with_login(f"{camera.url}/elsewhere"), client, hosts=("127.0.0.1",))
        for _ in range(3):
            assert "another host" in str(await failure(source))
        assert len(other.requests) >= 3
        assert not any("authorization" in request.headers for request in other.requests)


async def test_a_login_that_was_learnt_stays_at_its_host(camera: HttpCamera, client: HttpClient) -> None:
    async with http_camera() as other:
        source = Quick(with_login(f"{camera.url}/secret"), client, fps=100, hosts=("127.0.0.1",))
        await read(source, 2)
        camera.on_secret = camera.on_elsewhere  # type: ignore[method-assign]
        camera.elsewhere = f"{other.url}/plain"
        await read(source, 1)
        assert camera.requests[-1].headers["authorization"].startswith("Basic")
        assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize(
    "place", ["127.0.0.1:{port}", "localhost:{port}", "169.254.169.254", "[::1]:{port}", "cam-8.invalid"]
)
async def test_a_redirect_leads_to_no_host_that_the_entry_does_not_name(
    camera: HttpCamera, client: HttpClient, place: str
) -> None:
    async with http_camera() as other:
        camera.elsewhere = f"http://{place.format(port=other.url.rpartition(':')[2])}/plain"
        said = await failure(Quick(f"{camera.url}/elsewhere", client))
        assert said.reason == "elsewhere"
        assert "which its address does not name: if that is meant, add `hosts: [" in str(said)
        assert other.requests == []
        said = await failure(
            Quick(f"{camera.url}/elsewhere", client, hosts=("cam-9.example", "*.camera.example"))
        )
        assert said.reason == "elsewhere"


@pytest.mark.parametrize("tolerant", [False, True])
@pytest.mark.parametrize("found", ["127.0.0.1", "127.0.1.1"])
async def test_a_name_that_stands_for_this_machine_reaches_nothing_on_it(
    camera: HttpCamera, client: HttpClient, monkeypatch: pytest.MonkeyPatch, found: str, tolerant: bool
) -> None:
    port = int(camera.url.rpartition(":")[2])
    known = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
    source = Quick(f"http://cam-{tolerant:d}-{found[-3]}.example:{port}/plain", client)
    source._address.needs_tolerance = tolerant
    said = await failure(source)
    assert said.reason == "elsewhere"
    assert f"address of this machine or its network link ({found})" in str(said)
    assert camera.requests == []


@pytest.mark.parametrize("hops", [1, 5])
async def test_a_few_redirects_are_followed(camera: HttpCamera, client: HttpClient, hops: int) -> None:
    (frame,) = await read(Quick(f"{camera.url}/hops/{hops}", client), 1)
    assert data(frame) == jpeg(1)


# --- cameras that misbehave -----------------------------------------------------------------------------


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
        ("/hops/6", "redirects"),
        ("/announced", "too_large"),
        ("/endless", "too_large"),
        ("/bomb", "too_large"),
        ("/stalls", "timeout"),
        ("/silent", "timeout"),
        ("/trickles", "timeout"),
        ("/closes", "closed"),
        ("/babbles", "not_http"),
        ("/flood", "too_large"),
        ("/promises", "timeout"),
        ("/text", "not_an_image"),
    ],
)
async def test_a_bad_answer_has_its_reason_and_no_password(
    camera: HttpCamera, client: HttpClient, path: str, reason: str
) -> None:
    url = camera.url.replace("http://", "http://me:hunter2@") + path + "?pwd=hunter2"
    frames = granted(Quick(url, client))
    with pytest.raises(SourceError) as raised:
        async for _ in frames:
            pass
    assert raised.value.reason == reason
    assert "hunter2" not in str(raised.value)
    assert "127.0.0.1" in str(raised.value)


async def test_nobody_there_and_a_name_that_is_not_known(client: HttpClient) -> None:
    assert (await failure(Quick("http://127.0.0.1:9/x", client))).reason == "refused"
    assert (await failure(Quick("http://no-such-host.invalid/x", client))).reason == "dns"
    assert (await failure(Quick("http://[::1/x", client))).reason == "invalid_url"


async def test_after_an_error_the_same_source_goes_on(camera: HttpCamera, client: HttpClient) -> None:
    source = Quick(f"{camera.url}/plain", client, fps=100)
    camera.picture = b"<html>"
    await failure(source)
    camera.picture = jpeg(3)
    (frame,) = await read(source, 1)
    assert data(frame) == jpeg(3)


async def test_a_camera_that_wants_to_rest_is_left_alone(camera: HttpCamera, client: HttpClient) -> None:
    source = Quick(f"{camera.url}/rests/1", client, fps=100)
    began = asyncio.get_running_loop().time()
    await failure(source)
    await failure(source)
    assert asyncio.get_running_loop().time() - began >= 1.0
    assert len(camera.requests) == 2


async def test_answers_of_200_megabytes_cost_no_memory(camera: HttpCamera, client: HttpClient) -> None:
    # The server that sends them is in this very process; all that it holds is one megabyte of zeros.
    await failure(Quick(f"{camera.url}/closes", client))
    gc.collect()
    before, _ = resident_megabytes(os.getpid())
    most = before
    errors = []  # kept as long as their cameras are offline
    for path in ["/endless", "/announced", "/flood", "/bomb"] * 3:
        errors.append(await failure(Quick(f"{camera.url}{path}", client)))
        most = max(most, resident_megabytes(os.getpid())[0])
    assert {error.reason for error in errors} == {"too_large"}
    assert most - before < 40
