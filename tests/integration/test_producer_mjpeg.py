"""HTTP cameras that stream, on a real server."""

import time
from collections.abc import AsyncIterator

import pytest

from producer.frames import Captured, Skipped
from producer.sources.http.client import HttpClient
from producer.sources.snapshot import Snapshot
from tests.helpers.eventually import aeventually
from tests.helpers.frames import data, failure, granted, read
from tests.helpers.http_camera import HttpCamera, http_camera, numbered, sized
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
    while not (isinstance(seen[-1], Captured) and data(seen[-1]) == numbered(camera.picture, 1000)):
        seen.append(await anext(frames))
    replaced = sum(item == Skipped("replaced") for item in seen)
    taken = [data(item) for item in seen if isinstance(item, Captured)]
    assert len(taken) + replaced == 1000
    assert replaced > 500, "the rest was in the sockets"
    numbers = [int(picture[6:14]) for picture in taken]
    assert numbers == sorted(numbers)
    await frames.aclose()


async def test_a_stream_that_finishes_no_picture_is_given_up(camera: HttpCamera, client: HttpClient) -> None:
    said = await failure(Snapshot(f"{camera.url}/dribbles", client, seconds=0.5))
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


async def test_a_stream_that_ends_after_each_picture_is_asked_as_often_as_a_snapshot(
    camera: HttpCamera, client: HttpClient
) -> None:
    began = time.monotonic()
    seen = await read(Snapshot(f"{camera.url}/ends", client, fps=5), 6)
    assert [data(item) for item in seen] == [jpeg(1)] * 6
    # The first answer shows that it is a stream, and is asked for a second time at once; spread shifts the second tick.
    assert time.monotonic() - began > 0.8
    assert len(camera.requests) <= 8


async def test_a_stream_that_breaks_off_in_each_picture_is_not_asked_more_often_than_its_rate(
    camera: HttpCamera, client: HttpClient
) -> None:
    source = Snapshot(f"{camera.url}/breaks", client, fps=5)
    began = time.monotonic()
    assert [(await failure(source)).reason for _ in range(4)] == ["closed"] * 4
    assert time.monotonic() - began > 0.4


async def test_signs_of_life_keep_a_stream_that_had_a_picture(camera: HttpCamera, client: HttpClient) -> None:
    frames = granted(Snapshot(f"{camera.url}/lives", client, seconds=0.3))
    assert data(await anext(frames)) == jpeg(1)
    assert data(await anext(frames)) == jpeg(1), "a second later"
    await frames.aclose()
    assert len(camera.requests) == 2, "asked for a picture, then for the stream"


async def test_a_stream_of_signs_of_life_alone_is_told_truly(camera: HttpCamera, client: HttpClient) -> None:
    said = await failure(Snapshot(f"{camera.url}/text", client, seconds=0.3))
    assert said.reason == "not_an_image"
    assert "empty or text: no pictures" in str(said)


@pytest.mark.parametrize("name", ["WebP", "BMP", "GIF"])
async def test_a_stream_of_other_formats_is_told_by_their_name(
    camera: HttpCamera, client: HttpClient, name: str
) -> None:
    said = await failure(Snapshot(f"{camera.url}/others/{name.lower()}", client, seconds=0.3))
    assert said.reason == "not_an_image"
    assert f"streams {name}, not JPEG or PNG" in str(said)


async def test_streams_take_no_places(camera: HttpCamera) -> None:
    async with HttpClient(connections=1, per_host=1) as narrow:
        streams = [granted(Snapshot(f"{camera.url}/mjpeg", narrow)) for _ in range(3)]
        for stream in streams:
            assert isinstance(await anext(stream), Captured)
        (frame,) = await read(Snapshot(f"{camera.url}/plain", narrow), 1)
        assert isinstance(frame, Captured)
        for stream in streams:
            await stream.aclose()
