"""Real servers of streams: GStreamer's for RTSP, ffmpeg's for RTMP, a web server for HLS. All end with their block."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from aiohttp import web

from cli.ports import free_port
from tests.helpers.components import require
from tests.helpers.eventually import eventually
from tests.helpers.video_files import run

GST_RTSP = Path(__file__).with_name("gst_rtsp.py")


@contextlib.contextmanager
def rtsp_server(user: str = "-", **files: Path) -> Iterator[str]:
    """H.264 files in MP4, each at `/<name>`, for `user:password` or all; yields host and port."""
    require("gst-rtsp-server")
    process = subprocess.Popen(
        ["/usr/bin/python3", str(GST_RTSP), user, *(f"{name}={file}" for name, file in files.items())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@contextlib.contextmanager
def rtmp_server(file: Path) -> Iterator[str]:
    """The H.264 file in its own time, for one client; yields the address."""
    port = free_port()
    url = f"rtmp://127.0.0.1:{port}/live/yard"
    process = subprocess.Popen(
        [
            require("ffmpeg"),
            "-v",
            "quiet",
            "-re",
            "-i",
            str(file),
            "-c",
            "copy",
            "-f",
            "flv",
            "-listen",
            "1",
            url,
        ],
        stdin=subprocess.DEVNULL,
    )
    with process:
        try:
            eventually("ffmpeg listens", lambda: _listens(port), 10)
            yield url
        finally:
            process.kill()


def _listens(port: int) -> bool:
    # Not by connecting: it serves one client only.
    lines = Path("/proc/net/tcp").read_text().splitlines()
    return any(f":{port:04X} " in line and line.split()[3] == "0A" for line in lines)


def segment(file: Path, folder: Path, sizes: list[str]) -> Path:
    """The video as a playlist of playlists, one per size, in segments of a second."""
    scaled = ";".join(f"[i{n}]scale={size.replace('x', ':')}[o{n}]" for n, size in enumerate(sizes))
    split = f"[0:v]split={len(sizes)}{''.join(f'[i{n}]' for n in range(len(sizes)))}"
    outputs = [
        word for n in range(len(sizes)) for word in ("-map", f"[o{n}]", f"-b:v:{n}", f"{200 * (n + 1)}k")
    ]
    run(
        *("-i", str(file), "-filter_complex", f"{split};{scaled}", *outputs),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-f", "hls", "-hls_time", "1"),
        *("-hls_list_size", "0", "-master_pl_name", "all.m3u8"),
        *("-var_stream_map", " ".join(f"v:{n}" for n in range(len(sizes))), str(folder / "size%v.m3u8")),
    )
    return folder / "all.m3u8"


class Web:
    """Serves a folder, counts what is asked for, and misbehaves at /status/CODE/, /html/ and /silent/."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self.url = ""
        self._folder = folder

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        match request.path.split("/")[1:]:
            case ["status", code, _]:
                return web.Response(status=int(code))
            case ["html", _]:
                return web.Response(text="<html>log in", content_type="text/html")
            case ["silent", _]:
                await asyncio.sleep(60)
        return web.FileResponse(self._folder / request.path.lstrip("/"))


@contextlib.asynccontextmanager
async def web_server(folder: Path) -> AsyncIterator[Web]:
    """An HTTP server with that folder."""
    served = Web(folder)
    app = web.Application()
    app.router.add_get("/{path:.*}", served.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        served.url = f"http://{host}:{port}"
        yield served
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def mute_server() -> AsyncIterator[str]:
    """Takes connections and never says a word; yields host and port."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"{host}:{port}"
