"""Grafana's Prometheus data source on the proxy: the requests that it makes, and every panel of our dashboard.

Grafana itself is not installed here. The requests are those of its sources, packages/grafana-prometheus and
pkg/promlib (Grafana 11 and 12), with Basic authentication as deploy/grafana/provisioning sets it up.
"""

import base64
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.metrics import GatewayMetrics
from producer.metrics import ProducerMetrics
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.prometheus import real_prometheus
from worker.metrics import WorkerMetrics

API = "/api/prometheus/api/v1"
ROOT = Path(__file__).resolve().parents[2]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/dashboards/framefleet.json").read_text())
EXPRESSIONS = [
    (panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]
]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def requests(now: float) -> Iterator[tuple[str, str, str, dict[str, str], dict[str, str]]]:
    """What it is for, method, path, query, form."""
    span = {"start": f"{int(now) - 1800}", "end": f"{int(now)}"}
    limit = {"limit": "40000"}
    yield "Save & test", "POST", "query", {}, {"query": "1+1", "time": "4"}
    yield "Save & test", "GET", "status/buildinfo", {}, {}
    yield "a dashboard is opened", "GET", "rules", {}, {}
    yield "are there exemplars?", "POST", "query_exemplars", {}, {"query": "test", **span}
    yield "the editor opens", "GET", "label/__name__/values", {**limit, **span}, {}
    yield "the editor opens", "GET", "metadata", {}, {}
    yield "the editor opens", "GET", "metadata", {"limit": "40000"}, {}
    yield "the editor opens", "POST", "labels", {}, {**limit, **span}
    yield (
        "labels of a metric",
        "POST",
        "labels",
        {},
        {**limit, **span, "match[]": "cv_frames_processed_total"},
    )
    yield "the same, by the server", "POST", "labels", {**span, "match[]": '{__name__="up"}'}, {}
    yield (
        "values of a label",
        "GET",
        "label/node_id/values",
        {**span, "match[]": "cv_frames_processed_total"},
        {},
    )
    yield "a variable", "GET", "label/node_id/values", {**span, "match[]": "cv_frames_processed_total"}, {}
    yield "a name in UTF-8, escaped", "GET", "label/U__node_2e_id/values", {**limit, **span}, {}
    yield "the metrics browser", "POST", "series", {}, {**limit, **span, "match[]": '{__name__!=""}'}
    yield "an old data source", "GET", "series", {**span, "match[]": "up"}, {}
    yield "a panel", "POST", "query_range", {}, {"query": "up", **span, "step": "5", "timeout": "10s"}
    yield "a panel, by GET", "GET", "query_range", {"query": "up", **span, "step": "15"}, {}
    yield "a stat", "POST", "query", {}, {"query": "up", "time": f"{now:.3f}", "timeout": "10s"}
    yield "the list of alerts", "GET", "rules", {"type": "alert"}, {}
    yield "the list of alerts", "GET", "alerts", {}, {}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with real_prometheus(tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@pytest.fixture
async def http(prometheus: str, tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    basic = base64.b64encode(f"grafana:{TOKEN}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "User-Agent": "Grafana/12.2.0"}
    async with (
        running_gateway(tmp_path, prometheus_url=prometheus) as gateway,
        aiohttp.ClientSession(gateway.address, headers=headers) as session,
    ):
        yield session


async def test_every_request_of_the_data_source(http: aiohttp.ClientSession) -> None:
    for why, method, path, query, form in requests(time.time()):
        data = aiohttp.FormData(list(form.items()))
        posted = {"data": data, "headers": FORM} if method == "POST" else {}
        async with http.request(method, f"{API}/{path}", params=query, **posted) as answer:  # type: ignore[arg-type]
            told = await answer.json()
            assert (answer.status, told["status"]) == (200, "success"), (why, path, told)


async def test_what_a_metric_s_labels_are(http: aiohttp.ClientSession) -> None:
    form = {"match[]": "cv_frames_processed_total"}
    async with http.post(f"{API}/labels", data=form) as answer:
        assert (await answer.json())["data"] == ["__name__", "instance", "job", "node_id"]


def filled(expression: str) -> str:
    """With Grafana's variables in it as Grafana writes them."""
    return expression.replace("$__rate_interval", "1m0s").replace("$node", ".*")


@pytest.mark.parametrize("as_", ["panel", "stat"])
async def test_every_expression_of_the_dashboard_is_understood(http: aiohttp.ClientSession, as_: str) -> None:
    now = int(time.time())
    for title, expression in EXPRESSIONS:
        assert "$" not in filled(expression), title
        form = {"query": filled(expression), "time": f"{now}"}
        path = "query"
        if as_ == "panel":
            form = {"query": filled(expression), "start": f"{now - 60}", "end": f"{now}", "step": "5"}
            path = "query_range"
        async with http.post(f"{API}/{path}", data=form) as answer:
            assert answer.status == 200, (title, await answer.text())


async def test_panels_show_something(http: aiohttp.ClientSession) -> None:
    """Not only understood: those that the test's worker has numbers for have them."""
    shown = set()
    for title, expression in EXPRESSIONS:
        async with http.post(f"{API}/query", data={"query": filled(expression)}) as answer:
            if (await answer.json())["data"]["result"]:
                shown.add(title)
    assert {
        "Frames analysed per second",
        "Alerts firing",
        "Rate",
        "Latency",
        "Queue depth",
        "Frames per second, by node",
        "Busy, by node",
        "Decode and detect, p95 by node",
    } <= shown


def test_the_dashboard_shows_what_our_services_and_the_broker_export() -> None:
    registries = [WorkerMetrics("n1").registry, ProducerMetrics().registry, GatewayMetrics().registry]
    ours = {
        name + suffix
        for registry in registries
        for metric in registry.collect()
        for name in [metric.name]
        for suffix in {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(
            metric.type, [""]
        )
    }
    known = ours | {
        "rabbitmq_detailed_queue_messages_ready",
        "ALERTS",
    }  # the rules in deploy/prometheus use them too
    used = {
        name
        for _, expression in EXPRESSIONS
        for name in re.findall(r"\b((?:cv|producer|gateway|rabbitmq)_\w+|ALERTS)\b", expression)
    }
    assert used <= known
    for promised in ("cv_frames_processed_total", "cv_processing_seconds_bucket", "cv_frames_failed_total"):
        assert promised in used
