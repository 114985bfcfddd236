"""What `${NAME}` in cameras.yaml stood for is in no message, whatever is wrong with the camera."""

from collections.abc import AsyncIterator

import pytest

from producer.catalogue.file.reader import read_cameras
from producer.catalogue.settings import of_config
from producer.settings import ProducerSettings
from producer.sources.factory import SourceFactory
from tests.helpers.frames import failure
from tests.helpers.http_camera import HttpCamera, http_camera

pytestmark = pytest.mark.integration

KEY = "SEKRET"


@pytest.fixture
async def camera() -> AsyncIterator[HttpCamera]:
    async with http_camera() as camera:
        yield camera


@pytest.fixture
async def sources() -> AsyncIterator[SourceFactory]:
    sources = SourceFactory(ProducerSettings(id="p"))
    yield sources
    await sources.close()


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("http://{host}/status/404?${K}", "http://{host}/status/404?${K} is not there (404)"),
        ("http://{host}/html/${K}", "http://{host}/html/${K} answers with text/html"),
        ("http://${K}.invalid/x.jpg", "http://${K}.invalid/x.jpg has a host that is not known"),
        ("http://{host}/${K}.m3u8", "http://{host}/${K}.m3u8 "),
        ("rtsp://{host}/${K}", "rtsp://{host}/${K} "),
        ("${K}", "${K} does not exist"),
        ("${K}/x", "${K}/x does not exist"),
        ("${K}/", "${K}/ does not exist"),
        ("${K}.jpg", "${K}.jpg does not exist"),
        ("${K}/x.jpg", "${K}/x.jpg does not exist"),
    ],
)
async def test_the_value_is_not_shown(
    camera: HttpCamera, sources: SourceFactory, source: str, shown: str
) -> None:
    host = camera.url.removeprefix("http://")
    text = source.replace("{host}", host)
    file = read_cameras(f"cameras: [{{id: gate, source: '{text}'}}]\n".encode(), {"K": KEY})
    assert not file.problems
    said = await failure(sources.source(of_config(file.cameras["gate"], ProducerSettings(id="p"))))
    assert KEY not in str(said)
    assert str(said).startswith(shown.replace("{host}", host))
