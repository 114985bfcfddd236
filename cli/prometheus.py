"""The private Prometheus: its configuration, of the same shape as the checkout's prometheus.yml, and its command."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from cli.child import Command
from cli.layout import Layout
from cli.ports import LOOPBACK

RETENTION = ("31d", "2GB")
"""A month, for the objectives, unless that takes more than this; whichever comes first."""
QUEUE_FAMILIES = ["queue_coarse_metrics", "queue_consumer_count", "ra_metrics", "exchange_bindings"]


def configuration(layout: Layout, targets: Mapping[str, str], alertmanager: str = "") -> dict[str, object]:
    """Prometheus's configuration. `targets` are addresses by job, `rabbitmq` for both of its jobs; `alertmanager` is
    the URL of who hears of alerts, '' for nobody.

    Workers are read from `.run/workers.json`, those of the batch lane from `.run/batch-workers.json` and the producer
    from `.run/producer.json`, which Prometheus watches: one that has sent all is no longer there to be missed. Every
    target has its part's name for an `instance`: of other ports after a restart Prometheus would make other series, and
    for five minutes the last values of those before would stand beside them, as of a second gateway and a second
    broker.
    """
    jobs = [_listed("cv-worker", layout.workers), _listed("cv-worker-batch", layout.batch_workers)]
    if "producer" in targets:
        jobs.append(_listed("producer", layout.producer))
    jobs += [_static(job, targets[job]) for job in ("gateway", "rabbitmq") if job in targets]
    if "rabbitmq" in targets:
        queues = {"metrics_path": "/metrics/detailed", "params": {"family": QUEUE_FAMILIES}}
        jobs.append(_static("rabbitmq-queues", targets["rabbitmq"]) | queues)
    if "prometheus" in targets:
        jobs.append(_static("prometheus", targets["prometheus"]) | {"scrape_interval": "15s"})
    return {
        "global": {"scrape_interval": "5s", "scrape_timeout": "4s", "evaluation_interval": "5s"},
        "rule_files": [str(layout.root / "deploy" / "prometheus" / "rules" / "*.yml")],
        "scrape_configs": jobs,
        "alerting": {"alertmanagers": [_alertmanager(alertmanager)] if alertmanager else []},
    }


def command(layout: Layout, port: int, targets: Mapping[str, str], env: Mapping[str, str]) -> Command:
    """Write the configuration and return what to run."""
    address, (age, size) = f"{LOOPBACK}:{port}", RETENTION
    file = layout.prometheus / "prometheus.yml"
    itself = {"prometheus": address}
    written = configuration(layout, {**targets, **itself}, env.get("ALERTMANAGER_URL", ""))
    file.write_text(json.dumps(written, indent=2) + "\n")  # JSON is YAML
    return Command(
        name="prometheus",
        arguments=[
            "prometheus",
            f"--config.file={file}",
            f"--storage.tsdb.path={layout.prometheus / 'data'}",
            f"--storage.tsdb.retention.time={age}",
            f"--storage.tsdb.retention.size={size}",
            f"--web.listen-address={address}",
            "--enable-feature=exemplar-storage",  # from a histogram to a trace (docs/tracing.md)
            "--log.level=warn",
        ],
        env=env,
        log=layout.logs / "prometheus.log",
        cwd=layout.prometheus,
        grace=15,
    )


def write_workers(file: Path, ports: list[int]) -> None:
    """List the workers' metrics ports, by slot, for Prometheus; replaced as a whole, since it watches the file."""
    _write(file, [_target(f"worker-{slot}", f"{LOOPBACK}:{port}") for slot, port in enumerate(ports, 1)])


def write_batch_workers(file: Path, ports: list[int]) -> None:
    """List the metrics ports of the batch lane's workers, likewise."""
    _write(
        file, [_target(f"batch-worker-{slot}", f"{LOOPBACK}:{port}") for slot, port in enumerate(ports, 1)]
    )


def write_producer(file: Path, address: str | None) -> None:
    """List the producer's metrics port, likewise; None: there is none to be read any more."""
    _write(file, [] if address is None else [_target("producer", address)])


def _write(file: Path, listed: list[dict[str, object]]) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(listed) + "\n")
    fresh.replace(file)


def _listed(job: str, file: Path) -> dict[str, object]:
    return {"job_name": job, "file_sd_configs": [{"files": [str(file)], "refresh_interval": "5s"}]}


def _static(job: str, target: str) -> dict[str, object]:
    return {"job_name": job, "static_configs": [_target(job.removesuffix("-queues"), target)]}


def _alertmanager(url: str) -> dict[str, object]:
    """Where alerts go. A URL that is wrong is told by the gateway, whose setting it is, and left out here."""
    parts = urlsplit(url)
    return {
        "scheme": parts.scheme or "http",
        "path_prefix": parts.path or "/",
        "static_configs": [{"targets": [parts.netloc] if parts.hostname else []}],
    }


def _target(name: str, address: str) -> dict[str, object]:
    return {"targets": [address], "labels": {"instance": name}}
