"""Reads one HTTP answer that breaks the rules: what cameras send, and curl, browsers and OpenCV take.

The strict client comes first and does all the work for cameras that keep the rules; this reader is for the others. It
sends one request on a connection of its own, and takes the body as it comes. Lengths are not believed, and lines that
are no headers are passed over: only the picture itself says where it begins and ends.
"""

import asyncio
import re
import socket
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import NamedTuple

from multidict import CIMultiDict
from yarl import URL

from contract.picture import find_start
from producer.errors import NotHttp
from producer.reach import guarded_socket, is_address, names_local
from producer.trust import Trust

MOST_HEAD = 64 * 1024
MOST_INTERIM = 8  # answers 1xx before the one that counts
PIECE = 256 * 1024
LENIENCE = 0.5  # seconds to wait for bytes beyond the announced length

_STATUS = re.compile(rb"(?:HTTP|ICY|RTSP)[/0-9.]*[ \t]+(\d{3})(?!\d)", re.IGNORECASE)
_BARE = re.compile(rb"\xff|\x89PNG|--\S")  # a body without any head, as HTTP/0.9 had it
_EMPTY_LINE = re.compile(rb"\n\r{0,2}\n")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CHUNK = re.compile(rb"(?:\r?\n)?[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,256})?\r?\n")


class AnswerHead(NamedTuple):
    """Status and headers of an answer, and where its body begins."""

    status: int
    headers: CIMultiDict[str]
    end: int


def read_head(data: bytes) -> AnswerHead | None:
    """The head at the beginning of `data`; None while it has no end yet. Raises NotHttp. Pure."""
    at = len(data) - len(data.lstrip(b"\r\n"))
    if len(data) - at < 16 and b"\n" not in data[at:]:
        return None
    if _BARE.match(data, at):
        return AnswerHead(200, CIMultiDict(), at)
    status = _STATUS.match(data, at)
    if status is None:
        raise NotHttp("there is no status line")
    at = data.find(b"\n", at) + 1
    # Its end is looked for first, so that a head that comes byte by byte is not read anew each time.
    if not at or (_EMPTY_LINE.search(data, at - 1) is None and find_start(data, at) < 0):
        if len(data) > MOST_HEAD:
            raise NotHttp(f"headers of more than {MOST_HEAD >> 10} KiB")
        return None
    headers: CIMultiDict[str] = CIMultiDict()
    name = ""
    while True:
        if find_start(data[at : at + 8]) == 0:  # the empty line was forgotten
            return AnswerHead(int(status[1]), headers, at)
        end = data.find(b"\n", at)
        if end < 0:
            return None
        line = data[at:end].rstrip(b"\r")
        at = end + 1
        if not line:
            return AnswerHead(int(status[1]), headers, at)
        name = _read_line(line, name, headers)


def _read_line(line: bytes, before: str, headers: CIMultiDict[str]) -> str:
    """Add what the line says, if it says something. Returns its name, because the next line may go on with it."""
    if line[:1] in b" \t" and before:
        values = headers.popall(before)
        values[-1] += f" {_text(line)}"
        headers.extend((before, value) for value in values)
        return before
    name, colon, value = line.partition(b":")
    name = name.strip()
    if not colon or not _NAME.fullmatch(name):
        return ""
    headers.add(name.decode(), _text(value))
    return name.decode()


def _text(value: bytes) -> str:
    return _CONTROLS.sub("", value.decode("utf-8", "surrogateescape")).strip()


