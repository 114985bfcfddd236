"""Grafana's Prometheus data source on the proxy: the requests that it makes, and every panel of our dashboards.

Grafana itself is not installed here. The requests are those of its sources, packages/grafana-prometheus and
pkg/promlib (Grafana 11 and 12), with Basic authentication as deploy/grafana/provisioning sets it up.
"""

import base64
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from deploy.grafana.boards.__main__ import BOARDS
from tests.helpers.board_lint import expressions, filled, variables
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.prometheus import real_prometheus

API = "/api/prometheus/api/v1"
EXPRESSIONS = [(f"{board['uid']}: {title}", expr) for board in BOARDS for title, expr in expressions(board)]
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


@pytest.mark.parametrize("as_", ["panel", "stat"])
async def test_every_expression_of_the_dashboards_is_understood(
    http: aiohttp.ClientSession, as_: str
) -> None:
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


async def test_every_variable_of_the_dashboards_is_understood(http: aiohttp.ClientSession) -> None:
    asked = {(each["name"], each["query"]["query"]) for board in BOARDS for each in variables(board)}
    found = {}
    for name, question in asked:
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", question).groups()  # type: ignore[union-attr]
        parameters = {"match[]": filled(selector)}
        async with http.get(f"{API}/label/{label}/values", params=parameters) as answer:
            assert answer.status == 200, (question, await answer.text())
            found[question] = name, (await answer.json())["data"]
    assert found["label_values(up, job)"] == ("job", ["cv-worker"])
    assert found["label_values(cv_frames_processed_total, job)"] == ("job", ["cv-worker"])
    assert ("node", ["n1"]) in found.values()


async def test_panels_show_something(http: aiohttp.ClientSession) -> None:
    """Not only understood: those that the test's worker has numbers for have them."""
    shown = set()
    for title, expression in EXPRESSIONS:
        async with http.post(f"{API}/query", data={"query": filled(expression)}) as answer:
            if (await answer.json())["data"]["result"]:
                shown.add(title)
    assert {
        "framefleet-overview: Frames analysed per second",
        "framefleet-overview: Alerts firing",
        "framefleet-overview: Rate",
        "framefleet-overview: Latency",
        "framefleet-overview: Queue depth",
        "framefleet-workers: Frames per second, by node",
        "framefleet-workers: Busy, by node",
        "framefleet-workers: Decode and detect, p95 by node",
    } <= shown
