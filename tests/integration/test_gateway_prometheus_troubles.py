"""A Prometheus that is down, slow, flaps, or is none: a clear answer, and cards that go on with what is known here."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from cli.ports import free_port
from gateway.prometheus import client as prometheus_module
from gateway.prometheus import proxy as prometheus_proxy
from gateway.prometheus import shared_answer
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.prometheus import Handler, other_prometheus

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
API = "/api/prometheus/api/v1"


async def get(http: aiohttp.ClientSession, path: str, **parameters: str) -> tuple[int, Any]:
    async with http.get(path, params=parameters) as answer:
        assert answer.content_type == "application/json"
        return answer.status, json.loads(await answer.text())


async def html(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>a router's login page</html>", content_type="text/html")


async def odd_json(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"hello": 1})


async def redirect(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("http://127.0.0.1:9/elsewhere")


async def slow(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


class Endless:
    """Sends for ever; `ended` when the gateway has hung up."""

    def __init__(self, first: bytes, chunk: bytes, encoding: str = "") -> None:
        self._first, self._chunk, self._encoding = first, chunk, encoding
        self.ended = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Encoding": self._encoding} if self._encoding else {})
        try:
            await response.prepare(request)
            await response.write(self._first)
            while True:
                await response.write(self._chunk)
        except ConnectionError:
            pass
        finally:
            self.ended.set()
        return response


async def reset(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"status":"success",')
    assert request.transport is not None
    request.transport.abort()
    return response


async def cut_short(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"status":"success","data":[]}')
    assert request.transport is not None
    request.transport.close()
    return response


def says(status: int, body: bytes, **headers: str) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers)

    return answer


BOMB = gzip.compress(b'{"status":"success","data":"' + bytes(50_000_000) + b'"}')


TROUBLES: list[tuple[Handler, int, str]] = [
    (html, 502, "is not a Prometheus"),
    (odd_json, 502, "is not a Prometheus"),
    (redirect, 502, "is not a Prometheus"),
    (slow, 504, "did not answer within"),
    (reset, 502, "cannot be reached"),
    (cut_short, 502, "cannot be reached"),
    (Endless(b'{"status":"success","data":"', b"x" * 65536).answer, 502, "exceeds"),
    (says(200, BOMB, **{"Content-Encoding": "gzip"}), 502, "is not a Prometheus"),
    (says(200, b"[" * 900_000), 502, "is not a Prometheus"),
    (says(200, b'{"status":"success","data":' + b"[" * 900_000), 502, "is not a Prometheus"),
    (says(200, b'{"status":"success","data":"\xff"'), 502, "is not a Prometheus"),
    (says(200, b'{"status":"warning","data":[]}'), 502, "is not a Prometheus"),
    (says(200, b""), 502, "is not a Prometheus"),
    (says(204, b""), 502, "is not a Prometheus"),
    (says(302, b'{"status":"success"}', Location="/"), 502, "HTTP 302"),
    (says(500, b'{"status":"error","error":"disk is full"}'), 502, "disk is full"),
    (says(200, b'{"status":"error","error":5}'), 502, "HTTP 200 (error)"),
    (says(401, b"Unauthorized", **{"WWW-Authenticate": "Basic"}), 502, "PROMETHEUS_URL needs its user"),
    (says(503, b'{"status":"error","error":"query timed out"}'), 503, "timed out"),  # its own word and status
]
SURPRISES: list[object] = [
    5,
    [],
    None,
    {"result": 5},
    {"result": [{"metric": 5}]},
    {"result": [{"metric": 5, "value": [1, "2"]}]},
    {"result": [{"metric": {"reason": ["a"]}, "value": [1, "2"]}]},
    {"result": [{"metric": {}, "value": [1, "many"], "values": [["x", "2"]]}]},
    {"result": [{"metric": {}, "value": [1, "NaN"], "values": [[1, "+Inf"]]}]},
    {"result": [{"metric": {}, "value": [1, 2], "values": [[1]]}]},
    {"result": [{"metric": {"sloth_slo": "a", "__name__": "slo:objective:ratio"}, "value": [1, "99"]}]},
    {"result": [{"metric": {"sloth_slo": "a", "__name__": "slo:objective:ratio"}, "value": [1, "0.9"]}]},
    {"alerts": [5]},
    {"alerts": [{"state": "firing", "labels": {"alertname": 5}}]},
    {"alerts": [{"state": "firing", "activeAt": "0001-01-01T00:00:00Z"}]},
]


@asynccontextmanager
async def behind(folder: Path, url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a gateway whose Prometheus is said to be at `url`."""
    async with (
        running_gateway(folder, prometheus_url=url) as gateway,
        aiohttp.ClientSession(gateway.address, headers=HEADERS) as http,
    ):
        yield http


async def no_usable_answer(http: aiohttp.ClientSession, status: int, part: str) -> None:
    """The proxy says what is wrong; the cards go on with what the gateway knows, and say so."""
    code, answer = await get(http, f"{API}/query", query="up")
    assert (code, answer["status"]) == (status, "error"), answer
    assert part in answer["error"]
    code, metrics = await get(http, "/api/metrics")
    assert code == 200
    assert set(metrics["source"].values()) == {"gateway"}
    code, alerts = await get(http, "/api/alerts")
    assert (code, alerts["source"], alerts["items"]) == (200, "none", [])
    assert alerts["error"]
    code, objectives = await get(http, "/api/objectives")
    assert (code, objectives["source"], objectives["items"]) == (200, "none", [])
    assert objectives["error"]
    code, history = await get(http, "/api/metrics/history")
    assert (code, history["source"]) == (200, "gateway")


