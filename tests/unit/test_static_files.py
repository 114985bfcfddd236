"""The dashboard's files: what travels as gzip, to whom, and that a browser which has a file is not sent it again."""

import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.types import Message

from gateway.http.compression import accepts_gzip
from gateway.pages import Assets

SCRIPT = b"export const answer = 42;\n" * 400


@dataclass
class Answer:
    status: int
    headers: Headers
    body: bytes


Ask = Callable[..., Awaitable[Answer]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    (tmp_path / "index-abc.js").write_bytes(SCRIPT)
    (tmp_path / "tiny-abc.js").write_bytes(b"1")
    (tmp_path / "inter-abc.woff2").write_bytes(bytes(5_000))
    assets = Assets(directory=tmp_path)

    async def ask(path: str, method: str = "GET", **headers: str) -> Answer:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            sent.append(message)

        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "asgi": {"spec_version": "2.4"}, "method": method, "path": path}
        await assets(scope | {"root_path": "", "headers": raw}, receive, send)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], Headers(raw=sent[0]["headers"]), body)

    return ask


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip, deflate, br, zstd", True),
        ("GZIP;q=0.5", True),
        ("br;q=1.0, *;q=0.1", True),
        ("gzip;q=0, *", False),
        ("gzip ; q = 0.000", False),
        ("", False),
        ("identity", False),
        ("br", False),
        ("x-gzip-like", False),
        ("gzip;level=9;;", False),
        (",,;q=;,gzip", True),
    ],
)
def test_only_who_says_so_is_sent_gzip(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


async def test_text_travels_compressed_and_is_the_same(ask: Ask) -> None:
    packed = await ask("/index-abc.js", accept_encoding="gzip, br")
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(packed.body) < len(SCRIPT) // 10
    assert gzip.decompress(packed.body) == SCRIPT
    plain = await ask("/index-abc.js")
    assert "content-encoding" not in plain.headers
    assert plain.body == SCRIPT
    for answer in (packed, plain):
        assert answer.headers["vary"] == "Accept-Encoding"
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith("text/javascript")
    assert packed.headers["etag"] == f"W/{plain.headers['etag']}"


async def test_a_browser_that_has_the_file_is_not_sent_it_again(ask: Ask) -> None:
    tag = (await ask("/index-abc.js", accept_encoding="gzip")).headers["etag"]
    again = await ask("/index-abc.js", accept_encoding="gzip", if_none_match=tag)
    assert (again.status, again.body) == (304, b"")
    assert "immutable" in again.headers["cache-control"]


@pytest.mark.parametrize("path", ["/tiny-abc.js", "/inter-abc.woff2"])
async def test_what_would_not_become_smaller_stays_as_it_is(ask: Ask, path: str) -> None:
    answer = await ask(path, accept_encoding="gzip")
    assert answer.status == 200
    assert "content-encoding" not in answer.headers


async def test_a_part_is_a_part_of_the_file_and_not_of_its_gzip(ask: Ask) -> None:
    part = await ask("/index-abc.js", accept_encoding="gzip", range="bytes=0-5")
    assert (part.status, part.body) == (206, SCRIPT[:6])
    assert "content-encoding" not in part.headers


async def test_the_head_tells_what_would_come(ask: Ask) -> None:
    head = await ask("/index-abc.js", "HEAD", accept_encoding="gzip")
    whole = await ask("/index-abc.js", accept_encoding="gzip")
    assert head.headers.items() == whole.headers.items()


async def test_a_file_that_is_built_again_is_compressed_again(ask: Ask, tmp_path: Path) -> None:
    await ask("/index-abc.js", accept_encoding="gzip")
    (tmp_path / "index-abc.js").write_bytes(SCRIPT * 2)
    assert gzip.decompress((await ask("/index-abc.js", accept_encoding="gzip")).body) == SCRIPT * 2