async def ask(
    url: URL,
    headers: Mapping[str, str],
    *,
    trust: Trust,
    connect_seconds: float,
    silence: float,
) -> "Reply":
    """The answer to one GET. Silence of `silence` seconds ends it with a TimeoutError.

    Raises OSError, TimeoutError, EOFError (hung up before there was an answer), NotHttp and Untrusted.
    """
    context = trust.context() if url.scheme == "https" else None
    async with asyncio.timeout(connect_seconds):
        if names_local(url.host or "") or is_address(url.host or ""):  # it says itself where it leads
            reader, writer = await asyncio.open_connection(url.host, url.port, ssl=context, limit=PIECE)
        else:
            line = await _connected(url)
            named = url.host if context is not None else None
            reader, writer = await asyncio.open_connection(
                sock=line, ssl=context, server_hostname=named, limit=PIECE
            )
    try:
        if context is not None:  # before anything is said
            trust.check(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        writer.write(_request(url, headers))
        await writer.drain()
        data = bytearray()
        head = await _head(data, reader, silence)
        return Reply(head, bytes(data[head.end :]), reader, writer, silence)
    except BaseException:
        writer.transport.abort()
        raise


async def _connected(url: URL) -> socket.socket:
    """A connection to the first address of a name that takes it; never to this machine or its link."""
    loop = asyncio.get_running_loop()
    failed: OSError | None = None
    for found in await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM):
        line = None
        try:
            line = guarded_socket(found)
            line.setblocking(False)
            await loop.sock_connect(line, found[4])
        except BaseException as error:
            if line is not None:
                line.close()
            if not isinstance(error, OSError):
                raise
            failed = error
        else:
            return line
    raise failed or OSError("the name has no address")


async def _head(data: bytearray, reader: asyncio.StreamReader, silence: float) -> AnswerHead:
    """The head of the answer that counts, after those of interim answers (1xx). What was read is left in `data`."""
    for _ in range(MOST_INTERIM):
        while (head := read_head(bytes(data))) is None:
            data += await _piece(reader, silence)
        if head.status >= 200:
            return head
        del data[: head.end]
    raise NotHttp("interim answers without end")


class Reply:
    """An answer whose body is read as it comes."""

    def __init__(
        self,
        head: AnswerHead,
        first: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        silence: float,
    ) -> None:
        self.status = head.status
        self.headers = head.headers
        self.content = self
        self._first = first
        self._reader = reader
        self._writer = writer
        self._silence = silence

    def close(self) -> None:
        """Hang up."""
        self._writer.transport.abort()

    def iter_any(self) -> AsyncIterator[bytes]:
        """The body, taken out of its chunks and unpacked where it is chunked or packed."""
        body = self._raw()
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = _out_of_chunks(body)
        return _unpacked(body)

    async def _raw(self) -> AsyncGenerator[bytes]:
        if self.status in (204, 304):
            return
        said = self.headers.get("Content-Length", "")
        left = int(said[:18]) if said.isascii() and said.isdigit() else None
        piece = self._first
        while True:
            if piece:
                yield piece
            if left is not None:
                left -= len(piece)
            beyond = left is not None and left <= 0
            try:
                piece = await _piece(self._reader, min(LENIENCE, self._silence) if beyond else self._silence)
            except TimeoutError:
                if beyond:
                    return
                raise
            except (EOFError, OSError):  # cameras hang up in every way; whatever is missing will show
                return


async def _piece(reader: asyncio.StreamReader, silence: float) -> bytes:
    async with asyncio.timeout(silence):
        piece = await reader.read(PIECE)
    if not piece:
        raise EOFError
    return piece


async def _out_of_chunks(body: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """The content of the chunks, or the body as it comes, where there are no chunks in spite of the header."""
    buffer = bytearray()
    left, chunked = 0, True
    async for piece in body:
        buffer += piece
        while chunked and buffer:
            if left:
                content = bytes(buffer[:left])
                del buffer[: len(content)]
                left -= len(content)
                yield content
                continue
            line = _CHUNK.match(buffer)
            if line is None:
                chunked = len(buffer) < 300 and b"\n" not in buffer[2:]  # the line may not be complete
                break
            left = int(line[1], 16)
            del buffer[: line.end()]
            if not left:
                return
        if not chunked:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)


async def _unpacked(body: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """The body in pieces of bounded size, unpacked if it is gzip, whatever its headers say."""
    unpacker = None
    first = True
    async for piece in body:
        if first and piece.startswith(b"\x1f\x8b\x08"):
            unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        first = False
        if unpacker is None:
            yield piece
            continue
        while piece and not unpacker.eof:
            try:
                content = unpacker.decompress(piece, PIECE)
            except zlib.error:
                return
            piece = unpacker.unconsumed_tail
            if content:
                yield content


def _request(url: URL, headers: Mapping[str, str]) -> bytes:
    host = url.raw_host or ""
    host = f"[{host}]" if ":" in host else host
    port = "" if url.is_default_port() else f":{url.port}"
    lines = [
        f"GET {url.raw_path_qs} HTTP/1.1",
        f"Host: {host}{port}",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")
