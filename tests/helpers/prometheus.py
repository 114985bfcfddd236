"""A real Prometheus that has scraped a working worker, and servers that only pretend to be one."""

import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from tests.helpers.components import require

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


@contextmanager
def real_prometheus(folder: Path, seconds: float = 8.0) -> Iterator[str]:
    """The URL of a real Prometheus that has scraped a working worker for so long."""
    require("prometheus")
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
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        worker.work()
        time.sleep(1)
    try:
        yield f"http://127.0.0.1:{port}"
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
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()
