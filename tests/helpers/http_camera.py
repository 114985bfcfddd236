"""A server full of HTTP cameras, good and bad: what each does is the name of its path."""

import asyncio
import base64
import gzip
import hashlib
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import cv2

from tests.helpers.http_server import HttpServer, Request
from tests.helpers.media import image, jpeg, png

MIB = 1024 * 1024
USER, PASSWORD = "me", "pa ss:word"


class HttpCamera(HttpServer):
    """The cameras; `picture` is what the good ones show."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = jpeg(1)
        self.elsewhere = ""
        """Where `/elsewhere` redirects to."""
        self.go_on = asyncio.Event()
        """Cameras that wait (`/waits`) answer when this is set."""
        self.went_on = asyncio.Event()
        """Set by a camera that has sent what it was to send (`/burst`)."""

    # --- good ones --------------------------------------------------------------------------------------

    async def on_good(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """Tells its pictures apart by ETag."""
        tag = f'"{hashlib.sha256(self.picture).hexdigest()}"'
        if request.headers.get("if-none-match") == tag:
            writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        else:
            _answer(writer, self.picture, f"Content-Type: image/jpeg\r\nETag: {tag}")

    async def on_plain(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        _answer(writer, self.picture)

    async def on_late(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """Thinks before its first byte, and sends slowly then: a second each."""
        await asyncio.sleep(1.0)
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.picture)}\r\n\r\n".encode())
        for at in range(0, len(self.picture), len(self.picture) // 10 + 1):
            writer.write(self.picture[at : at + len(self.picture) // 10 + 1])
            await asyncio.sleep(0.1)

    async def on_resizes(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """Another resolution each time."""
        _answer(writer, sized(len(self.asked(request.path))))

    async def on_packed(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """Compresses although it was asked not to."""
        _answer(writer, gzip.compress(self.picture), "Content-Encoding: gzip")

    async def on_secret(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """Wants Basic."""
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") == expected:
            _answer(writer, png())
        else:
            _answer(writer, b"no", 'WWW-Authenticate: Basic realm="camera"', status=401)

    async def on_digest(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """Wants Digest, MD5 with qop=auth, as most cameras do."""
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', request.headers.get("authorization", "")))
        if fields.get("response") == _digest(fields):
            _answer(writer, self.picture)
        else:
            challenge = 'WWW-Authenticate: Digest realm="camera", nonce="abc", qop="auth", algorithm=MD5'
            _answer(writer, b"no", challenge, status=401)

    async def on_waits(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        await self.go_on.wait()
        _answer(writer, self.picture)

    async def on_slow(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        await asyncio.sleep(0.15)
        _answer(writer, self.picture)

    # --- bad ones ---------------------------------------------------------------------------------------

    async def on_status(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        _answer(writer, b"", status=int(argument))

    async def on_rests(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        _answer(writer, b"", f"Retry-After: {argument}", status=503)

    async def on_html(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        _answer(writer, b"<html>log in", "Content-Type: text/html")

    async def on_cut(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        _answer(writer, self.picture[:-50])

    async def on_nothing(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        _answer(writer, b"")

    async def on_around(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        _answer(writer, b"", "Location: /around", status=302)

    async def on_hops(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """Redirects as many times as it is told, then shows a picture."""
        if argument == "0":
            _answer(writer, self.picture)
        else:
            _answer(writer, b"", f"Location: /hops/{int(argument) - 1}", status=302)

    async def on_elsewhere(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        _answer(writer, b"", f"Location: {self.elsewhere}", status=302)

    async def on_announced(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {200 * MIB}\r\n\r\n".encode())
        await _flood(writer)

    async def on_endless(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await _flood(writer)
        writer.transport.abort()

    async def on_bomb(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """200 MiB in 200 KB."""
        _answer(writer, _bomb(), "Content-Encoding: gzip")

    async def on_stalls(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n\xff\xd8\xff")
        await asyncio.Event().wait()

    async def on_silent(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        await asyncio.Event().wait()

    async def on_trickles(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.transport.is_closing():
            writer.write(b"\xff")
            await asyncio.sleep(0.05)

    async def on_closes(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n\xff\xd8\xff")
        await writer.drain()
        writer.transport.abort()

    async def on_babbles(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")

    # --- streams ----------------------------------------------------------------------------------------

    async def on_mjpeg(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """A new resolution with each part, 20 a second."""
        _stream(writer)
        number = 0
        while not writer.transport.is_closing():
            number += 1
            _part(writer, sized(number))
            await writer.drain()
            await asyncio.sleep(0.05)

    async def on_burst(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """So many parts as fast as the client takes them, each with its number in the picture; then silence."""
        _stream(writer)
        for number in range(1, int(argument) + 1):
            _part(writer, numbered(self.picture, number))
            await writer.drain()
        self.went_on.set()
        await asyncio.Event().wait()

    async def on_ends(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        _stream(writer)
        _part(writer, self.picture)
        writer.write(b"--frame--\r\n")
        await writer.drain()
        writer.transport.abort()

    async def on_breaks(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """A stream that breaks off in its first picture."""
        _stream(writer)
        writer.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + self.picture[:-50])
        await writer.drain()
        writer.transport.abort()

    async def on_lives(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """A picture a second, and empty parts in between."""
        _stream(writer)
        while not writer.transport.is_closing():
            _part(writer, self.picture)
            for _ in range(20):
                _part(writer, b"")
                await writer.drain()
                await asyncio.sleep(0.05)

    async def on_flood(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """A stream whose one picture has no end."""
        _stream(writer)
        writer.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff")
        await _flood(writer)

    async def on_promises(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """A stream whose picture would be 200 MiB."""
        _stream(writer)
        writer.write(f"--frame\r\nContent-Length: {200 * MIB}\r\n\r\n".encode())
        await asyncio.Event().wait()

    async def on_text(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """A stream of parts that are no pictures."""
        _stream(writer)
        while not writer.transport.is_closing():
            _part(writer, b"motion detected")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def on_coded(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """An answer in a coding that nobody asked for."""
        _answer(writer, bytes(range(1, 200)), f"Content-Type: image/jpeg\r\nContent-Encoding: {argument}")

    async def on_others(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """A stream of pictures in another format: webp, bmp or gif."""
        _stream(writer)
        picture = image(1)
        other = b"GIF89a" + bytes(2000)
        if argument != "gif":
            other = cv2.imencode(f".{argument}", picture)[1].tobytes()
        while not writer.transport.is_closing():
            _part(writer, other)
            await writer.drain()
            await asyncio.sleep(0.01)

    async def on_dribbles(self, request: Request, writer: asyncio.StreamWriter, argument: str) -> None:
        """A stream that never finishes its first picture."""
        _stream(writer)
        writer.write(b"--frame\r\nContent-Length: 100000\r\n\r\n")
        while not writer.transport.is_closing():
            writer.write(b"\xff")
            await asyncio.sleep(0.05)


@asynccontextmanager
async def http_camera() -> AsyncIterator[HttpCamera]:
    """The running cameras; all their connections end with them."""
    camera = HttpCamera()
    async with camera.running():
        yield camera


def with_login(url: str) -> str:
    """The address with the right user name and password."""
    return url.replace("://", f"://{USER}:{PASSWORD.replace(' ', '%20').replace(':', '%3A')}@")


def numbered(picture: bytes, number: int) -> bytes:
    """The JPEG with a number in a comment."""
    return picture[:2] + b"\xff\xfe" + (10).to_bytes(2, "big") + b"%08d" % number + picture[2:]


def sized(number: int) -> bytes:
    """A picture whose resolution depends on `number`: 64x48, 96x64, 128x80, and again."""
    step = number % 3
    return jpeg(number, width=64 + 32 * step, height=48 + 16 * step)


def _answer(writer: asyncio.StreamWriter, body: bytes, headers: str = "", status: int = 200) -> None:
    head = [
        f"HTTP/1.1 {status} Whatever",
        f"Content-Length: {len(body)}",
        *([headers] if headers else []),
        "",
        "",
    ]
    writer.write("\r\n".join(head).encode() + body)


def _bomb() -> bytes:
    """Zeros as gzip (RFC 1952), without the end that nobody shall reach.

    What follows a full flush does not depend on what came before, so one packed megabyte can be repeated: to pack all
    of them would keep the server from answering others.
    """
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    megabyte = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]) + 200 * megabyte


def _stream(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")


def _part(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n".encode())
    writer.write(content + b"\r\n")


async def _flood(writer: asyncio.StreamWriter) -> None:
    zeros = bytes(MIB)
    for _ in range(200):
        writer.write(zeros)
        await writer.drain()


def _digest(fields: dict[str, str]) -> str:
    """RFC 7616 §3.4.1 with MD5 and qop=auth."""

    def md5(*each: str) -> str:
        return hashlib.md5(":".join(each).encode()).hexdigest()  # noqa: S324 - what cameras use

    get = fields.get
    ha1 = md5(USER, "camera", PASSWORD)
    ha2 = md5("GET", get("uri", ""))
    return md5(ha1, "abc", get("nc", ""), get("cnonce", ""), "auth", ha2)
