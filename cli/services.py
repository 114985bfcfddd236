"""The services of one run: the command line and the environment of each."""

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from cli import lan
from cli.addresses import Addresses
from cli.child import Command
from cli.knobs import Knobs
from cli.layout import Layout
from cli.ports import LOOPBACK


@dataclass(frozen=True)
class ServiceCommands:
    """The commands of the workers, the producer and the gateway. Secrets travel in the environment only."""

    layout: Layout
    knobs: Knobs
    addresses: Addresses
    amqp_url: str
    token: str

    @property
    def gateway_url(self) -> str:
        return lan.http(self.gateway_host, self.addresses.gateway)

    @property
    def gateway_host(self) -> str:
        """Where this machine itself reaches the gateway."""
        return lan.reached_at(self.knobs.host)

    @property
    def network_url(self) -> str | None:
        """Where others reach the gateway; None if nobody does."""
        seen = lan.seen_at(self.knobs.host)
        return None if seen is None else lan.http(seen, self.addresses.gateway)

    @property
    def prometheus_url(self) -> str:
        return f"http://{LOOPBACK}:{self.addresses.prometheus}"

    @property
    def workers(self) -> list[Command]:
        """One command per slot, from 1."""
        return [self.worker(slot) for slot in range(1, len(self.addresses.workers) + 1)]

    def worker(self, slot: int) -> Command:
        """The command of that slot; `NODE_ID` is `<host>-<slot>`."""
        return self._worker(f"worker-{slot}", f"-{slot}", self.addresses.workers[slot - 1], {})

    def batch_worker(self, slot: int) -> Command:
        """The command of that slot of the batch lane, from 1; `NODE_ID` is `<host>-batch-<slot>`."""
        port = self.addresses.batch_workers[slot - 1]
        return self._worker(f"batch-worker-{slot}", f"-batch-{slot}", port, {"WORKER_LANE": "batch"})

    def _worker(self, name: str, suffix: str, port: int, env: dict[str, str]) -> Command:
        return self._service(
            "worker",
            {
                "NODE_ID": f"{socket.gethostname()[: 64 - len(suffix)]}{suffix}",
                "WORKER_METRICS_HOST": LOOPBACK,
                "WORKER_METRICS_PORT": str(port),
                **({"MODEL_DIR": str(self.knobs.model_dir)} if self.knobs.model_dir else {}),
                **env,
            },
            name=name,
            # The worker has its own grace period (10 s unless set) for frames at hand, and some for closing.
            grace=5 + _seconds(os.environ.get("WORKER_GRACE_SECONDS"), 10),
        )

    @property
    def producer(self) -> Command:
        return self._service(
            "producer",
            {
                **self._cameras,
                "PRODUCER_METRICS_HOST": LOOPBACK,
                "PRODUCER_METRICS_PORT": str(self.addresses.producer_metrics),
            },
        )

    @property
    def gateway(self) -> Command:
        return self._service(
            "gateway",
            {
                "GATEWAY_HOST": self.knobs.host or LOOPBACK,
                **self._published,
                "GATEWAY_PORT": str(self.addresses.gateway),
                "GATEWAY_METRICS_HOST": LOOPBACK,
                "GATEWAY_METRICS_PORT": str(self.addresses.gateway_metrics),
                "GATEWAY_TOKEN": self.token,
                "GATEWAY_PRINT_LINK": "false",  # `up` asks for one; in a log file it would only lie about
                "GATEWAY_DATA_DIR": str(self.layout.gateway),
                "GATEWAY_DASHBOARD_DIR": str(self.layout.dashboard / "dist"),
                "GATEWAY_EXPECTED_WORKERS_FILE": str(self.layout.expected_workers),
                "GATEWAY_LAUNCHER": "native",
                "PROMETHEUS_URL": self.prometheus_url,
            },
        )

    @property
    def targets(self) -> dict[str, str]:
        """Addresses for Prometheus, by job; workers and RabbitMQ aside."""
        targets = {"gateway": f"{LOOPBACK}:{self.addresses.gateway_metrics}"}
        if self.knobs.own_producer:
            targets["producer"] = f"{LOOPBACK}:{self.addresses.producer_metrics}"
        return targets

    @property
    def endpoints(self) -> dict[str, object]:
        """The content of `.run/endpoints.json`."""
        return {
            "gateway": self.gateway_url,
            "token": self.token,
            "prometheus": self.prometheus_url,
            "amqp": self.amqp_url,
            "workers": [f"http://{LOOPBACK}:{port}/metrics" for port in self.addresses.workers],
        }

    @property
    def _published(self) -> dict[str, str]:
        """What links begin with, unless the operator says it."""
        told = os.environ.get("GATEWAY_PUBLIC_URL") or os.environ.get("GATEWAY_PUBLISHED_URL")
        return {} if told or self.network_url is None else {"GATEWAY_PUBLISHED_URL": self.network_url}

    @property
    def _cameras(self) -> dict[str, str]:
        if self.knobs.cameras is not None:
            return {"CAMERAS": str(self.knobs.cameras)}
        return {"SOURCE": self.knobs.source}

    def _service(
        self, package: str, env: dict[str, str], *, name: str | None = None, grace: float = 10
    ) -> Command:
        name = name or package
        return Command(
            name=name,
            # -P: the folder that we are called from adds nothing to what is imported.
            arguments=[sys.executable, "-P", "-m", package],
            env=environment(self.layout.root) | {"AMQP_URL": self.amqp_url} | env,
            log=self.layout.logs / f"{name}.log",
            cwd=self.layout.root,
            grace=grace,
        )


def environment(root: Path) -> dict[str, str]:
    """The operator's environment without the knobs: services get theirs from us, the rest as it was set."""
    ours = {
        "WORKERS",
        "WORKERS_BATCH",
        "SOURCE",
        "CAMERAS",
        "PORT",
        "HOST",
        "MODEL_DIR",
        "AMQP_URL",
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
    }
    kept = {key: value for key, value in os.environ.items() if key not in ours}
    return kept | {"PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}


def _seconds(text: str | None, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        return default  # the worker says what is wrong with it
