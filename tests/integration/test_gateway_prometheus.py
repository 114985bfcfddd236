"""Figures and the PromQL proxy against a real Prometheus, and against one that is down, slow or no Prometheus."""

import asyncio
import base64
import json
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from gateway import figures as figures_module
from gateway import prometheus as prometheus_module
from gateway.service import Gateway
from tests.helpers.gateway import TOKEN, running_gateway

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
API = "/api/prometheus/api/v1"
RULES = """
groups:
  - name: test
    rules:
      - alert: AlwaysFiring
        expr: vector(1)
        labels: {severity: warning}
        annotations: {summary: it burns}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class FakeWorker:
    """Metrics with the workers' real names, advanced by hand."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.processed = Counter("cv_frames_processed", "", ["node_id"], registry=registry)
        self.failed = Counter("cv_frames_failed", "", ["node_id", "reason"], registry=registry)
        self.busy = Counter("cv_busy_seconds", "", ["node_id"], registry=registry)
        self.seconds = Histogram("cv_processing_seconds", "", ["node_id"], registry=registry)
        self.age = Histogram("cv_frame_age_seconds", "", ["node_id"], registry=registry)
        self.ready = Gauge("rabbitmq_detailed_queue_messages_ready", "", ["queue"], registry=registry)
        self.server, self.thread = start_http_server(0, "127.0.0.1", registry=registry)
        self.port = self.server.server_port

    def work(self) -> None:
        self.processed.labels("n1").inc(10)
        self.failed.labels("n1", "not_json").inc(0)
        self.busy.labels("n1").inc(0.5)
        self.seconds.labels("n1").observe(0.02)
        self.age.labels("n1").observe(0.08)
        self.ready.labels("frame_queue").set(3)
        self.ready.labels("result_queue").set(1000)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus that has scraped a working worker for a few seconds."""
    folder = tmp_path_factory.mktemp("prometheus")
    worker = FakeWorker()
    port = free_port()
    (folder / "rules.yml").write_text(RULES)
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        "rule_files: [rules.yml]\n"
        f"scrape_configs: [{{job_name: cv-worker, static_configs: [{{targets: ['127.0.0.1:{worker.port}']}}]}}]\n"
    )
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 8
    while time.monotonic() < end:
        worker.work()
        time.sleep(1)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()
    worker.close()


@pytest.fixture
async def gateway(prometheus: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path, prometheus_url=prometheus) as running:
        yield running


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(gateway.address, headers=HEADERS) as session:
        yield session


async def get(http: aiohttp.ClientSession, path: str, **parameters: str) -> tuple[int, Any]:
    async with http.get(path, params=parameters) as answer:
        assert answer.content_type == "application/json"
        return answer.status, json.loads(await answer.text())


async def test_the_figures_come_from_prometheus(http: aiohttp.ClientSession) -> None:
    status, metrics = await get(http, "/api/metrics")
    assert status == 200
    assert 0 < metrics["processingRate"] < 15
    assert metrics["queueDepth"] == 3
    assert metrics["latency"]["p95"] > metrics["latency"]["p50"] > 0.05
    assert abs(metrics["avgLatency"] - 0.08) < 0.01
    assert (metrics["notComputed"], metrics["errors"], metrics["failedByReason"]) == (0, 0, {"not_json": 0})
    assert set(metrics["source"].values()) == {"prometheus"}
    async with asyncio.timeout(15):  # until a step of five seconds lies behind two scrapes
        while True:
            _, history = await get(http, "/api/metrics/history", seconds="300")
            if history["source"] == "prometheus":
                break
            await asyncio.sleep(0.5)
    assert history["step"] == 5
    assert history["series"]["processingRate"][-1][1] is not None


async def test_alerts(http: aiohttp.ClientSession) -> None:
    status, alerts = await get(http, "/api/alerts")
    assert (status, alerts["source"], alerts["error"]) == (200, "prometheus", None)
    (alert,) = alerts["items"]
    assert (alert["name"], alert["severity"], alert["state"], alert["summary"]) == (
        "AlwaysFiring",
        "warning",
        "firing",
        "it burns",
    )
    assert abs(alert["since"] - time.time()) < 300


async def test_every_path_of_the_proxy(http: aiohttp.ClientSession) -> None:
    now = f"{time.time()}"
    ago = f"{time.time() - 60}"
    questions: dict[str, dict[str, str]] = {
        "query": {"query": "up"},
        "query_range": {"query": "up", "start": ago, "end": now, "step": "5s"},
        "series": {"match[]": "up"},
        "labels": {},
        "label/job/values": {},
        "alerts": {},
        "rules": {},
        "metadata": {},
        "status/buildinfo": {},
    }
    for path, parameters in questions.items():
        status, answer = await get(http, f"{API}/{path}", **parameters)
        assert (status, answer["status"]) == (200, "success"), path
    for path in ("query", "query_range", "series", "labels"):
        async with http.post(f"{API}/{path}", data=questions[path]) as answer:
            assert (answer.status, (await answer.json())["status"]) == (200, "success"), path


async def test_promtool_works_through_the_proxy(gateway: Gateway) -> None:
    url = f"http://anybody:{TOKEN}@127.0.0.1:{gateway.port}/api/prometheus"
    for command in (
        ["query", "instant", url, "sum(rate(cv_frames_processed_total[1m]))"],
        ["query", "range", url, "up"],
        ["query", "series", "--match=up", url],
        ["query", "labels", url, "job"],
    ):
        process = await asyncio.create_subprocess_exec(
            "promtool", *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        assert output.strip()


async def test_queries_are_bounded(http: aiohttp.ClientSession) -> None:
    now = time.time()
    range_of = {"query": "up", "end": f"{now}"}
    for path, parameters, part in (
        ("query_range", {**range_of, "start": f"{now - 32 * 86400}", "step": "1h"}, "31 days"),
        ("query_range", {**range_of, "start": f"{now - 86400}", "step": "1s"}, "11000 points"),
        ("query_range", {**range_of, "start": f"{now - 60}", "step": "0"}, "positive"),
        ("query_range", {**range_of, "start": f"{now + 60}", "step": "1"}, "before start"),
        ("query_range", {**range_of, "start": "yesterday", "step": "1"}, "start is neither"),
        ("query_range", range_of, "needs start"),
        ("series", {"match[]": "up", "start": f"{now}", "end": "0"}, "before start"),
        ("query", {"query": "up", "timeout": "-1"}, "positive"),
        ("query", {"query": "sum("}, "parse error"),  # Prometheus' own answer
    ):
        status, answer = await get(http, f"{API}/{path}", **parameters)
        assert (status, answer["errorType"]) == (400, "bad_data"), answer
        assert part in answer["error"]
    async with http.post(f"{API}/query", data={"query": "x" * 70_000}) as answer:
        assert answer.status == 413
    for path in ("admin/tsdb/snapshot", "query_exemplars", "label/a-b/values", "../../config", "write"):
        async with http.post(f"{API}/{path}", data={}) as answer:
            assert answer.status in (404, 405), path


async def test_basic_credentials_of_the_caller_do_not_reach_prometheus(tmp_path: Path) -> None:
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization") or request.headers.get("Cookie"))
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": []}})

    basic = "Basic " + base64.b64encode(f"x:{TOKEN}".encode()).decode()
    async with (
        other_prometheus(answer) as url,
        running_gateway(tmp_path, prometheus_url=url) as gateway,
        aiohttp.ClientSession(gateway.address, headers={"Authorization": basic}) as http,
    ):
        assert (await get(http, f"{API}/query", query="up"))[0] == 200
    assert seen == [None]


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def other_prometheus(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


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


async def test_many_dashboards_cost_one_query(tmp_path: Path) -> None:
    asked: list[str] = []

    async def count(request: web.Request) -> web.StreamResponse:
        asked.append(request.query["query"])
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": []}})

    async with (
        other_prometheus(count) as url,
        running_gateway(tmp_path, prometheus_url=url) as gateway,
        aiohttp.ClientSession(gateway.address, headers=HEADERS) as http,
    ):
        await asyncio.gather(*(get(http, "/api/metrics") for _ in range(50)))
    assert len(asked) == len(set(asked))
