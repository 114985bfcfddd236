"""A Prometheus that is down, slow, flaps, or is none: a clear answer, and cards that go on with what is known here."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway import figures as figures_module
from gateway import prometheus as prometheus_module
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.prometheus import Handler, free_port, other_prometheus

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


async def odd_data(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"status": "success", "data": {"result": [{"metric": 5}]}})


async def redirect(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("http://127.0.0.1:9/elsewhere")


async def slow(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def huge(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"status":"success","data":"')
    for _ in range(64):
        await response.write(b"x" * 65536)
    return response


@pytest.mark.parametrize(
    ("handler", "status", "part"),
    [
        (None, 502, "cannot be reached"),
        (html, 502, "no Prometheus"),
        (odd_json, 502, "no Prometheus"),
        (redirect, 502, "no Prometheus"),
        (slow, 504, "did not answer within"),
        (huge, 502, "exceeds"),
    ],
)
async def test_a_prometheus_in_trouble(
    handler: Handler | None, status: int, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus_module.Prometheus.__init__, "__defaults__", (0.5, 1_000_000))
    monkeypatch.setattr(figures_module, "PATIENCE_SECONDS", 0.3)
    async with other_prometheus(handler or html) as url:
        url = url if handler is not None else f"http://127.0.0.1:{free_port()}"
        async with (
            running_gateway(tmp_path, prometheus_url=url) as gateway,
            aiohttp.ClientSession(gateway.address, headers=HEADERS) as http,
        ):
            code, answer = await get(http, f"{API}/query", query="up")
            assert (code, answer["status"]) == (status, "error"), answer
            assert part in answer["error"]
            code, metrics = await get(http, "/api/metrics")
            assert code == 200
            assert set(metrics["source"].values()) == {"gateway"}
            code, alerts = await get(http, "/api/alerts")
            assert (code, alerts["source"], alerts["items"]) == (200, "none", [])
            assert alerts["error"]
            code, history = await get(http, "/api/metrics/history")
            assert (code, history["source"]) == (200, "gateway")


async def test_surprising_data_is_no_500(tmp_path: Path) -> None:
    async with (
        other_prometheus(odd_data) as url,
        running_gateway(tmp_path, prometheus_url=url) as gateway,
        aiohttp.ClientSession(gateway.address, headers=HEADERS) as http,
    ):
        for path in ("/api/metrics", "/api/alerts", "/api/metrics/history"):
            assert (await get(http, path))[0] == 200, path
