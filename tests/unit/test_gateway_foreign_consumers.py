"""Who consumes our queues and should not: nobody is accused while the gateway itself hears nobody."""

from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from contract.topology import RESULT_QUEUE, TASK_QUEUE
from gateway.consumers import ForeignConsumers, Gateways
from gateway.hearing import DEAF_AFTER_SECONDS, SETTLES_SECONDS, Hearing
from gateway.metrics import GatewayMetrics
from gateway.nodes import Nodes


def test_a_worker_that_is_not_heard_is_a_stranger_only_while_the_broker_answers() -> None:
    metrics = GatewayMetrics(CollectorRegistry())
    depth: Any = SimpleNamespace(consumers={TASK_QUEUE: 1, RESULT_QUEUE: 1})
    publisher: Any = SimpleNamespace(blocked=False)
    answered = 100.0
    hearing = Hearing(lambda: answered)
    counting = ForeignConsumers(depth, publisher, Gateways("g"), Nodes(hearing), hearing, metrics)

    def told(now: float) -> list[float | None]:
        counting.tick(now)
        return [
            metrics.registry.get_sample_value("gateway_queue_foreign_consumers", {"queue": queue})
            for queue in (TASK_QUEUE, RESULT_QUEUE)
        ]

    assert told(100.0) == [1, 0]
    assert told(100.0 + DEAF_AFTER_SECONDS + 0.1) == [None, None], "the broker is frozen: nobody is heard"
    answered = 130.0
    assert told(130.0) == [None, None], "whoever lost it too is not back yet"
    assert told(130.0 + SETTLES_SECONDS + 0.1) == [None, None], "it has stopped answering again"
    answered = 141.0
    assert told(141.0) == [None, None]
    answered = 141.0 + SETTLES_SECONDS
    assert told(answered + 1.0) == [1, 0]