async def test_a_prometheus_in_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_module.Prometheus.__init__, "__defaults__", (0.5, 1_000_000))
    monkeypatch.setattr(shared_answer, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(shared_answer, "DOWN_SECONDS", 0.0)
    now: Handler = html

    async def whatever(request: web.Request) -> web.StreamResponse:
        return await now(request)

    async with other_prometheus(whatever) as url, behind(tmp_path, url) as http:
        for handler, status, part in TROUBLES:
            now = handler
            await no_usable_answer(http, status, part)


async def test_a_prometheus_that_is_down(tmp_path: Path) -> None:
    async with behind(tmp_path, f"http://127.0.0.1:{free_port()}") as http:
        await no_usable_answer(http, 502, "cannot be reached: Connection refused")


async def test_surprising_data_is_no_500(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_answer, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(shared_answer, "DOWN_SECONDS", 0.0)
    data: object = None

    async def surprising(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "success", "data": data})

    async with other_prometheus(surprising) as url, behind(tmp_path, url) as http:
        for data in SURPRISES:  # the handler answers it
            for path in ("/api/metrics", "/api/alerts", "/api/metrics/history", "/api/objectives"):
                for _ in range(2):  # the second answer is surely of this data
                    assert (await get(http, path))[0] == 200, (path, data)


async def test_what_never_ends_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_module.Prometheus.__init__, "__defaults__", (5.0, 1_000_000))
    endless = Endless(b'{"status":"success","data":"', b"x" * 65536)
    async with (
        other_prometheus(endless.answer) as url,
        running_gateway(tmp_path, prometheus_url=url) as gateway,
        aiohttp.ClientSession(gateway.address, headers=HEADERS) as http,
    ):
        assert (await get(http, f"{API}/query", query="up"))[0] == 502
        async with asyncio.timeout(5):
            await endless.ended.wait()


def vector(value: str) -> dict[str, Any]:
    sample = {"metric": {"node_id": "n1", "reason": "not_json"}, "value": [time.time(), value]}
    return {"status": "success", "data": {"resultType": "vector", "result": [sample]}}


async def test_a_prometheus_that_flaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer is wholly of the one or the other, marked so, and nobody waits while it is known to be away."""
    monkeypatch.setattr(shared_answer, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(shared_answer, "DOWN_SECONDS", 0.05)
    monkeypatch.setattr(shared_answer, "PATIENCE_SECONDS", 0.5)
    mood = "good"

    async def moody(_request: web.Request) -> web.StreamResponse:
        if mood == "hangs":
            await asyncio.sleep(60)
        return web.json_response(vector("7")) if mood == "good" else web.Response(status=500)

    async def metrics(http: aiohttp.ClientSession) -> tuple[str, float]:
        begun = time.monotonic()
        status, answer = await get(http, "/api/metrics")
        assert status == 200
        (source,) = set(answer["source"].values())
        assert (answer["processingRate"] == 7) == (source == "prometheus")
        assert answer["failedByReason"] == ({"not_json": 7} if source == "prometheus" else {})
        return source, time.monotonic() - begun

    async with (
        other_prometheus(moody) as url,
        running_gateway(tmp_path, prometheus_url=url) as gateway,
        aiohttp.ClientSession(gateway.address, headers=HEADERS) as http,
    ):
        assert (await metrics(http))[0] == "prometheus"
        for bad in ("answers 500", "hangs"):
            mood = bad
            source, waited = await metrics(http)  # the first one finds out
            assert source == "gateway"
            assert waited < 2.0
            for _ in range(20):
                source, waited = await metrics(http)
                assert source == "gateway"
                assert waited < 0.4, "somebody waited for a Prometheus that is known to be away"
                await asyncio.sleep(0.02)
            mood = "good"
            async with asyncio.timeout(5):
                source = "gateway"
                while source != "prometheus":
                    source, _ = await metrics(http)


async def test_too_many_queries_are_refused_and_not_piled_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus_proxy, "AT_ONCE", 2)
    monkeypatch.setattr(prometheus_proxy, "WAITING", 3)
    go, asked = asyncio.Event(), 0

    async def held(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        if request.query.get("query") == "up":  # the cards' own queries are let through
            asked += 1
            await go.wait()
        return web.json_response(vector("1"))

    async with (
        other_prometheus(held) as url,
        running_gateway(tmp_path, prometheus_url=url) as gateway,
        aiohttp.ClientSession(
            gateway.address, headers=HEADERS, connector=aiohttp.TCPConnector(limit=0)
        ) as http,
    ):
        queries = [asyncio.create_task(get(http, f"{API}/query", query="up")) for _ in range(9)]
        await aeventually("four are refused", lambda: sum(query.done() for query in queries) == 4)
        await aeventually("two are asked", lambda: asked == 2)
        async with http.get(f"{API}/query", params={"query": "up"}) as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
            assert "try again" in (await refused.json())["error"]
        assert asked == 2
        assert (await get(http, "/api/metrics"))[1]["source"]["queueDepth"] == "prometheus"
        go.set()
        assert sorted(status for status, _ in await asyncio.gather(*queries)) == [200] * 5 + [503] * 4
