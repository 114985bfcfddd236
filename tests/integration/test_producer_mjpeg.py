"""HTTP cameras that stream, on a real server."""

from collections.abc import AsyncIterator

import pytest

from producer.frames import Captured, Skipped
from producer.sources.http.client import HttpClient
from producer.sources.snapshot import Snapshot
from tests.helpers.eventually import aeventually
from tests.helpers.frames import data, failure, granted, read
from tests.helpers.http_camera import HttpCamera, http_camera, sized
from tests.helpers.media import jpeg


@pytest.fixture
async def camera() -> AsyncIterator[HttpCamera]:
    async with http_camera() as camera:
        yield camera


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient() as client:
        yield client


async def test_an_address_that_streams_is_read_as_a_stream_whatever_its_resolution(
    camera: HttpCamera, client: HttpClient
) -> None:
    seen = await read(Snapshot(f"{camera.url}/mjpeg", client), 6)
    assert [data(item) for item in seen] == [sized(n) for n in range(1, 7)]
    assert len(camera.requests) == 2, "asked for a picture, then for the stream"


async def test_a_stream_is_thinned_to_the_rate(camera: HttpCamera, client: HttpClient) -> None:
    seen = await read(Snapshot(f"{camera.url}/mjpeg", client, fps=5), 12)
    assert set(map(type, seen)) == {Captured, Skipped}
    assert sum(isinstance(item, Captured) for item in seen) in (3, 4)
    assert {item.reason for item in seen if isinstance(item, Skipped)} == {"rate"}


async def test_of_pictures_that_wait_the_newest_wins(camera: HttpCamera, client: HttpClient) -> None:
    camera.picture = jpeg()[:-2] + bytes(40_000) + jpeg()[-2:]
    frames = granted(Snapshot(f"{camera.url}/burst/1000", client))
    seen = [await anext(frames)]
    await aeventually("all is sent while nobody takes a picture", camera.went_on.is_set)
    while not (isinstance(seen[-1], Captured) and data(seen[-1]) == camera.picture + b"1000"):
        seen.append(await anext(frames))
    replaced = sum(item == Skipped("replaced") for item in seen)
    taken = [data(item) for item in seen if isinstance(item, Captured)]
    assert len(taken) + replaced == 1000
    assert replaced > 500, "the rest was in the sockets"
    numbers = [int(picture.removeprefix(camera.picture)) for picture in taken]
    assert numbers == sorted(numbers)
    await frames.aclose()


async def test_a_stream_that_finishes_no_picture_is_given_up(
    camera: HttpCamera, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producer.sources.mjpeg.PICTURE_SECONDS", 0.5)
    said = await failure(Snapshot(f"{camera.url}/dribbles", client))
    assert said.reason == "timeout"
    assert "no whole picture" in str(said)


async def test_a_stream_that_hangs_is_let_go_of(camera: HttpCamera, client: HttpClient) -> None:
    frames = granted(Snapshot(f"{camera.url}/burst/1", client))
    assert isinstance(await anext(frames), Captured)
    assert camera.unfinished["/burst/1"] == 1
    await frames.aclose()
    await aeventually("the connection's end", lambda: camera.unfinished["/burst/1"] == 0)


async def test_a_camera_that_stops_streaming_becomes_a_camera_of_snapshots(
    camera: HttpCamera, client: HttpClient
) -> None:
    source = Snapshot(f"{camera.url}/mjpeg", client, fps=100)
    await read(source, 2)
    camera.on_mjpeg = camera.on_plain  # type: ignore[method-assign]
    (frame,) = await read(source, 1)
    assert data(frame) == jpeg(1)


async def test_streams_take_no_places(camera: HttpCamera) -> None:
    async with HttpClient(connections=1, per_host=1) as narrow:
        streams = [granted(Snapshot(f"{camera.url}/mjpeg", narrow)) for _ in range(3)]
        for stream in streams:
            assert isinstance(await anext(stream), Captured)
        (frame,) = await read(Snapshot(f"{camera.url}/plain", narrow), 1)
        assert isinstance(frame, Captured)
        for stream in streams:
            await stream.aclose()
