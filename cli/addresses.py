"""The ports of one run: the usual ones where they are free, others where not, and a sentence for each change."""

import socket
from dataclasses import dataclass, field

from cli import ports
from cli.errors import KnobError
from cli.knobs import Knobs

GATEWAY, PROMETHEUS, AMQP, RABBITMQ_METRICS = 8080, 9090, 5672, 15692
WORKERS, PRODUCER_METRICS, GATEWAY_METRICS = 8000, 8010, 8020


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
    changes: list[str] = field(default_factory=list)
    reservations: list[socket.socket] = field(default_factory=list, repr=False)

    def release(self) -> None:
        """Give the ports back."""
        for reservation in self.reservations:
            reservation.close()


def choose(knobs: Knobs) -> Addresses:
    """Find a free port for everything. Raises KnobError when PORT was asked for and is taken."""
    chosen = Addresses()
    taken: set[int] = set()

    def take(wanted: int, what: str) -> int:
        tried = set(taken)
        while True:
            port = ports.free_port(wanted, taken=tried)
            tried.add(port)
            reservation = ports.reserve(port)
            # The port may have been bound between the look and the reservation by a run that reserved it before.
            if reservation is not None and ports.is_free(port):
                break
        chosen.reservations.append(reservation)
        if port != wanted and wanted not in taken:
            owner = ports.listener(wanted) or "another program"
            chosen.changes.append(f"port {wanted} is taken by {owner}: {what} uses {port}")
        taken.add(port)
        return port

    chosen.gateway = take(knobs.port or GATEWAY, "the dashboard")
    if knobs.port is not None and chosen.gateway != knobs.port:
        owner = ports.listener(knobs.port) or "another program"
        chosen.release()
        raise KnobError(
            f"PORT={knobs.port} is taken by {owner}: end that, or choose another port, or leave PORT out and a free "
            "one is found"
        )
    chosen.gateway_metrics = take(GATEWAY_METRICS, "the gateway's metrics port")
    chosen.prometheus = take(PROMETHEUS, "Prometheus")
    if knobs.own_broker:
        chosen.amqp = take(AMQP, "RabbitMQ")
        chosen.rabbitmq_metrics = take(RABBITMQ_METRICS, "RabbitMQ's metrics port")
    if knobs.source != "none":
        chosen.producer_metrics = take(PRODUCER_METRICS, "the producer's metrics port")
    wanted = WORKERS
    for slot in range(1, knobs.workers + 1):
        while wanted in taken:
            wanted += 1
        chosen.workers.append(take(wanted, f"worker-{slot}'s metrics port"))
        wanted = chosen.workers[-1] + 1
    return chosen
