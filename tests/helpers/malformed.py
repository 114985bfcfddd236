"""What may arrive on a WebSocket instead of what should: bytes of a client, made anew from a seed."""

import os
import random
import struct
from collections.abc import Callable

Make = Callable[[random.Random], bytes]

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    claimed: int | None = None,
) -> bytes:
    """A client's frame; `claimed` is the length that it states instead of its own, `reserved` the bits RSV1 to 3."""
    size = len(payload) if claimed is None else claimed
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 1 << 16:
        head += struct.pack("!BH", mask_bit | 126, size)
    else:
        head += struct.pack("!BQ", mask_bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


def _garbage(random: random.Random) -> bytes:
    return random.randbytes(random.randint(1, 2000))


def _cut_short(random: random.Random) -> bytes:
    whole = frame(TEXT, b'{"type":"subscribe"}')
    return whole[: random.randint(1, len(whole) - 1)]


def _changed(random: random.Random) -> bytes:
    whole = bytearray(frame(TEXT, b'{"type":"subscribe","cameras":["a"]}') * 3)
    for _ in range(random.randint(1, 5)):
        whole[random.randrange(len(whole))] = random.randrange(256)
    return bytes(whole)


MALFORMED: dict[str, Make] = {
    "garbage": _garbage,
    "cut short": _cut_short,
    "changed": _changed,
    "unknown opcode": lambda r: frame(r.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), b"x"),
    "reserved bits": lambda r: frame(TEXT, b"{}", reserved=r.randint(1, 7)),
    "unmasked": lambda r: frame(r.choice([TEXT, BINARY, PING]), b"{}", masked=False),
    "too large": lambda r: frame(TEXT, b"x", claimed=r.choice([65_537, 1 << 20, 1 << 40, (1 << 63) - 1])),
    "length with the top bit": lambda r: b"\x81\xff" + struct.pack("!Q", 1 << 63) + bytes(4),
    "long form of a short length": lambda r: b"\x81\xfe\x00\x02" + bytes(4) + b"{}",
    "no UTF-8": lambda r: frame(TEXT, r.choice([b"\xff", b"\xc3", b"\xed\xa0\x80", b'{"type":"\xf8"}'])),
    "UTF-8 cut by fragments": lambda r: frame(TEXT, b"\xc3", fin=False) + frame(0, b"\x28"),
    "continuation of nothing": lambda r: frame(0, b"x", fin=r.random() < 0.5),
    "a message in a message": lambda r: frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"),
    "too large in fragments": lambda r: frame(TEXT, bytes(40_000), fin=False) + frame(0, bytes(40_000)) * 2,
    "endless empty fragments": lambda r: frame(TEXT, b"{", fin=False) + frame(0, b"", fin=False) * 20_000,
    "long ping": lambda r: frame(PING, bytes(126)),
    "fragmented ping": lambda r: frame(PING, b"x", fin=False),
    "flood of pings": lambda r: frame(PING, bytes(125)) * 5_000,
    "flood of pongs": lambda r: frame(PONG, b"nobody asked") * 5_000,
    "flood of messages": lambda r: frame(TEXT, b'{"type":"subscribe"}') * 500,
    "close of one byte": lambda r: frame(CLOSE, b"\x03"),
    "close code": lambda r: frame(CLOSE, struct.pack("!H", r.choice([0, 999, 1005, 1006, 1015, 5000]))),
    "close reason": lambda r: frame(CLOSE, struct.pack("!H", 1000) + b"\xff\xfe"),
    "after the close": lambda r: frame(CLOSE, struct.pack("!H", 1000)) + frame(TEXT, b"{}") * 20,
    "two closes": lambda r: frame(CLOSE, struct.pack("!H", 1000)) * 2,
    "deep JSON": lambda r: frame(TEXT, b"[" * 60_000),
    "wrong JSON": lambda r: frame(
        TEXT,
        r.choice(
            [
                b"",
                b"null",
                b'{"type":"subscribe","cameras":{}}',
                b'{"type":"subscribe","groups":"\xc3\xa4' + "ü".encode() * 200 + b'"}',
                b'{"type":"subscribe","nodes":[""]}',
                b'{"type":"subscribe","detections":1}',
                b'{"type":"painted","frame_id":"f","age":1e999}',
                b'{"type":"\xf0\x9f\x98\x80"}' * 2,
            ]
        ),
    ),
    "binary": lambda r: frame(BINARY, r.randbytes(100)),
}

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def handshake(port: int, token: str, *more: str, **changed: str | None) -> bytes:
    """The request of a client; `changed` replaces a header (underscores for dashes), None leaves it out."""
    headers: dict[str, str | None] = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        "Authorization": f"Bearer {token}",
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join(["GET /ws/results HTTP/1.1", *lines, *more, "", ""]).encode()


def bad_handshakes(port: int, token: str) -> dict[str, bytes]:
    """Requests for an upgrade that end in an HTTP answer or in nothing, never in an error of the gateway."""
    return {
        "no key": handshake(port, token, Sec_WebSocket_Key=None),
        "short key": handshake(port, token, Sec_WebSocket_Key="AAAA"),
        "no version": handshake(port, token, Sec_WebSocket_Version=None),
        "old version": handshake(port, token, Sec_WebSocket_Version="8"),
        "two keys": handshake(port, token, f"Sec-WebSocket-Key: {KEY}"),
        "bad protocols": handshake(port, token, "Sec-WebSocket-Protocol: ,,\x09, ;"),
        "bad extensions": handshake(port, token, "Sec-WebSocket-Extensions: permessage-deflate; x=;"),
        "wrong token": handshake(port, "nothing"),
        "many headers": handshake(port, token, *(f"X-{n}: 1" for n in range(200))),
        "a long header": handshake(port, token, "X-Long: " + "x" * 20_000),
        "a huge header": handshake(port, token, "X-Huge: " + "x" * 200_000),
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300),
        "half": handshake(port, token)[:80],
        "a body": handshake(port, token, "Content-Length: 5") + b"hello",
        "chunks": handshake(port, token, "Transfer-Encoding: chunked") + b"zz\r\n",
        "POST": handshake(port, token).replace(b"GET", b"POST", 1),
        "HTTP/1.0": handshake(port, token).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        "no path": handshake(port, token).replace(b"/ws/results", b"", 1),
        "another path": handshake(port, token).replace(b"/ws/results", b"/ws/else", 1),
        "not ASCII": handshake(port, token).replace(b"/ws/results", "/ws/results?cameras=ü".encode(), 1),
    }
