"""What a service's link to RabbitMQ did, in numbers for Prometheus."""

import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from broker.publisher import Outcome

CONNECTIONS = SENDS, LISTENS = ("sends", "listens")
PUBLISHED = {
    Outcome.CONFIRMED: "confirmed",
    Outcome.REJECTED: "nacked",
    Outcome.QUEUE_DOWN: "nacked",
    Outcome.REFUSED: "nacked",
    Outcome.UNROUTABLE: "returned",
    Outcome.TIMED_OUT: "uncertain",
    Outcome.DISCONNECTED: "uncertain",
}


class LinkCounts(Collector):
    """Counts on the link's thread, in plain numbers since each message is counted; read by a scrape's thread."""

    def __init__(self) -> None:
        self._published = dict.fromkeys(PUBLISHED.values(), 0)
        self._connected = dict.fromkeys(CONNECTIONS, 0)
        self._lock = threading.Lock()
        self._now: dict[str, Any] = {}
        self._before: Counter[str] = Counter()  # bytes by direction, of connections that have ended

    def settled(self, outcome: Outcome) -> None:
        """Count a message that was sent by what became of it."""
        self._published[PUBLISHED[outcome]] += 1

    def opened(self, name: str, connection: Any) -> None:
        """Count a successful connect of the link's connection `name`; pika's `connection` counts its own bytes."""
        with self._lock:  # a scrape in between would see bytes twice, or not at all
            if (former := self._now.get(name)) is not None:
                self._before.update(_bytes(former))
            self._now[name] = connection
            self._connected[name] += 1

    def describe(self) -> Iterable[Metric]:
        """Name them, so that a second metric of the same name is refused."""
        return [_connects({}), _publishes({}), _traffic({})]

    def collect(self) -> Iterable[Metric]:
        """The numbers now."""
        with self._lock:
            traffic = Counter({"sent": 0, "received": 0})
            for part in (self._before, *map(_bytes, self._now.values())):
                traffic.update(part)
            return [_connects(self._connected), _publishes(self._published), _traffic(traffic)]


def _bytes(connection: Any) -> dict[str, int]:
    return {"sent": connection.bytes_sent, "received": connection.bytes_received}


def _connects(counts: dict[str, int]) -> Metric:
    words = "Successful connects to RabbitMQ, by what the connection does"
    return _counter("framefleet_broker_connections_total", words, "connection", counts)


def _publishes(counts: dict[str, int]) -> Metric:
    words = (
        "Messages sent to RabbitMQ by its word on them: confirmed, nacked, returned as unroutable, or uncertain since "
        "no word came"
    )
    return _counter("framefleet_publishes_total", words, "outcome", counts)


def _traffic(counts: dict[str, int]) -> Metric:
    return _counter(
        "framefleet_amqp_bytes_total", "Bytes sent to and received from RabbitMQ", "direction", counts
    )


def _counter(name: str, words: str, label: str, counts: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, words, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
