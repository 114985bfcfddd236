"""The cost of a frame in each service: measured here where that needs no broker, else from docs/benchmarks.md.

Those are of the machine named there. They are scaled by how much faster or slower this one runs plain Python
(`meter.yardstick`): what is not measured is AMQP in Python and in Erlang, not arithmetic.
"""

from dataclasses import dataclass

from cli.plan.demand import Demand
from cli.plan.measurement import Measured
from contract.task import TaskForm

YARDSTICK = 0.147
"""CPU ms on the machine of docs/benchmarks.md."""

# CPU ms per frame, "The whole system" in docs/benchmarks.md: the middle between 100 and 300 frames a second.
PRODUCER = 0.32
BROKER = {TaskForm.BASE64: 0.78, TaskForm.COMPACT: 0.88}
WORKER_BEYOND = 0.75
"""AMQP client, threads, metrics: what a worker spends beside decode and detect."""
GATEWAY = 0.18

BENCHMARK_BYTES = 32_000
BROKER_PER_BYTE = {TaskForm.BASE64: 2.0e-6, TaskForm.COMPACT: 1.2e-6}
"""CPU ms per byte of a picture beyond that, from "The broker and our client": 30 to 150 KB, published and consumed."""
WAIT = 0.5
"""Wall ms between two frames in which a worker at prefetch 1 waits for the broker: confirm, ack, next frame."""


@dataclass(frozen=True)
class BrokerMeasured:
    """CPU ms of the broker per frame, or None where it cannot be seen."""

    broker: float | None
    address: str


@dataclass(frozen=True)
class Costs:
    """CPU ms: `picture` of the producer for each picture that is taken, the others for each frame that is sent.

    `wait`: wall ms that a worker waits for the broker between two frames.
    """

    picture: float
    producer: float
    broker: float
    worker: float
    gateway: float
    wait: float = WAIT

    @property
    def frame(self) -> float:
        """The whole cost of a frame that is sent; taking its picture is not in it."""
        return self.producer + self.broker + self.worker + self.gateway


def costs_of(measured: Measured, demand: Demand, broker: BrokerMeasured | None = None) -> Costs:
    """Return the costs on this machine, for these pictures."""
    slower = measured.yardstick / YARDSTICK
    beyond = max(0, demand.picture_bytes - BENCHMARK_BYTES) * BROKER_PER_BYTE[demand.form]
    assumed = slower * (BROKER[demand.form] + beyond)
    return Costs(
        picture=measured.fetch + (measured.gate if demand.skipped else 0.0),
        producer=slower * PRODUCER,
        broker=assumed if broker is None or broker.broker is None else broker.broker,
        worker=measured.worker_frame + slower * WORKER_BEYOND,
        gateway=slower * GATEWAY,
    )
