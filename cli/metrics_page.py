"""`python -m cli.metrics_page > docs/metrics.md`: every metric there is, from the services' own registries.

`python -m cli.metrics_page --json > dashboard/src/explore/metrics.gen.json`: the same for the dashboard's explorer.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from gateway.canary.metrics import CanaryMetrics
from gateway.metrics import GatewayMetrics
from producer.metrics import ProducerMetrics
from runtime.probes import cut_connections
from worker.detection_counts import MOST_LABELS, MOST_MODELS
from worker.metrics import WorkerMetrics
from worker.remote.metrics import RemoteMetrics

HEAD = """\
# All metrics

Written by `python -m cli.metrics_page > docs/metrics.md` from the services' own registries. Tests hold it to them, and
to what running services export.

Each service has a metrics port: workers 8000 and up, the producer 8010, the gateway 8020. Prometheus adds the labels
`job` (`cv-worker`, `producer`, `gateway`) and `instance`. A metric with labels has no series until there is something
to count, unless its values are known beforehand. Times are Unix seconds, durations seconds, sizes bytes. RabbitMQ's own
metrics are in its documentation; the alerts that use any of these are in `deploy/prometheus/rules/`.
"""

BUDGET = """\
## How many series

A label has few values: a node, a reason, a model, a route; `camera_id` only where one process owns the camera (its
producer) or hears of all (the gateway), and never on a worker or a histogram of buckets: of one
camera there is a mean latency and no percentile. `frame_id` never. Names that
others choose are bounded: a worker tells {models} models and {labels} labels of each apart, the gateway the routes that
it has and the methods that they take; what is beyond is `other`. A camera that is forgotten takes its series along.

| | series, at most |
| --- | --- |
| a worker, with two models of seven labels; 6 more for each sender | {worker:,} |
| and on the remote lane | {remote:,} more |
| a producer | {producer:,} |
| and each of its cameras, with 19 reasons why frames were left out or the source failed | {camera:,} |
| the gateway, asked everything in every way | {gateway:,} |
| and each camera | {result:,} |
| **1,000 cameras, four producers, 20 workers, one gateway** | **{total:,}** |

A test builds the registries at this size and counts ([`test_a_thousand_cameras_are_within_the_budget`]({test})).
"""
TEST = "../tests/unit/test_metrics_budget.py"


@dataclass(frozen=True, slots=True)
class SeriesBudget:
    """The most series of each kind. A producer's camera has few of the reasons that there are: those of its source.

    `remote` is what a worker of the remote lane has beyond the others.
    """

    worker: int = 310
    remote: int = 60
    producer: int = 80
    camera: int = 25
    gateway: int = 7_000
    result: int = 3

    @property
    def total(self) -> int:
        """For 1,000 cameras, four producers, 20 workers and one gateway."""
        return 20 * self.worker + 4 * self.producer + 1_000 * (self.camera + self.result) + self.gateway


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric as a service exports it. A histogram's `le` is none of its labels."""

    name: str
    type: str
    labels: tuple[str, ...]
    meaning: str


REGISTRIES: dict[str, Callable[[], CollectorRegistry]] = {
    "worker": lambda: _with_port(_worker()),
    "producer": lambda: _with_port(ProducerMetrics().registry),
    "gateway": lambda: _with_port(_gateway()),
}
"""What a service's metrics port shows, by service."""

QUERIES = {
    "cv_frames_processed_total": "sum(rate(cv_frames_processed_total[1m]))",
    "cv_frames_failed_total": "sum(rate(cv_frames_failed_total[5m])) by (node_id, reason)",
    "cv_busy_seconds_total": "avg(rate(cv_busy_seconds_total[5m]))",
    "framefleet_build_info": "count(framefleet_build_info) by (service, version)",
    "framefleet_camera_file_reload_timestamp_seconds": "time() - framefleet_camera_file_reload_timestamp_seconds",
    "framefleet_camera_last_frame_timestamp_seconds": "time() - max(framefleet_camera_last_frame_timestamp_seconds) "
    "by (camera_id) > 60",
    "framefleet_camera_last_result_timestamp_seconds": "time() - framefleet_camera_last_result_timestamp_seconds > 60",
    "framefleet_certificate_expiry_timestamp_seconds": "framefleet_certificate_expiry_timestamp_seconds - time() "
    "< 14 * 86400",
    "gateway_concurrent_sessions": 'max(gateway_concurrent_sessions{device="all"}) by (window)',
    "gateway_concurrent_users": 'max(gateway_concurrent_users{device="all"}) by (window)',
    "framefleet_history_free_bytes": "predict_linear(framefleet_history_free_bytes[6h], 24 * 3600) < 0 "
    "and framefleet_history_free_bytes offset 3h",
    "framefleet_token_expiry_timestamp_seconds": "framefleet_token_expiry_timestamp_seconds - time() < 7 * 86400",
    "process_cpu_seconds_total": "rate(process_cpu_seconds_total[5m])",
    "process_open_fds": "process_open_fds / process_max_fds",
    "process_start_time_seconds": "time() - process_start_time_seconds",
    "python_info": "count(python_info) by (version)",
}
"""Examples that say more than the one that is made of a metric's type and labels."""

