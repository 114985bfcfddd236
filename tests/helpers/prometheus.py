"""A real Prometheus that has scraped a working worker, and servers that only pretend to be one."""

import json
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from cli.ports import free_port
from tests.helpers.components import require
from tests.helpers.eventually import eventually
from tests.helpers.processes import ROOT

NOBODY = ROOT / "deploy/prometheus/no-alertmanagers/alertmanager.yml"
RATE = "rate(cv_frames_processed_total[1m])"
RULES = """
groups:
  - name: test
    rules:
      - alert: AlwaysFiring
        expr: vector(1)
        labels: {severity: warning}
        annotations:
          summary: it burns
          description: "Bring water: `docker compose up -d water`, <b>much</b>."
          runbook_url: docs/runbooks/AlwaysFiring.md
      - {record: slo:objective:ratio, expr: vector(0.99), labels: &f {sloth_service: framefleet, sloth_slo: freshness}}
      - {record: slo:time_period:days, expr: vector(28), labels: *f}
      - {record: slo:current_burn_rate:ratio, expr: vector(1.5), labels: *f}
      - {record: slo:period_error_budget_remaining:ratio, expr: vector(0.25), labels: *f}
      - {record: slo:sli_error:ratio_rate30d, expr: vector(0.0075), labels: *f}
      - {record: slo:objective:ratio, expr: vector(0.5), labels: {sloth_service: a-neighbour, sloth_slo: theirs}}
"""


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
        self.dropped = Counter("producer_frames_dropped", "", ["camera_id", "reason"], registry=registry)
        self.server, self.thread = start_http_server(0, "127.0.0.1", registry=registry)
        self.port = self.server.server_port

    def work(self) -> None:
        self.processed.labels("n1").inc(10)
        self.failed.labels("n1", "not_json").inc(0)
        self.busy.labels("n1").inc(0.5)
        self.seconds.labels("n1").observe(0.02)
        self.age.labels("n1").observe(0.08)
        self.dropped.labels("gate-3", "queue_full").inc(2)
        self.dropped.labels("roof", "stale").inc(7)
        self.ready.labels("frame_queue").set(3)
        self.ready.labels("result_queue").set(1000)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@contextmanager
def real_prometheus(folder: Path, *, scraped: bool = True, alertmanagers: Path = NOBODY) -> Iterator[str]:
    """The URL of a real Prometheus; `scraped`: it knows the rate of a working worker already.

    alertmanagers: the file that names who is told of its alerts.
    """
    require("prometheus")
    worker = FakeWorker()
    port = free_port()
    (folder / "rules.yml").write_text(RULES)
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        "rule_files: [rules.yml]\n"
        f"alerting: {{alertmanagers: [{{file_sd_configs: [{{files: ['{alertmanagers}']}}]}}]}}\n"
        f"scrape_configs: [{{job_name: cv-worker, static_configs: [{{targets: ['127.0.0.1:{worker.port}']}}]}}]\n"
    )
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--rules.alert.resend-delay=1s",  # the first time nobody is found yet
            "--log.level=warn",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"

    def knows_the_rate() -> bool:
        worker.work()
        time.sleep(1)  # its pace: ten frames a second
        try:
            with urllib.request.urlopen(f"{url}/api/v1/query?query={RATE}", timeout=2) as answer:  # noqa: S310
                return bool(json.load(answer)["data"]["result"])
        except OSError:
            return False

    if scraped:
        eventually("Prometheus has scraped the worker twice", knows_the_rate, 30)
    try:
        yield url
    finally:
        process.terminate()
        process.wait()
        worker.close()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def other_prometheus(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
