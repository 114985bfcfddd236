"""Figures and the PromQL proxy against a real Prometheus."""

import asyncio
import base64
import json
import random
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from gateway.service import Gateway
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.prometheus import other_prometheus, real_prometheus

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
API = "/api/prometheus/api/v1"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with real_prometheus(tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway"), prometheus_url=prometheus) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
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
    assert abs(metrics["notComputed"] - 9 / 19) < 0.05  # nine were dropped for each ten that were computed
    assert (metrics["errors"], metrics["failedByReason"]) == (0, {"not_json": 0})
    assert set(metrics["source"].values()) == {"prometheus"}
    async with asyncio.timeout(15):  # until a step of five seconds lies behind two scrapes
        while True:
            _, history = await get(http, "/api/metrics/history", seconds="300")
            if history["source"] == "prometheus":
                break
            await asyncio.sleep(0.5)
    assert history["step"] == 5
    assert history["series"]["processingRate"][-1][1] is not None
    assert history["queries"].keys() == history["series"].keys()
    for query in history["queries"].values():
        status, answer = await get(http, f"{API}/query", query=query)
        assert (status, len(answer["data"]["result"])) == (200, 1), query


async def test_what_was_dropped_of_a_camera_at_the_time_of_a_frame(http: aiohttp.ClientSession) -> None:
    begin = int(time.time() * 1000)
    _, found = await get(http, "/api/why", frame_id=f"gate-3:{begin}:7")
    said = next(each["words"] for each in found["witnesses"] if each["place"] == "metrics")
    assert re.search(
        r"counts \d+ frames of gate-3 that its producer dropped .*: \d+ queue_full \(the queue is full\)$",
        said,
    )
    assert "stale" not in said  # that was another camera
    _, found = await get(http, "/api/why", frame_id=f"elsewhere:{begin}:7")
    said = next(each["words"] for each in found["witnesses"] if each["place"] == "metrics")
    assert said.startswith("Prometheus counts no frame of elsewhere")


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
    assert alert["description"].startswith("Bring water: `docker")
    assert alert["runbook"] == "docs/runbooks/AlwaysFiring.md"
    assert abs(alert["since"] - time.time()) < 300
    assert (alert["labels"], alert["value"], alerts["evaluated"]) == ({}, 1, False)  # no watchdog


async def test_rules_and_runbooks(http: aiohttp.ClientSession) -> None:
    _, rules = await get(http, "/api/alerts/rules")
    (rule,) = rules["items"]
    assert (rule["name"], rule["group"], rule["state"], rule["expression"], rule["error"]) == (
        *("AlwaysFiring", "test", "firing", "vector(1)"),
        None,
    )
    status, page = await get(http, "/api/runbooks/FramefleetNoWorkers")
    assert (status, page["text"][:21]) == (200, "# FramefleetNoWorkers")
    status, _ = await get(http, "/api/runbooks/AlwaysFiring")
    assert status == 404


async def test_a_thousand_cameras_alerts_are_described_by_the_first_few(tmp_path: Path) -> None:
    """Every dashboard asks every few seconds; and Prometheus has no order of its own."""
    labels = {"alertname": "FramefleetCameraDown", "severity": "warning"}
    down = [
        {
            "state": "firing",
            "labels": {**labels, "camera_id": f"c-{number:03}"},
            "annotations": {
                "summary": "A camera is down",
                "description": f"Camera c-{number:03}: {'x' * 300}",
            },
        }
        for number in range(1000)
    ]

    async def shuffled(_: web.Request) -> web.Response:
        random.shuffle(down)
        return web.json_response({"status": "success", "data": {"alerts": down}})

    async with (
        other_prometheus(shuffled) as url,
        running_gateway(tmp_path, prometheus_url=url) as gateway,
        aiohttp.ClientSession(gateway.address, headers=HEADERS) as http,
        http.get("/api/alerts") as answer,
    ):
        body = await answer.read()
    items = json.loads(body)["items"]
    assert len(items) == 1000
    assert {item["labels"]["camera_id"] for item in items} == {f"c-{number:03}" for number in range(1000)}
    assert [item["description"][:13] for item in items if item["description"]] == [
        f"Camera c-{number:03}:" for number in range(10)
    ]
    assert len(body) < 250_000


async def test_objectives_are_ours_and_of_a_minute_only_the_burn_rate_is_known(
    http: aiohttp.ClientSession,
) -> None:
    async with asyncio.timeout(15):  # until the rules have been evaluated
        while True:
            _, objectives = await get(http, "/api/objectives")
            if objectives["items"]:
                break
            await asyncio.sleep(0.5)
    (objective,) = objectives.pop("items")
    assert objectives == {"source": "prometheus", "error": None}
    assert 0 <= objective.pop("known_seconds") < 3600
    assert objective == {
        "name": "freshness",
        "objective": 0.99,
        "window_days": 28,
        "sli": None,
        "error_budget_remaining": None,
        "burn_rate": 1.5,
    }


async def test_every_path_of_the_proxy(http: aiohttp.ClientSession) -> None:
    now = f"{time.time()}"
    ago = f"{time.time() - 60}"
    questions: dict[str, dict[str, str]] = {
        "query": {"query": "up"},
        "query_range": {"query": "up", "start": ago, "end": now, "step": "5s"},
        "format_query": {"query": "sum( up)"},
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
    for path in ("query", "query_range", "format_query", "series", "labels"):
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
        ("format_query", {"query": "sum("}, "1:5: parse error"),
        ("format_query", {"query": "x" * 16_385}, "16384 characters"),
    ):
        status, answer = await get(http, f"{API}/{path}", **parameters)
        assert (status, answer["errorType"]) == (400, "bad_data"), answer
        assert part in answer["error"]
    async with http.post(f"{API}/query", data={"query": "x" * 70_000}) as answer:
        assert answer.status == 413
    for path in ("admin/tsdb/snapshot", "targets", "label/a-b/values", "../../config", "write"):
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
