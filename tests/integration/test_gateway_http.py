"""Requests as no client library writes them: each is answered, none with a 500, and the next one is served."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.service import Gateway
from tests.helpers.gateway import TOKEN, running_gateway

AUTHORIZATION = f"Authorization: Bearer {TOKEN}"
LONG = "a" * 20_000


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path) as running:
        yield running


async def answer(gateway: Gateway, request: bytes) -> list[int]:
    """The statuses of the answers to what is written, until the gateway closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(request)
    async with asyncio.timeout(10):
        text = await reader.read()
    writer.close()
    await writer.wait_closed()
    return [int(line.split()[1]) for line in text.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


def get(target: str, *headers: str, method: str = "GET", body: str = "") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: x", AUTHORIZATION, "Connection: close", *headers]
    return ("\r\n".join(lines) + f"\r\n\r\n{body}").encode("utf-8", "surrogateescape")


def posted(target: str, body: str) -> bytes:
    """A JSON body."""
    return get(
        target, "Content-Type: application/json", f"Content-Length: {len(body)}", method="POST", body=body
    )


TARGETS: list[tuple[str, set[int]]] = [
    ("/api/cameras?q=%00", {200}),
    ("/api/cameras?q=%ff%fe", {200}),
    ("/api/cameras?q=%F0%9F%93%B7&cursor=%00", {200}),
    ("/api/cameras?limit=1e3", {422}),
    ("/api/cameras?limit=99999999999999999999999999", {422}),
    ("/api/cameras?limit=" + "9" * 5_000, {422}),
    ("/api/cameras?limit=%D9%A3", {200, 422}),
    ("/api/cameras?limit=", {422}),
    ("/api/cameras?limit", {422}),
    ("/api/cameras?&&&", {200}),
    ("/api/cameras?=", {422}),
    ("/api/cameras?" + "&".join(f"p{n}=1" for n in range(3_000)), {422, 431}),
    ("/api/cameras?" + "&".join(["state=live"] * 150), {200}),
    ("/api/cameras?" + "&".join(["state=live"] * 500), {422}),
    (f"/api/cameras?q={LONG}", {422}),
    (f"/api/cameras?{LONG}=1", {422}),
    (f"/api/{LONG}", {404}),
    ("/api/metrics/history?seconds=-0", {422}),
    ("/api/metrics/history?seconds=60.0", {200, 422}),
    ("/api/metrics/history?seconds=NaN", {422}),
    ("/api/%ff", {404}),
    ("/api/%00", {404}),
    ("/api/models%2Favailable", {200, 404}),
    ("/api/./cameras", {404}),
    ("/api/../api/cameras", {404}),
    ("//api/cameras", {404, 503}),
    ("/api/cameras#part", {200, 400, 404}),
    ("/api/cameras;a=b", {404}),
    ("/API/CAMERAS", {404, 503}),
    ("http://elsewhere/api/cameras", {200, 400, 404}),
    ("*", {400, 404, 503}),
    ("/api/prometheus/api/v1/label/%00/values", {404, 422}),
    ("/api/prometheus/api/v1/label/a%2Fb/values", {404, 422}),
    ("/api/prometheus/api/v1/query?query=%00", {503}),
]
REQUESTS: list[tuple[bytes, set[int]]] = [
    (get("/api/cameras", "X-Odd: \udcff\udcfe"), {200, 400}),
    (get("/api/cameras", f"X-Long: {LONG}"), {200}),
    (get("/api/cameras", "Accept: image/png"), {200}),
    (get("/api/cameras", "Accept-Encoding: gzip"), {200}),
    (get("/api/cameras", "Range: bytes=0-1"), {200}),
    (get("/api/cameras", "Expect: 100-continue"), {200}),
    (get("/api/cameras", "Transfer-Encoding: gzip"), {400, 501}),
    (get("/api/cameras", "Content-Length: 5", "Content-Length: 6"), {400}),
    (get("/api/cameras", "Content-Length: -1"), {400}),
    (get("/api/cameras", "Content-Length: 4", body="body"), {200}),
    (get("/api/cameras", "Transfer-Encoding: chunked", body="zz\r\n"), {400, 200}),
    (get("/api/cameras", method="get"), {405}),
    (get("/api/cameras", method="G" * 200), {400, 405}),
    (
        get("/api/models/switch?model=haar", "Transfer-Encoding: chunked", method="POST", body="0\r\n\r\n"),
        {503},
    ),
    (
        get(
            "/api/login",
            "Content-Type: application/json",
            "Content-Length: 7",
            method="POST",
            body="[1e999]",
        ),
        {400},
    ),
    (posted("/api/login", "[" * 4_000), {400}),
    (posted("/api/login", '{"a":' * 800), {400}),
    (posted("/api/links", '{"a":' + "[" * 60_000), {400}),
    (b"\x16\x03\x01\x02\x00\x01\x00", {400}),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 401, 505}),
    (b"GET / HTTP/9.9\r\n\r\n", {303, 400, 505}),
    (b"\r\n\r\n\0\r\n\r\n", {400}),
]


async def test_odd_targets(gateway: Gateway) -> None:
    for target, statuses in TARGETS:
        answers = await answer(gateway, get(target))
        assert len(answers) == 1, target[:80]
        assert set(answers) <= statuses, (target[:80], answers)


async def test_odd_requests(gateway: Gateway) -> None:
    for request, statuses in REQUESTS:
        answers = await answer(gateway, request)
        assert set(answers) & statuses, (request[:200], answers)
        assert not {500} & set(answers), request[:200]
        assert await answer(gateway, get("/api/session")) == [200]
