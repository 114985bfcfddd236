"""Certificates that are wrong, and right, for every scheme: nothing is said to whom nobody trusts."""

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from producer.catalogue.file.reader import read_cameras
from producer.catalogue.settings import of_config
from producer.errors import SourceError
from producer.frames import Captured, Source
from producer.settings import ProducerSettings
from producer.sources.factory import SourceFactory
from producer.sources.http.client import HttpClient
from producer.sources.snapshot import Snapshot
from producer.sources.stream import Stream
from producer.sources.streams.pool import Pool
from producer.trust import Trust
from tests.helpers.certificates import Certificate, Certificates, make_certificates, tls_front, turned
from tests.helpers.http_camera import http_camera
from tests.helpers.media import write_video
from tests.helpers.rtsp import rtsp_camera
from tests.helpers.site import leads_to, site
from tests.helpers.stream_servers import rtmp_server, segment
from tests.helpers.video_files import make

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRONG = {
    "expired": "certificate has expired",
    "other name": "it is for another host",
    "self-signed": "self-signed certificate|self signed certificate",
}
SCHEMES = ["https snapshot", "https mjpeg", "https hls", "rtsps", "rtmps"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video as a playlist with one size, and as a transport stream."""
    folder = tmp_path_factory.mktemp("hls")
    segment(make(folder / "v.mp4", seconds=3), folder, ["320x240"])
    write_video(folder / "v.ts", frames=90, codec="mpeg2video")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(certificates: Certificates) -> AsyncIterator[Pool]:
    """Decoding processes that know our authority."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificates.authority))
        async with Pool() as pool:
            yield pool


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(certificates: Certificates) -> AsyncIterator[HttpClient]:
    """One that knows our authority."""
    with pytest.MonkeyPatch.context() as patch:
        ours = ssl.create_default_context(cafile=str(certificates.authority))
        patch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", ours)
        async with HttpClient() as client:
            yield client


async def first(source: Source) -> Captured:
    async with aclosing(source.frames()) as items:
        async for item in items:
            if isinstance(item, Captured):
                return item
    raise AssertionError("it came to its end")


async def failing(source: Source) -> SourceError:
    with pytest.raises(SourceError) as raised:
        await first(source)
    return raised.value


@asynccontextmanager
async def served(scheme: str, folder: Path) -> AsyncIterator[tuple[int, str]]:
    """A camera without TLS: its port, and the path of its address."""
    async with AsyncExitStack() as stack:
        if scheme == "rtsps":
            yield (await stack.enter_async_context(rtsp_camera(folder / "v.ts"))).port, "stream"
        elif scheme == "rtmps":
            url = stack.enter_context(rtmp_server(folder / "v.mp4"))
            yield int(url.split(":")[2].partition("/")[0]), "live/yard"
        elif scheme == "https hls":
            yield (await stack.enter_async_context(site(folder, "me:hunter2"))).port, "all.m3u8"
        else:
            camera = await stack.enter_async_context(http_camera())
            yield int(camera.url.rpartition(":")[2]), "mjpeg" if "mjpeg" in scheme else "plain"


def camera_at(scheme: str, port: int, path: str, trust: Trust, pool: Pool, client: HttpClient) -> Source:
    """A source with a login, at this port of this machine."""
    url = f"{scheme.partition(' ')[0]}://me:hunter2@127.0.0.1:{port}/{path}"
    if scheme in ("https snapshot", "https mjpeg"):
        return Snapshot(url, client, fps=5, trust=trust)
    return Stream(url, pool, trust=trust)


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_wrong_certificate_is_told_and_hears_nothing_unless_it_is_pinned(
    pool: Pool, client: HttpClient, certificates: Certificates, folder: Path, scheme: str
) -> None:
    def source(port: int, trust: Trust) -> Source:
        return camera_at(scheme, port, path, trust, pool, client)

    def pinned(certificate: Certificate) -> Trust:
        return Trust(fingerprint=certificate.fingerprint)

    async with served(scheme, folder) as (port, path):
        for kind, told in WRONG.items():
            certificate = certificates.kinds[kind]
            async with tls_front(port, certificate) as front:
                said = await failing(source(front.port, Trust()))
                assert said.reason == "tls", (kind, said)
                assert any(each in str(said) for each in told.split("|")), (kind, said)
                assert f"tls: sha256:{certificate.fingerprint.hex()}" in str(said)
                other = await failing(source(front.port, pinned(certificates.kinds["good"])))
                assert (other.reason, "another certificate" in str(other)) == ("tls", True)
                assert front.heard == b"", f"{kind}: nothing is said to whom nobody trusts"
        own = certificates.kinds["self-signed"]
        async with tls_front(port, own) as front:
            assert await first(source(front.port, pinned(own)))
            assert front.heard


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("trust", [Trust(), Trust(verify=False)])
async def test_one_that_an_authority_signed_is_trusted_and_off_trusts_all(
    pool: Pool, client: HttpClient, certificates: Certificates, folder: Path, scheme: str, trust: Trust
) -> None:
    certificate = certificates.kinds["good" if trust.verify else "expired"]
    async with served(scheme, folder) as (port, path), tls_front(port, certificate) as front:
        source = camera_at(scheme, front.port, path, trust, pool, client)
        assert await first(source)
        if isinstance(source, Snapshot):
            ends = source.certificate_end
            if trust.verify:
                assert ends is not None
                assert 0 < ends - time.time() < 400 * 86_400
            else:
                assert ends is None  # nobody has looked at it


async def test_who_comes_in_between_after_the_playlist_gets_no_login(
    pool: Pool, certificates: Certificates, folder: Path
) -> None:
    async def once(request: web.Request) -> web.StreamResponse:
        del request
        answer = web.Response(body=(folder / "size0.m3u8").read_bytes())
        answer.force_close()
        return answer

    first_then = turned(certificates.kinds["good"], certificates.kinds["self-signed"])
    async with site(folder, "me:hunter2") as camera, tls_front(camera.port, first_then) as front:
        camera.pages["/x.m3u8"] = once
        said = await failing(Stream(f"https://me:hunter2@127.0.0.1:{front.port}/x.m3u8", pool))
        assert said.reason == "tls"
        assert camera.asked == ["/x.m3u8"] * 2  # without the login, and with it
        assert b"GET /size" not in front.heard


@pytest.mark.parametrize("kind", WRONG)
async def test_segments_and_keys_of_a_playlist_are_judged_like_the_playlist(
    pool: Pool, certificates: Certificates, folder: Path, kind: str
) -> None:
    """The playlist is on a good host; what it leads to, which its entry allows, is not."""
    async with (
        site(folder, "me:hunter2") as camera,
        tls_front(camera.port, certificates.kinds["good"]) as good,
        tls_front(camera.port, certificates.kinds[kind]) as bad,
    ):
        head = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"
        evil = f"https://127.0.0.1:{bad.port}"
        camera.pages["/segments.m3u8"] = f"{head}#EXTINF:1,\n{evil}/size00.ts\n#EXT-X-ENDLIST\n".encode()
        key = f'#EXT-X-KEY:METHOD=AES-128,URI="{evil}/key"\n'
        camera.pages["/key.m3u8"] = f"{head}{key}#EXTINF:1,\nsize00.ts\n#EXT-X-ENDLIST\n".encode()
        camera.pages["/variant.m3u8"] = f"{head}#EXT-X-STREAM-INF:BANDWIDTH=1\n{evil}/size0.m3u8\n".encode()
        camera.pages["/redirect.m3u8"] = leads_to(f"{evil}/size0.m3u8")
        for name in ("segments", "key", "variant", "redirect"):
            url = f"https://me:hunter2@127.0.0.1:{good.port}/{name}.m3u8"
            said = await failing(Stream(url, pool, hosts=(f"127.0.0.1:{bad.port}",)))
            assert said.reason == "tls", (name, said)
            assert "hunter2" not in str(said)
        assert bad.heard == b""


async def test_what_an_entry_says_of_trust_and_hosts_holds(certificates: Certificates, folder: Path) -> None:
    own = certificates.kinds["self-signed"]
    async with (
        http_camera() as camera,
        http_camera() as other,
        tls_front(int(camera.url.rpartition(":")[2]), own) as front,
    ):
        sources = SourceFactory(ProducerSettings(id="p"))
        camera.elsewhere = f"{other.url}/plain"
        place = other.url.removeprefix("http://")
        text = f"""
cameras:
  - {{id: pinned, source: "https://127.0.0.1:{front.port}/plain", tls: "sha256:{own.fingerprint.hex()}"}}
  - {{id: unpinned, source: "https://127.0.0.1:{front.port}/plain"}}
  - {{id: allowed, source: "{camera.url}/elsewhere", hosts: ["{place}"]}}
  - {{id: address, source: "{camera.url}/elsewhere#host={place}"}}
  - {{id: refused, source: "{camera.url}/elsewhere"}}
"""
        file = read_cameras(text.encode(), {})
        assert file.problems == ()
        found = {
            name: sources.source(of_config(each, ProducerSettings(id="p")))
            for name, each in file.cameras.items()
        }
        for name in ("pinned", "allowed", "address"):
            assert await first(found[name]), name
        assert (await failing(found["unpinned"])).reason == "tls"
        assert (await failing(found["refused"])).reason == "elsewhere"
        await sources.close()