COUNTED = (
    *(
        "frames",
        "bytes",
        "seconds",
        "messages",
        "detections",
        "requests",
        "connections",
        "publishes",
        "results",
    ),
    *(
        "cameras",
        "clients",
        "senders",
        "nodes",
        "threads",
        "fds",
        "replies",
        "queries",
        "logins",
        "thumbnails",
        "dollars",
        "tokens",
        "calls",
    ),
)
"""Words of names that say what is counted; the first that fits counts."""


def rows(service: str) -> list[MetricRow]:
    """Every metric of a service, by name."""
    return sorted(set(_rows(REGISTRIES[service]())), key=lambda row: row.name)


def query(row: MetricRow) -> str:
    """An example of a question that the metric answers."""
    if row.name in QUERIES:
        return QUERIES[row.name]
    by = f" by ({', '.join(row.labels)})" if row.labels else ""
    match row.type:
        case "counter":
            return f"sum(rate({row.name}[5m])){by}"
        case "histogram":
            return f"histogram_quantile(0.95, sum(rate({row.name}_bucket[5m])) by ({', '.join((*row.labels, 'le'))}))"
        case "summary":
            return f"sum(rate({row.name}_sum[5m])){by} / sum(rate({row.name}_count[5m])){by}"
    return f"max({row.name}){by}"


def unit(row: MetricRow) -> str:
    """What the values are numbers of."""
    bare = row.name.removesuffix("_total")
    if bare.endswith("_timestamp_seconds") or bare == "process_start_time_seconds":
        return "Unix seconds"
    if bare.endswith(("_seconds", "_bytes")):
        return bare.rpartition("_")[2]
    if bare.endswith("_info") or row.meaning.startswith("1 "):
        return "1" if bare.endswith("_info") else "0 or 1"
    if bare.endswith("_confidence"):
        return "0 to 1"
    words = bare.split("_")
    return next((word for word in COUNTED if word in words), "number")


def text() -> str:
    """The whole page."""
    return HEAD + "".join(f"\n{part}\n" for part in _parts()).rstrip("\n") + "\n"


def examples() -> str:
    """The same rows as JSON, one a line, for the metrics explorer."""
    lines = [
        json.dumps(
            {
                "service": service or "every service",
                "name": row.name,
                "type": row.type,
                "unit": unit(row),
                "meaning": row.meaning,
                "query": query(row),
            }
        )
        for service, found in tables()
        for row in found
    ]
    return "[\n  " + ",\n  ".join(lines) + "\n]\n"


def tables() -> list[tuple[str | None, list[MetricRow]]]:
    """The metrics of each service, those that all have first, of no service in particular."""
    every = {service: rows(service) for service in REGISTRIES}
    shared = set.intersection(*map(set, every.values()))
    return [
        (None, [row for row in every["worker"] if row in shared]),
        *((service, [row for row in found if row not in shared]) for service, found in every.items()),
    ]


def _parts() -> Iterator[str]:
    for service, found in tables():
        yield "## Every service" if service is None else f"## The {service}"
        yield _table(found)
    budget = SeriesBudget()
    yield BUDGET.format(
        models=MOST_MODELS,
        labels=MOST_LABELS,
        worker=budget.worker,
        remote=budget.remote,
        producer=budget.producer,
        camera=budget.camera,
        gateway=budget.gateway,
        result=budget.result,
        total=budget.total,
        test=TEST,
    ).rstrip()


def _table(found: Iterable[MetricRow]) -> str:
    lines = ["| metric | type | labels | unit | meaning | example |", "| --- | --- | --- | --- | --- | --- |"]
    for row in found:
        labels = ", ".join(f"`{label}`" for label in row.labels)
        cells = (f"`{row.name}`", row.type, labels, unit(row), row.meaning, f"`{query(row)}`")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _worker() -> CollectorRegistry:
    registry = WorkerMetrics("n1").registry
    RemoteMetrics("n1", registry)  # of those of the remote lane alone
    return registry


def _gateway() -> CollectorRegistry:
    registry = GatewayMetrics().registry
    CanaryMetrics(registry)
    return registry


def _with_port(registry: CollectorRegistry) -> CollectorRegistry:
    registry.register(cut_connections())
    return registry


def _rows(registry: CollectorRegistry) -> Iterator[MetricRow]:
    # Metrics without series yet do not tell their labels in what they collect: only prometheus_client's own fields do.
    for collector in registry._collector_to_names:
        for family in collector.collect():
            source: Any = collector if isinstance(collector, MetricWrapperBase) else family
            name = f"{family.name}_total" if family.type == "counter" else family.name
            yield MetricRow(name, family.type, tuple(source._labelnames), family.documentation.rstrip("."))


if __name__ == "__main__":
    sys.stdout.write(examples() if "--json" in sys.argv[1:] else text())
