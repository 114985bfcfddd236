"""The ports of one run: the usual ones where they are free, others where not, and a sentence for each change."""

import socket
from dataclasses import dataclass, field

from cli import ports
from cli.errors import KnobError
from cli.knobs import Knobs

GATEWAY, PROMETHEUS, AMQP, RABBITMQ_METRICS = 8080, 9090, 5672, 15692
WORKERS, PRODUCER_METRICS, GATEWAY_METRICS, BATCH_WORKERS = 8000, 8010, 8020, 8200


@dataclass
class Addresses:
    """Ports on the loopback address. `changes` are for the operator."""

    gateway: int = 0
    gateway_metrics: int = 0
    prometheus: int = 0
    amqp: int = 0
    rabbitmq_metrics: int = 0
    producer_metrics: int = 0
    workers: list[int] = field(default_factory=list)
    batch_workers: list[int] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    reservations: dict[int, socket.socket] = field(default_factory=dict, repr=False)

    def take(self, wanted: int, what: str) -> int:
        """Reserve the wanted port, or the next free one, and note the change."""
        tried = set(self.reservations)
        while True:
            port = ports.free_port(wanted, taken=tried)
            tried.add(port)
            reservation = ports.reserve(port)
            # The port may have been bound between the look and the reservation by a run that reserved it before.
            if reservation is not None and ports.is_free(port):
                break
        if port != wanted and wanted not in self.reservations:
            owner = ports.listener(wanted) or "another program"
            self.changes.append(f"port {wanted} is taken by {owner}: {what} uses {port}")
        self.reservations[port] = reservation
        return port

    def add_worker(self) -> int:
        """Reserve a port for one more worker."""
        wanted = self.workers[-1] + 1 if self.workers else WORKERS
        while wanted in self.reservations:
            wanted += 1
        self.workers.append(self.take(wanted, f"worker-{len(self.workers) + 1}'s metrics port"))
        return self.workers[-1]

    def drop_worker(self) -> None:
        """Give back the port of the last worker."""
        self.reservations.pop(self.workers.pop()).close()

    def add_batch_worker(self) -> int:
        """Reserve a port for one more worker of the batch lane."""
        wanted = BATCH_WORKERS + len(self.batch_workers)
        self.batch_workers.append(
            self.take(wanted, f"batch-worker-{len(self.batch_workers) + 1}'s metrics port")
        )
        return self.batch_workers[-1]

    def drop_batch_worker(self) -> None:
        """Give back the port of the last worker of the batch lane."""
        self.reservations.pop(self.batch_workers.pop()).close()

    def release(self) -> None:
        """Give the ports back."""
        for reservation in self.reservations.values():
            reservation.close()


def choose(knobs: Knobs) -> Addresses:
    """Find a free port for everything. Raises KnobError when PORT was asked for and is taken."""
    chosen = Addresses()
    chosen.gateway = chosen.take(knobs.port or GATEWAY, "the dashboard")
    if knobs.port is not None and chosen.gateway != knobs.port:
        owner = ports.listener(knobs.port) or "another program"
        chosen.release()
        raise KnobError(
            f"PORT={knobs.port} is taken by {owner}: end that, or choose another port, or leave PORT out and a free "
            "one is found"
        )
    chosen.gateway_metrics = chosen.take(GATEWAY_METRICS, "the gateway's metrics port")
    chosen.prometheus = chosen.take(PROMETHEUS, "Prometheus")
    if knobs.own_broker:
        chosen.amqp = chosen.take(AMQP, "RabbitMQ")
        chosen.rabbitmq_metrics = chosen.take(RABBITMQ_METRICS, "RabbitMQ's metrics port")
    if knobs.source != "none":
        chosen.producer_metrics = chosen.take(PRODUCER_METRICS, "the producer's metrics port")
    for _ in range(knobs.workers):
        chosen.add_worker()
    return chosen
