"""The arithmetic of a plan: from the demand and the cost of a frame to processes, cores, memory and bytes. Pure."""

import math
from dataclasses import dataclass

from cli.plan.costs import Costs
from cli.plan.demand import Demand

UTILISATION = 0.7
"""The share of its time that a worker or a core may be busy. Waiting grows with u / (1 - u) (M/M/1, Kleinrock 1975):
2.3 times the work itself at 0.7, 4 at 0.8, 9 at 0.9. The rest is for bursts and for the frames of a worker that died.
"""

TARGET_SECONDS = 0.2  # that frames may wait in the queue (producer.lane.window)
LARGEST_WINDOW = 500  # frames that a producer has outstanding at most (producer.lane.window)

RESULT_BYTES = 450  # with one face
MESSAGE_BYTES = 200  # of AMQP's frames, properties and headers, per message

MB = 1_000_000
GATEWAY_BYTES, GATEWAY_BYTES_PER_CAMERA = 100 * MB, 10_000
BROKER_BYTES = 300 * MB  # 160 to 220 at 20 to 120 frames/s, and what its write-ahead log of 64 MiB adds
PROMETHEUS_BYTES = 100 * MB
CAMERA_BYTES = 100_000  # connection, motion gate and health of one camera, beside its pictures
PICTURES_PER_CAMERA = 3  # the last one, the one in the slot, the one under way
IDLE_CORES = 0.012  # of all services together


@dataclass(frozen=True)
class ServiceShare:
    """One service: how many processes, CPU in cores, memory of all its processes in bytes."""

    name: str
    processes: int
    cores: float
    memory: int


@dataclass(frozen=True)
class Traffic:
    """Bytes a second. `disk` is the least that the broker writes: each task and each result once."""

    cameras: float
    broker_in: float
    broker_out: float
    disk: float


@dataclass(frozen=True)
class Footprint:
    """Memory in bytes of one worker and of one producer without cameras."""

    worker: int
    producer: int


@dataclass(frozen=True)
class Plan:
    """What a demand needs. `cores`: CPU time per second of all services; `cores_needed`: with the margin."""

    demand: Demand
    parts: tuple[ServiceShare, ...]
    traffic: Traffic

    def part(self, name: str) -> ServiceShare:
        return next(part for part in self.parts if part.name == name)

    @property
    def workers(self) -> int:
        return self.part("workers").processes

    @property
    def producers(self) -> int:
        return self.part("producer").processes

    @property
    def cores(self) -> float:
        return sum(part.cores for part in self.parts) + IDLE_CORES

    @property
    def cores_needed(self) -> int:
        return math.ceil(self.cores / UTILISATION)

    @property
    def memory(self) -> int:
        return sum(part.memory for part in self.parts)


def plan(demand: Demand, costs: Costs, footprint: Footprint) -> Plan:
    """Work out what the demand needs."""
    frames, pictures = demand.frames, demand.pictures
    workers = max(1, math.ceil(frames * (costs.worker + costs.wait) / 1000 / UTILISATION))
    producer_cores = (pictures * costs.picture + frames * costs.producer) / 1000
    producers = max(
        1, math.ceil(producer_cores / UTILISATION), math.ceil(frames * TARGET_SECONDS / LARGEST_WINDOW)
    )
    camera_bytes = CAMERA_BYTES + PICTURES_PER_CAMERA * demand.picture_bytes
    parts = (
        ServiceShare(
            "producer",
            producers,
            producer_cores,
            producers * footprint.producer + demand.cameras * camera_bytes,
        ),
        ServiceShare("RabbitMQ", 1, frames * costs.broker / 1000, BROKER_BYTES),
        ServiceShare("workers", workers, frames * costs.worker / 1000, workers * footprint.worker),
        ServiceShare(
            "gateway",
            1,
            frames * costs.gateway / 1000,
            GATEWAY_BYTES + demand.cameras * GATEWAY_BYTES_PER_CAMERA,
        ),
        ServiceShare("Prometheus", 1, 0.0, PROMETHEUS_BYTES),
    )
    return Plan(demand, parts, traffic(demand))


def traffic(demand: Demand) -> Traffic:
    """Return the bytes that travel.

    A task goes in and out once. Its result goes in twice (exchange and reply) and out three times: recorder, live view,
    reply.
    """
    result, task = RESULT_BYTES + MESSAGE_BYTES, demand.body_bytes + MESSAGE_BYTES
    return Traffic(
        cameras=demand.pictures * demand.picture_bytes,
        broker_in=demand.frames * (task + 2 * result),
        broker_out=demand.frames * (task + 3 * result),
        disk=demand.frames * (task + result),
    )


def held(demand: Demand, costs: Costs, cores: int) -> int:
    """Return how many such cameras a machine with so many cores holds, with everything on it."""
    per_camera = demand.fps * (costs.picture + (1 - demand.skipped) * costs.frame) / 1000
    return max(0, math.floor((cores * UTILISATION - IDLE_CORES) / per_camera))
