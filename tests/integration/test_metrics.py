"""What running services export is what docs/metrics.md says, both ways."""

import contextlib
import http.client
import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from cli.metrics_page import REGISTRIES
from cli.ports import free_port
from gateway.http.routes import RouteNames
from tests.conftest import StartService
from tests.helpers.eventually import eventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.processes import ROOT, Service
from tests.unit.test_metrics_budget import ROUTES
from worker.remote.metrics import RemoteMetrics

pytestmark = pytest.mark.integration

Exported = dict[str, tuple[str, frozenset[str]]]
"""Metrics by name: type and labels."""


def listed() -> dict[str, Exported]:
    """What the page says, by service."""
    found: dict[str, Exported] = {service: {} for service in REGISTRIES}
    section: list[str] = []
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        if line.startswith("## "):
            title = line.removeprefix("## ")
            section = list(REGISTRIES) if title == "Every service" else [title.removeprefix("The ")]
        if line.startswith("| `") and line.count("|") > 6:
            name, kind, labels = (cell.strip() for cell in line.split("|")[1:4])
            for service in section:
                found[service][name.strip("`")] = kind, frozenset(re.findall(r"`(\w+)`", labels))
    return found


def exported(text: str) -> tuple[dict[str, str], Exported]:
    """Types by name, of metrics without series too; and of those with some, type and labels."""
    types: dict[str, str] = {}
    full: Exported = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        types[name] = family.type
        labels = {frozenset(sample.labels) - {"le"} for sample in family.samples}
        if labels:
            assert len(labels) == 1, name
            full[name] = family.type, labels.pop()
    return types, full


def ask(port: str, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
        return connection.getresponse().status


def of_the_remote_lane() -> set[str]:
    """Names of what only a worker of the remote lane exports."""
    registry = CollectorRegistry()
    RemoteMetrics("n1", registry)
    return set(exported(generate_latest(registry).decode())[0])


def test_a_worker_of_the_remote_lane_exports_what_the_page_says(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    worker = start(
        "worker",
        AMQP_URL=rabbitmq,
        NODE_ID="n1",
        WORKER_LANE="remote",
        WORKER_REMOTE_URL=f"http://127.0.0.1:{free_port()}/v1",
        WORKER_REMOTE_MODEL="seer",
        WORKER_REMOTE_FOLDER=str(tmp_path / "remote"),
    )
    worker.ready()
    types, full = exported(worker.get("/metrics")[1])
    said = listed()["worker"]
    assert types == {metric: kind for metric, (kind, _) in said.items()}
    assert full.items() <= said.items()


def test_services_export_what_the_page_says(start: StartService, rabbitmq: str, tmp_path: Path) -> None:
    port = str(free_port())
    services: dict[str, Service] = {
        "worker": start("worker", AMQP_URL=rabbitmq, NODE_ID="n1", WORKER_DETECTOR="auto"),
        "gateway": start(
            "gateway",
            AMQP_URL=rabbitmq,
            GATEWAY_PORT=port,
            GATEWAY_TOKEN=TOKEN,
            GATEWAY_DATA_DIR=str(tmp_path / "data"),
        ),
        "producer": start("producer", AMQP_URL=rabbitmq, SOURCE="demo:1", PRODUCER_FPS="5"),
    }
    for service in services.values():
        service.ready()
    gateway = services["gateway"]
    eventually("a result", lambda: gateway.metric("framefleet_camera_result_age_seconds_count"), 20.0)
    assert ask(port, "/api/cameras") == 200
    assert ask(port, "/api/events") == 200
    said = listed()
    for metric in of_the_remote_lane():
        del said["worker"][metric]
    for name, service in services.items():
        types, full = exported(service.get("/metrics")[1])
        assert types == {metric: kind for metric, (kind, _) in said[name].items()}
        assert full.items() <= said[name].items()

    worker, producer = services["worker"], services["producer"]
    assert worker.metric('framefleet_dequeue_age_seconds_count{node_id="n1"}') >= 1
    assert worker.metric('framefleet_publishes_total{outcome="confirmed"}') >= 1
    assert worker.metric('framefleet_event_loop_lag_seconds_count{loop="amqp"}') >= 1
    assert worker.metric('framefleet_detections_total{label="face",model=') >= 1
    assert producer.metric("framefleet_camera_last_frame_timestamp_seconds{") > 1e9
    for direction in ("sent", "received"):
        assert producer.metric(f'framefleet_amqp_bytes_total{{direction="{direction}"}}') > 1_000
    assert gateway.metric('framefleet_http_requests_total{code="200",method="GET",route="/api/events"}') == 1
    assert gateway.metric("framefleet_database_wait_seconds_count") >= 1
    assert gateway.metric('framefleet_database_connections{state="idle"}') >= 1
    assert gateway.metric("framefleet_history_free_bytes") > 1e6
    for service in services.values():
        assert service.metric('framefleet_broker_connections_total{connection="listens"}') == 1


async def test_the_gateways_routes_are_within_the_budget(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        names = RouteNames.of(gateway.app)
        assert 30 < len(names.methods) <= ROUTES
        assert names.name("/api/cameras", "GET") == ("/api/cameras", "GET")
        assert names.name("/api/cameras", "DELETE") == ("/api/cameras", "other")
        assert names.name("/ws/results", "GET") == ("/ws/results", "GET")
        assert names.name("/api/nothing", "GET") == ("other", "GET")
