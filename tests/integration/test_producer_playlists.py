"""HLS as it is and as it should not be: each hostile playlist says a sentence, and costs only its camera."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from producer.errors import SourceError
from producer.sources import stream
from producer.sources.stream import Stream
from producer.sources.streams.pool import Pool
from tests.helpers.captured import failing, first
from tests.helpers.site import Site, leads_to, site
from tests.helpers.stream_servers import segment
from tests.helpers.video_files import make, run

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEAD = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n"
END = "#EXT-X-ENDLIST\n"
KEY = bytes(range(16))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    """One process for all: a hostile playlist must not end it."""
    async with Pool(cameras=200) as pool:
        yield pool


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good ones: `all` of sizes, `whole` in parts of one MP4, `locked` with AES-128; and `v.ts`, `v.mp4`."""
    folder = tmp_path_factory.mktemp("hls")
    video = make(folder / "v.mp4", seconds=4)
    segment(video, folder, ["320x240"])
    run("-i", str(video), "-c", "copy", str(folder / "v.ts"))
    hls = ("-i", str(video), "-c", "copy", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0")
    run(*hls, "-hls_segment_type", "fmp4", "-hls_flags", "single_file", str(folder / "whole.m3u8"))
    (folder / "key").write_bytes(KEY)
    (folder / "key.info").write_text(f"key\n{folder / 'key'}\n")
    run(*hls, "-hls_key_info_file", str(folder / "key.info"), str(folder / "locked.m3u8"))
    return folder


def login(url: str) -> str:
    return url.replace("://", "://me:hunter2@")


# --- as it is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["all.m3u8", "whole.m3u8", "locked.m3u8", "v.ts?a=b", "v.mp4"])
async def test_what_cameras_send_is_played_with_a_login_for_each_request(
    pool: Pool, folder: Path, name: str
) -> None:
    async with site(folder, "me:hunter2") as camera:
        live = ".m3u8" not in name
        count = 1 if live else 30  # a file comes faster than pictures are taken
        assert len(await first(Stream(login(f"{camera.url}/{name}"), pool, live=live), count)) == count
        assert len(set(camera.authorizations)) == 1
        if not live:
            return
        assert len(camera.authorizations) >= 3


async def test_a_playlist_may_be_moved_and_called_anything(pool: Pool, folder: Path) -> None:
    async with site(folder, "me:hunter2") as camera:
        camera.pages["/snapshot"] = leads_to("/deep/er/all.m3u8")
        camera.pages["/deep/er/all.m3u8"] = leads_to(f"{camera.url}/all.m3u8")
        camera.pages["/cgi-bin/video"] = b"\xef\xbb\xbf" + (folder / "size0.m3u8").read_bytes().replace(
            b"size0", b"../size0"
        )
        for path in ("snapshot", "cgi-bin/video"):
            assert await first(Stream(login(f"{camera.url}/{path}"), pool))


async def test_another_host_is_asked_if_the_entry_allows_it_and_hears_no_login(
    pool: Pool, folder: Path
) -> None:
    async with site(folder, "me:hunter2") as camera, site(folder) as other:
        listed = (folder / "size0.m3u8").read_text().replace("size0", f"{other.url}/size0")
        camera.pages["/live.m3u8"] = listed.encode()
        camera.pages["/led.m3u8"] = leads_to(f"{other.url}/all.m3u8")
        for name in ("live", "led"):
            url = login(f"{camera.url}/{name}.m3u8")
            said = await failing(Stream(url, pool))
            assert said.reason == "elsewhere"
            assert f'add `hosts: ["127.0.0.1:{other.port}"]` to its entry' in str(said)
            assert other.asked == []
        for name in ("live", "led"):
            url = login(f"{camera.url}/{name}.m3u8")
            assert await first(Stream(url, pool, hosts=(f"127.0.0.1:{other.port}",)))
        assert other.asked
        assert other.authorizations == []


async def test_a_backup_that_is_out_of_reach_hurts_nothing(pool: Pool, folder: Path) -> None:
    async with site(folder) as camera:
        variant = "#EXT-X-STREAM-INF:BANDWIDTH=1\n"
        listed = f"{HEAD}{variant}https://backup.example/size0.m3u8\n{variant}size0.m3u8\n"
        camera.pages["/live.m3u8"] = listed.encode()
        assert await first(Stream(f"{camera.url}/live.m3u8", pool))


# --- as it should not be ---------------------------------------------------------------------------------


def one(address: str, before: str = "") -> str:
    return f"{HEAD}{before}#EXTINF:1,\n{address}\n{END}"


def hostile(folder: Path, victim: str) -> dict[str, tuple[str | bytes, str, str]]:
    """What is at the address; the word; a part of the sentence. Everything that is named exists, and can be played."""
    file = folder / "v.ts"
    data = base64.b64encode(file.read_bytes()[: 188 * 300]).decode()
    schemes = {
        name: (one(address), "elsewhere", f"something at {name}:")
        for name, address in {
            "file": f"file://{file}",
            "concat": f"concat:{file}|{file}",
            "subfile": f"subfile,,start,0,end,0,,:{file}".replace("subfile,,", "subfile://,,"),
            "gopher": f"gopher://{victim.removeprefix('http://')}/_GET",
            "ftp": "ftp://127.0.0.1/v.ts",
            "tcp": f"tcp://{victim.removeprefix('http://')}",
            "udp": "udp://127.0.0.1:9",
            "unix": "unix:/run/docker.sock",
            "pipe": "pipe:0",
            "rtmp": "rtmp://127.0.0.1/live",
            "async": f"async:{file}",
            "fd": "fd:0",
        }.items()
    }
    key = "#EXT-X-KEY:METHOD=AES-128,URI="
    many = "".join(f"#EXTINF:1,\n{n}.ts\n" for n in range(20_000))
    return {
        **schemes,
        "data": (one(f"data:video/mp2t;base64,{data[:1500]}"), "elsewhere", "something at data:"),
        "long data": (one(f"data:video/mp2t;base64,{data}"), "playlist", "more than 2,000 characters"),
        "file in another way": (one(f"file:{file}"), "elsewhere", "something at file:"),
        "path": (one(str(file)), "not_found", "404"),
        "up and up": (one("../../../../.." + str(file)), "not_found", "404"),
        "crypto of a file": (one(f"crypto:{file}"), "elsewhere", "something at crypto:"),
        "crypto+file": (one(f"crypto+file://{file}"), "elsewhere", "something at"),
        "key from a file": (one("v.ts", f'{key}"file://{folder}/key"\n'), "elsewhere", "something at file:"),
        "key from elsewhere": (one("v.ts", f'{key}"{victim}/key"\n'), "elsewhere", "does not name"),
        "key without quotes": (one("v.ts", f"{key}{victim}/key\n"), "elsewhere", "does not name"),
        "key that does not fit": (one("short.ts", f'{key}"key"\n'), "not_a_video", ""),
        "map elsewhere": (one("v.ts", f'#EXT-X-MAP:URI="{victim}/v.ts"\n'), "elsewhere", "does not name"),
        "segment elsewhere": (one(f"{victim}/v.ts"), "elsewhere", "does not name"),
        "network link": (one("http://169.254.169.254/latest/meta-data.ts"), "elsewhere", "169.254.169.254"),
        "this machine": (one("http://[::ffff:127.0.0.1]/v.ts"), "elsewhere", "does not name"),
        "this machine in short": (one("http://127.1/v.ts"), "elsewhere", "does not name"),
        "redirect elsewhere": (one("led.ts"), "elsewhere", "does not name"),
        "playlist elsewhere": (
            f"{HEAD}#EXT-X-STREAM-INF:\n{victim}/size0.m3u8\n",
            "elsewhere",
            "does not name",
        ),
        "redirect to a file": (one("filed.ts"), "redirects", "not an HTTP address"),
        "itself": (f"{HEAD}#EXT-X-STREAM-INF:\nitself.m3u8\n", "playlist", "playlists of playlists"),
        "sound is itself": (
            f'{HEAD}#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="sound is itself.m3u8"\n'
            '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nsound is itself.m3u8\n',
            "playlist",
            "playlists of playlists",
        ),
        "a playlist as segment": (one("size0.m3u8"), "", ""),
        "many segments": (HEAD + many + END, "playlist", "more than 10,000 addresses"),
        "many sizes": (
            HEAD + "".join(f"#EXT-X-STREAM-INF:\n{n}.m3u8\n" for n in range(1_000)),
            "playlist",
            "names more than 50 others",
        ),
        "many that are not there": (HEAD + many[:100_000] + END, "not_found", "404"),
        "DASH": ("<?xml version='1.0'?><MPD><BaseURL>file:///etc/</BaseURL></MPD>", "not_a_video", ""),
        "ffconcat": (f"ffconcat version 1.0\nfile {file}\n", "not_a_video", ""),
        "SDP": ("v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 33\n", "not_a_video", ""),
        "ASX": ("<asx version='3'><entry><ref href='file:///etc/passwd'/></entry></asx>", "not_a_video", ""),
        "lines of numbers": ("#EXTM3U\n" + "#EXTINF:" * 50_000, "closed", ""),
        "nothing": ("#EXTM3U\n", "closed", ""),
        "bytes far away": (one("v.ts", "#EXT-X-BYTERANGE:99@99999999999\n"), "http_4xx", "416"),
        "bytes before the beginning": (one("v.ts", "#EXT-X-BYTERANGE:-5@-9\n"), "", ""),
    }


DURATIONS = ["-5", "nan", "inf", "1e308", "0", "99999999999999999999", "x", ""]


async def test_each_hostile_playlist_is_told_and_leads_nowhere(
    pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "OPEN_TIMEOUT", 5.0)
    monkeypatch.setattr(stream, "HLS_READ_TIMEOUT", 5.0)
    async with site(folder) as camera, site(folder) as victim:
        camera.pages["/led.ts"] = leads_to(f"{victim.url}/v.ts")
        camera.pages["/short.ts"] = bytes(10)
        camera.pages["/filed.ts"] = leads_to(f"file://{folder}/v.ts")
        listed = hostile(folder, victim.url)
        for name, (body, _, _) in listed.items():
            camera.pages[f"/{name}.m3u8"] = body.encode() if isinstance(body, str) else body
        said = dict(
            zip(listed, await asyncio.gather(*(ended(pool, camera, name) for name in listed)), strict=True)
        )
        wrong = {
            name: f"{error.reason}: {error}"
            for (name, error), (_, reason, told) in zip(said.items(), listed.values(), strict=True)
            if (reason and error.reason != reason) or told not in str(error)
        }
        assert not wrong, "\n".join(f"{name}: {text}" for name, text in wrong.items())
        assert victim.asked == [], "nothing is asked of a host that the camera's entry does not name"
        assert len(pool.pids) == 1, "the process that they were in goes on"
        assert await first(Stream(f"{camera.url}/all.m3u8", pool)), "and so does a good one in it"


async def ended(pool: Pool, camera: Site, name: str) -> SourceError:
    error = await failing(Stream(f"{camera.url}/{name}.m3u8", pool))
    assert error.reason not in ("error", "crashed", "stuck", "memory", "restarted"), (name, str(error))
    return error


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    await answer.write(b"#EXTM3U\n")
    while True:
        await answer.write(b"#EXTINF:1,\na.ts\n" * 1_000)


async def _dripping(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    for piece in (b"#EXTM3U\n", *([b"#"] * 1_000)):
        await answer.write(piece)
        await asyncio.sleep(0.05)
    return answer


async def _packed(request: web.Request) -> web.StreamResponse:
    del request
    answer = web.Response(body=b"#EXTM3U\n" + b"#" * 4_000_000)
    answer.enable_compression(web.ContentCoding.gzip)
    return answer


WITHOUT_END = {
    "endless": (_endless, "playlist"),
    "dripping": (_dripping, "timeout"),
    "packed": (_packed, "playlist"),
}


async def test_a_playlist_without_end_is_given_up(
    pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "OPEN_TIMEOUT", 4.0)
    async with site(folder) as camera:
        camera.pages |= {f"/{name}.m3u8": answer for name, (answer, _) in WITHOUT_END.items()}
        said = await asyncio.gather(*(ended(pool, camera, name) for name in WITHOUT_END))
        assert [error.reason for error in said] == [reason for _, reason in WITHOUT_END.values()]


async def test_durations_that_are_none_are_played_or_told(
    pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "OPEN_TIMEOUT", 5.0)
    monkeypatch.setattr(stream, "HLS_READ_TIMEOUT", 5.0)
    listed = (folder / "size0.m3u8").read_text()

    async def played(camera: Site, number: int, duration: str) -> str:
        lines = [
            f"#EXTINF:{duration}," if line.startswith("#EXTINF") else line for line in listed.splitlines()
        ]
        camera.pages[f"/{number}.m3u8"] = (
            "\n".join(lines).replace("DURATION:1", f"DURATION:{duration}").encode()
        )
        try:
            await first(Stream(f"{camera.url}/{number}.m3u8", pool))
        except SourceError as error:
            return error.reason
        return "played"

    async with site(folder) as camera:
        ends = await asyncio.gather(*(played(camera, n, each) for n, each in enumerate(DURATIONS)))
    assert set(ends) <= {"played", "not_a_video", "timeout", "closed"}
    assert ends.count("played") >= 3
    assert len(pool.pids) == 1


async def test_a_playlist_that_wants_to_be_asked_all_the_time_is_asked_ten_times_a_second(
    pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HLS_READ_TIMEOUT", 3.0)
    async with site(folder) as camera:
        head = "#EXTM3U\n#EXT-X-TARGETDURATION:0\n"
        camera.pages["/x.m3u8"] = f"{head}#EXTINF:0,\nv.ts\n".encode()
        begin = time.monotonic()
        await failing(Stream(f"{camera.url}/x.m3u8", pool))
        assert len(camera.asked) <= 62 + 10 * (time.monotonic() - begin)
