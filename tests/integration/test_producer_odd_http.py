"""HTTP cameras that break the rules and whose picture every browser shows; on real sockets, byte for byte."""

import gzip
import hashlib
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from producer.errors import SourceError
from producer.frames import Captured, Skipped
from producer.sources.http.client import HttpClient
from producer.sources.snapshot import Snapshot
from producer.sources.stream import Stream
from producer.sources.streams.pool import Pool
from producer.trust import Trust, parse_fingerprint
from tests.helpers.frames import data, failure, granted, read
from tests.helpers.media import jpeg
from tests.helpers.raw_http import Manner, raw_camera, self_signed
from tests.helpers.video_files import make

PICTURE = jpeg(1)
N = len(PICTURE)
OK = b"HTTP/1.1 200 OK\r\n"
JPEG = OK + b"Content-Type: image/jpeg\r\n"
LENGTH = b"Content-Length: %d\r\n" % N
PARTS = OK + b"Content-Type: multipart/x-mixed-replace; boundary=X\r\n\r\n"
PART = b"--X\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (N, PICTURE)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"%x\r\n%b\r\n%x;a=b\r\n%b\r\n0\r\n\r\n" % (100, PICTURE[:100], N - 100, PICTURE[100:])

SNAPSHOTS: dict[str, tuple[Manner, bytes]] = {
    "padded": ("keeps", JPEG + b"Content-Length: %d\r\n\r\n" % (N + 4096) + PICTURE + bytes(4096)),
    "a film after it": (
        "keeps",
        JPEG + b"Content-Length: %d\r\n\r\n" % (N + 9_000_000) + PICTURE + bytes(400_000),
    ),
    "a line break, and a film after it": (
        "holds",
        JPEG + b"Content-Length: %d\r\n\r\n\r\n" % (N + 90_000_000) + PICTURE + bytes(400_000),
    ),
    "led by a line break": ("keeps", JPEG + b"Content-Length: %d\r\n\r\n\r\n" % (N + 2) + PICTURE),
    "led by a byte order mark": ("closes", JPEG + b"\r\n\xef\xbb\xbf" + PICTURE),
    "length too large": ("closes", JPEG + b"Content-Length: %d\r\n\r\n" % (N + 48) + PICTURE),
    "length too large, and held": ("holds", JPEG + b"Content-Length: %d\r\n\r\n" % (N + 48) + PICTURE),
    "length of 2 GB, and held": ("holds", JPEG + b"Content-Length: 2147483647\r\n\r\n" + PICTURE),
    "length too small": ("closes", JPEG + b"Content-Length: %d\r\n\r\n" % (N - 48) + PICTURE),
    "length too small, and kept": ("keeps", JPEG + b"Content-Length: %d\r\n\r\n" % (N - 48) + PICTURE),
    "more than its length": ("keeps", JPEG + LENGTH + b"\r\n" + PICTURE + bytes(48)),
    "length 0": ("closes", JPEG + b"Content-Length: 0\r\n\r\n" + PICTURE),
    "length -1": ("closes", JPEG + b"Content-Length: -1\r\n\r\n" + PICTURE),
    "length that is not a number": ("closes", JPEG + b"Content-Length: many\r\n\r\n" + PICTURE),
    "length empty": ("closes", JPEG + b"Content-Length: \r\n\r\n" + PICTURE),
    "length twice": ("keeps", JPEG + LENGTH + LENGTH + b"\r\n" + PICTURE),
    "two lengths": ("keeps", JPEG + LENGTH + b"Content-Length: 7\r\n\r\n" + PICTURE),
    "no length, and held": ("holds", JPEG + b"\r\n" + PICTURE),
    "no length, and reset": ("resets", JPEG + b"\r\n" + PICTURE),
    "length and chunks": ("keeps", JPEG + LENGTH + CHUNKED + CHUNKS),
    "chunks": ("keeps", JPEG + CHUNKED + CHUNKS),
    "chunks without an end": ("closes", JPEG + CHUNKED + CHUNKS[:-5]),
    "chunks without an end, and held": ("holds", JPEG + CHUNKED + CHUNKS[:-5]),
    "said to be chunks": ("closes", JPEG + CHUNKED + PICTURE),
    "chunks twice": ("keeps", JPEG + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNKS),
    "a line without a name": (
        "keeps",
        JPEG + b"Tue, 12 Jun 2012 01:56:34 GMT\r\n" + LENGTH + b"\r\n" + PICTURE,
    ),
    "a line of a colon": ("keeps", JPEG + b": x\r\n" + LENGTH + b"\r\n" + PICTURE),
    "a line without a colon": ("keeps", JPEG + b"no-cache\r\n" + LENGTH + b"\r\n" + PICTURE),
    "a blank before the colon": ("keeps", JPEG + b"Content-Length : %d\r\n\r\n" % N + PICTURE),
    "a name of two words": ("keeps", JPEG + b"My Header: x\r\n" + LENGTH + b"\r\n" + PICTURE),
    "a NUL": ("keeps", JPEG + b"X-Serial: 12\0\r\n" + LENGTH + b"\r\n" + PICTURE),
    "control characters": ("keeps", JPEG + b"X: \x01\x7f\x1b[0m\r\n" + LENGTH + b"\r\n" + PICTURE),
    "latin-1": ("keeps", JPEG + b"X: Stra\xdfe\r\n" + LENGTH + b"\r\n" + PICTURE),
    "a folded line": ("keeps", JPEG + b"X: a\r\n b\r\n" + LENGTH + b"\r\n" + PICTURE),
    "folded from the start": ("keeps", OK + b" X: a\r\n" + LENGTH + b"\r\n" + PICTURE),
    "line feeds": ("closes", (JPEG + LENGTH).replace(b"\r\n", b"\n") + b"\n" + PICTURE),
    "line feeds and a NUL": (
        "closes",
        (JPEG + b"X:\0\r\n" + LENGTH).replace(b"\r\n", b"\n") + b"\n" + PICTURE,
    ),
    "a line break before it": ("closes", b"\r\n" + JPEG + LENGTH + b"\r\n" + PICTURE),
    "a long line": ("keeps", JPEG + b"X: " + b"x" * 20_000 + b"\r\n" + LENGTH + b"\r\n" + PICTURE),
    "no empty line": ("closes", JPEG + LENGTH + PICTURE),
    "no head": ("closes", PICTURE),
    "ICY": ("closes", b"ICY 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + PICTURE),
    "no version": ("closes", b"HTTP 200 OK\r\n\r\n" + PICTURE),
    "HTTP/1.1 only": ("closes", b"HTTP/1.1 200\r\n\r\n" + PICTURE),
    "two blanks": ("closes", b"HTTP/1.1  200  OK\r\n\r\n" + PICTURE),
    "an interim answer": ("closes", b"HTTP/1.1 100 Continue\r\n\r\n" + JPEG + LENGTH + b"\r\n" + PICTURE),
    "an interim answer and a NUL": (
        "closes",
        b"HTTP/1.1 102 Processing\r\nX: \0\r\n\r\n" + JPEG + LENGTH + b"\r\n" + PICTURE,
    ),
    "gzip": ("closes", JPEG + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(PICTURE)),
    "gzip, not said": ("closes", JPEG + b"X: \0\r\n\r\n" + gzip.compress(PICTURE)),
    "said to be gzip": ("closes", JPEG + b"Content-Encoding: gzip\r\n" + LENGTH + b"\r\n" + PICTURE),
    "an encoding that is none": ("closes", JPEG + b"Content-Encoding: none\r\n" + LENGTH + b"\r\n" + PICTURE),
    "text/html": ("closes", OK + b"Content-Type: text/html\r\n" + LENGTH + b"\r\n" + PICTURE),
    "no type": ("closes", OK + LENGTH + b"\r\n" + PICTURE),
    "a type that is none": ("closes", OK + b"Content-Type: \xff\r\n" + LENGTH + b"\r\n" + PICTURE),
    "multipart in vain": ("closes", PARTS + PICTURE),
    "one part": ("closes", PARTS + PART),
    "one part, and its end": ("holds", PARTS + PART + b"--X--\r\n"),
    "one part said to be a picture": ("closes", JPEG + b"\r\n" + PART + b"--X--\r\n"),
}


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with HttpClient() as client:
        yield client


@pytest.mark.parametrize("name", SNAPSHOTS)
async def test_a_picture_that_every_browser_shows(name: str, client: HttpClient) -> None:
    manner, answer = SNAPSHOTS[name]
    async with raw_camera(answer, manner=manner) as camera:
        began = time.monotonic()
        seen = await read(Snapshot(camera.url, client, fps=50, seconds=5.0), 4)
    assert [data(item) for item in seen] == [PICTURE] * 4
    assert time.monotonic() - began < 4, "nobody waits for what does not come"


STREAMS: dict[str, tuple[Manner, bytes]] = {
    "a stream said to be a picture": ("holds", JPEG + b"\r\n" + PART * 5),
    "with a length": ("holds", JPEG + b"Content-Length: 999999999\r\n\r\n" + PART * 5),
    "without a type": ("holds", b"HTTP/1.0 200 OK\r\n\r\n" + PART * 5),
    "without a head": ("holds", PART * 5),
    "bare pictures": ("holds", JPEG + b"\r\n" + PICTURE * 5),
    "bare pictures in chunks": ("holds", JPEG + CHUNKED + b"%x\r\n%b\r\n" % (5 * N, PICTURE * 5)),
    "bare pictures said to be parts": ("holds", PARTS + PICTURE * 5),
    "a header that is none": ("holds", PARTS[:-2] + b"no-cache\r\n\r\n" + PART * 5),
    "another boundary": ("holds", PARTS + PART.replace(b"--X", b"--Y") * 5),
    "a boundary without dashes": ("holds", PARTS + PART.replace(b"--X", b"X") * 5),
    "empty parts": ("holds", PARTS + (b"--X\r\nContent-Length: 0\r\n\r\n\r\n" * 30 + PART) * 5),
    "text parts": ("holds", PARTS + (b"--X\r\nContent-Type: text/plain\r\n\r\nok\r\n" * 30 + PART) * 5),
    "lengths that are wrong": ("holds", PARTS + PART.replace(b"Length: ", b"Length: 9") * 5),
    "padded parts": ("holds", PARTS + PART.replace(PICTURE, PICTURE + bytes(5000)) * 5),
}


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_that_every_browser_shows(name: str, client: HttpClient) -> None:
    manner, answer = STREAMS[name]
    async with raw_camera(answer, manner=manner) as camera:
        seen = await read(Snapshot(camera.url, client, fps=1000, seconds=5.0), 5)
    pictures = [item for item in seen if isinstance(item, Captured)]
    assert pictures
    assert {data(item) for item in pictures} == {PICTURE}
    assert {item for item in seen if isinstance(item, Skipped)} <= {Skipped("replaced"), Skipped("rate")}


async def test_who_needs_the_tolerant_reader_is_remembered_and_forgotten_when_it_fails(
    client: HttpClient,
) -> None:
    _, broken = SNAPSHOTS["a line without a colon"]
    good = JPEG + LENGTH + b"\r\n" + PICTURE
    async with raw_camera(broken, broken, broken, b"SSH-2.0-x\r\n", good) as camera:
        source = Snapshot(camera.url, client, fps=100)
        await read(source, 2)
        tolerant = ["Connection: close" in head for head in camera.heads]
        assert tolerant == [False, True, True], "the strict client first, then only the other"
        assert (await failure(source)).reason == "not_http"
        await read(source, 2)
        assert ["Connection: close" in head for head in camera.heads[4:]] == [False, False]


async def test_a_connection_is_kept_where_the_answer_has_an_end(client: HttpClient) -> None:
    _, padded = SNAPSHOTS["padded"]
    async with raw_camera(padded) as camera:
        await read(Snapshot(camera.url, client, fps=100), 5)
        assert camera.connections == 1


async def test_pictures_that_are_really_cut_off_are_told(client: HttpClient) -> None:
    cut = JPEG + b"Content-Length: %d\r\n\r\n" % (N - 50) + PICTURE[:-50]
    async with raw_camera(cut, manner="closes") as camera:
        said = await failure(Snapshot(camera.url, client))
    assert (said.reason, "cut off" in str(said)) == ("not_an_image", True)


VIDEOS = {
    "FLV video": b"FLV\1\1\0\0\0\x09" + bytes(4000),
    "MPEG-TS video": (b"\x47" + bytes(187)) * 20,
    "MP4 video": b"\0\0\0\x18ftypmp42" + bytes(4000),
    "H.264 or H.265 video": b"\0\0\0\1\x67" + bytes(4000),
}


@pytest.mark.parametrize("name", VIDEOS)
async def test_video_is_left_to_those_who_read_it_or_refused_by_name_at_once(
    name: str, client: HttpClient
) -> None:
    async with raw_camera(OK + b"Content-Type: image/jpeg\r\n\r\n" + VIDEOS[name], manner="holds") as camera:
        said = await failure(Snapshot(camera.url, client))
        assert (said.reason, name in str(said)) == ("video", True)
        asked: list[bool] = []

        def video(playlist: bool) -> Snapshot:
            asked.append(playlist)
            return Snapshot(other.url, client)

        async with raw_camera(JPEG + LENGTH + b"\r\n" + PICTURE) as other:
            (frame,) = await read(Snapshot(camera.url, client, video=video), 1)
        assert data(frame) == PICTURE
        assert asked == [False]


@pytest.mark.parametrize("suffix", ["flv", "ts"])
async def test_video_over_http_is_read_as_the_stream_that_it_is(
    suffix: str, tmp_path: Path, client: HttpClient
) -> None:
    film = make(tmp_path / f"film.{suffix}", seconds=8).read_bytes()
    async with (
        raw_camera(OK + b"Content-Type: image/jpeg\r\n\r\n" + film, manner="holds") as camera,
        Pool() as pool,
    ):
        url = camera.url
        source = Snapshot(url, client, video=lambda playlist: Stream(url, pool, live=not playlist))
        seen = await read(source, 5)
    assert any(isinstance(item, Captured) for item in seen)


async def test_video_that_gives_no_picture_is_called_that(client: HttpClient) -> None:
    nothing = VIDEOS["FLV video"]
    async with raw_camera(OK + b"\r\n" + nothing, manner="closes") as camera, Pool() as pool:
        url = camera.url
        said = await failure(
            Snapshot(url, client, video=lambda playlist: Stream(url, pool, live=not playlist))
        )
    assert (said.reason, "sends FLV video, but no picture" in str(said)) == ("no_frames", True)


async def test_what_is_said_to_be_video_is_not_waited_for(client: HttpClient) -> None:
    async with raw_camera(
        OK + b"Content-Type: video/x-unheard-of\r\n\r\n" + bytes(300), manner="holds"
    ) as camera:
        assert "video/x-unheard-of" in str(await failure(Snapshot(camera.url, client)))


async def test_other_formats_are_refused_by_name(client: HttpClient) -> None:
    webp = b"RIFF\x10\0\0\0WEBPVP8 " + bytes(300)
    async with raw_camera(OK + b"Content-Type: image/jpeg\r\n\r\n" + webp, manner="closes") as camera:
        assert "image/jpeg that is WebP, not with a JPEG or PNG" in str(
            await failure(Snapshot(camera.url, client))
        )


# --- logins ---------------------------------------------------------------------------------------------

MD5 = b'WWW-Authenticate: Digest realm="c", nonce="1", qop="auth"\r\n'
BASIC = b'WWW-Authenticate: Basic realm="c"\r\n'
NO_BODY = b"Content-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 401 Unauthorized\r\n"
GOOD = JPEG + LENGTH + b"\r\n" + PICTURE


def with_login(url: str) -> str:
    return url.replace("://", "://user:pass@")


@pytest.mark.parametrize(
    ("offers", "sent"),
    [
        (BASIC + MD5, "Digest"),
        (MD5 + BASIC, "Digest"),
        (b'WWW-Authenticate: Basic realm="c", Digest realm="c", nonce="1"\r\n', "Digest"),
        (b'WWW-Authenticate: Digest realm="c", nonce="1", algorithm=SHA-512-256\r\n', "Digest"),
        (b"WWW-Authenticate: NTLM\r\nWWW-Authenticate: Negotiate\r\n" + MD5, "Digest"),
        (BASIC, "Basic"),
        (b'WWW-Authenticate: Digest realm="c", nonce="1", algorithm=SHA3\r\n' + BASIC, ""),
        (b"WWW-Authenticate: NTLM\r\n", ""),
        (b"", ""),
    ],
)
@pytest.mark.parametrize("odd", [b"", b"X: \0\r\n"])
async def test_what_is_on_the_wire_of_a_login(
    offers: bytes, sent: str, odd: bytes, client: HttpClient
) -> None:
    async with raw_camera(REFUSED + offers + odd + NO_BODY, manner="closes") as camera:
        said = await failure(Snapshot(with_login(camera.url), client))
        assert said.reason == "unauthorised"
        assert {way.partition(" ")[0] for way in camera.authorizations()} == {"", sent}
        assert "dXNlcjpwYXNz" not in "".join(camera.heads) or sent == "Basic"


async def test_a_digest_counts_its_requests_and_takes_a_new_nonce_when_the_old_one_is_stale(
    client: HttpClient,
) -> None:
    stale = REFUSED + MD5.replace(b'"1"', b'"2", stale=true') + NO_BODY
    async with raw_camera(REFUSED + MD5 + NO_BODY, GOOD, GOOD, stale, GOOD) as camera:
        await read(Snapshot(with_login(camera.url), client, fps=100), 4)
        sent = camera.authorizations()
    assert [('nonce="2"' in way, way.partition("nc=")[2][:8]) for way in sent[1:]] == [
        (False, "00000001"),
        (False, "00000002"),
        (False, "00000003"),
        (True, "00000001"),
        (True, "00000002"),
    ]
    assert all('uri="/x.jpg?a=b"' in way for way in sent[1:])


async def test_a_nonce_that_is_refused_without_being_called_stale_is_replaced_at_once(
    client: HttpClient,
) -> None:
    again = REFUSED + MD5.replace(b'"1"', b'"2"') + NO_BODY
    async with raw_camera(REFUSED + MD5 + NO_BODY, GOOD, again, GOOD) as camera:
        assert len(await read(Snapshot(with_login(camera.url), client, fps=100), 3)) == 3


# --- certificates ---------------------------------------------------------------------------------------


@pytest.fixture
def own_certificate(tmp_path: Path) -> tuple[object, bytes]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificates: apt install openssl")
    return self_signed(tmp_path)


@pytest.mark.parametrize("answer", [GOOD, SNAPSHOTS["a NUL"][1]])
async def test_a_camera_s_own_certificate_is_trusted_by_its_fingerprint(
    answer: bytes, own_certificate: tuple[object, bytes], client: HttpClient
) -> None:
    context, certificate = own_certificate
    fingerprint = hashlib.sha256(certificate).digest()
    async with raw_camera(answer, context=context) as camera:  # type: ignore[arg-type]
        said = await failure(Snapshot(camera.url, client))
        assert said.reason == "tls"
        assert f"write `tls: sha256:{fingerprint.hex()}`" in str(said)
        assert not camera.heads, "nothing is asked of whom nobody trusts"

        named = parse_fingerprint(str(said).rpartition("tls: ")[2].strip("`"))
        assert len(await read(Snapshot(camera.url, client, fps=100, trust=Trust(fingerprint=named)), 2)) == 2
        assert len(await read(Snapshot(camera.url, client, fps=100, trust=Trust(verify=False)), 2)) == 2

        asked = len(camera.heads)
        other = Snapshot(camera.url, client, trust=Trust(fingerprint=bytes(32)))
        for _ in range(2):
            said = await failure(other)
            assert (said.reason, "another certificate" in str(said)) == ("tls", True)
            other._address.needs_tolerance = True  # whoever reads it
        assert len(camera.heads) == asked, "no login is said to whom nobody trusts"


async def test_a_connection_is_kept_with_a_fingerprint_too(
    own_certificate: tuple[object, bytes], client: HttpClient
) -> None:
    context, certificate = own_certificate
    trust = Trust(fingerprint=hashlib.sha256(certificate).digest())
    async with raw_camera(GOOD, context=context) as camera:  # type: ignore[arg-type]
        await read(Snapshot(camera.url, client, fps=100, trust=trust), 5)
        assert camera.connections == 1


async def test_a_slow_picture_has_the_time_that_it_is_given(client: HttpClient) -> None:
    async with raw_camera(JPEG + b"Content-Length: 99999\r\n\r\n\xff\xd8\xff", manner="holds") as camera:
        began = time.monotonic()
        frames = granted(Snapshot(camera.url, client, seconds=0.5))
        with pytest.raises(SourceError, match="does not answer in time"):
            await anext(frames)
        assert 0.4 < time.monotonic() - began < 3
