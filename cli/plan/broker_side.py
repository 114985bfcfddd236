"""The cost of a frame in a broker that runs: three seconds of frames through queues of our own.

Each frame goes the way of a real one: a task to a quorum queue, from there to a consumer; its result to an exchange
with a quorum queue (the recorder's) and a small one (the live view's), and to the sender as a reply; confirmed, then
acknowledged. The queues have names that nobody else uses and are deleted at the end; quorum queues can be neither
exclusive nor auto-delete, so they also expire by themselves (`x-expires`) if this process is killed.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence

from broker import AsyncioLoop, Connection, Consumer, Delivery, Message, Outcome, Publisher
from broker.aio import publish, stop
from broker.errors import Unreachable
from broker.session import session
from cli.console import progress
from cli.knobs import broker_addresses
from cli.plan.arithmetic import RESULT_BYTES
from cli.plan.costs import BrokerMeasured
from cli.plan.demand import Demand
from cli.ports import LOOPBACK, listening_process
from contract.task import Task, encode_task
from contract.topology import Argument, EphemeralQueue, Queue, Topology

RATE = 100.0
"""Frames a second: between what wakes a broker for each message and what lets it take many at once."""
WARM_SECONDS, SECONDS = 0.5, 3.0
EXPIRE_MS = 60_000
EXCHANGE = "amq.topic"
"""An exchange that every broker has: nothing of ours stays behind."""
CPUCLOCK_SCHED = 2
"""A bit of Linux's dynamic clock ids (include/linux/posix-timers.h)."""
PATIENCE_SECONDS = 10.0


async def measure_broker(urls: Sequence[str], demand: Demand) -> BrokerMeasured:
    """Measure the first broker that answers. Raises BrokerError."""
    name = f"framefleet-plan-{secrets.token_hex(6)}"
    ((host, port), *_) = broker_addresses(urls[0])
    pid = erlang_on(port) if host in (LOOPBACK, "localhost") else None
    arguments: dict[str, Argument] = {"x-queue-type": "quorum", "x-expires": EXPIRE_MS}
    tasks, results = (
        Queue(f"{name}-tasks", arguments),
        Queue(f"{name}-results", arguments, ((EXCHANGE, name),)),
    )
    async with progress("measuring the broker"), session(urls, "framefleet plan") as control:
        rig = Rig(urls, name, Topology(exchanges=(), queues=(tasks, results)), demand)
        try:
            await rig.start()
            await rig.run(WARM_SECONDS)
            before = cpu_ms(pid)
            frames = await rig.run(SECONDS)
            after = cpu_ms(pid)
        finally:
            await rig.stop()
            async with control.channel() as channel:
                for queue in (tasks, results):
                    await channel.delete(queue.name)
    seen = None if before is None or after is None else (after - before) / frames
    return BrokerMeasured(seen, f"{host}:{port}")


class Rig:
    """Sender, worker, recorder and live view in one process, as small as they can be."""

    def __init__(self, urls: Sequence[str], name: str, topology: Topology, demand: Demand) -> None:
        tasks, results = topology.queues
        self._name, self._demand, self._tasks = name, demand, tasks.name
        self._sender, self._worker = Publisher(), Publisher()
        self._reply_to: str | None = None
        self._answered = 0
        replies = Consumer(EphemeralQueue(), self._replied, no_ack=True, on_subscribed=self._listening)
        live = Consumer(EphemeralQueue(((EXCHANGE, name),)), _ignore, no_ack=True)
        recorder = Consumer(results.name, _ack, prefetch=500)
        worker = Consumer(tasks.name, self._compute, prefetch=1)
        loop = AsyncioLoop()
        self._connections = [
            Connection(loop, urls, f"framefleet plan {what}", roles, topology=topology)
            for what, roles in (
                ("sends", [self._sender]),
                ("answers", [self._worker]),
                ("computes", [worker]),
                ("listens", [replies, live, recorder]),
            )
        ]

    async def start(self) -> None:
        """Connect. Raises Unreachable if that takes too long."""
        for connection in self._connections:
            connection.start()
        until = time.monotonic() + PATIENCE_SECONDS
        while not (self._sender.usable and self._worker.usable and self._reply_to):
            if time.monotonic() > until:
                raise Unreachable(f"the broker has not made the queues within {PATIENCE_SECONDS:.0f} s")
            await asyncio.sleep(0.02)

    async def run(self, seconds: float) -> int:
        """Send frames at `RATE` and wait for their replies; returns how many. Raises Unreachable."""
        before, count = self._answered, round(RATE * seconds)
        begun = time.monotonic()
        for n in range(count):
            await asyncio.sleep(max(0.0, begun + n / RATE - time.monotonic()))
            if await publish(self._sender, self._task(n)) is not Outcome.CONFIRMED:
                raise Unreachable("the broker does not confirm: is it in an alarm, or is its disk full?")
        until = time.monotonic() + PATIENCE_SECONDS
        while self._answered - before < count:
            if time.monotonic() > until:
                raise Unreachable(f"{count - self._answered + before} of {count} frames came back too late")
            await asyncio.sleep(0.01)
        return count

    async def stop(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(stop(connection) for connection in self._connections))

    def _task(self, n: int) -> Message:
        image = b"\xff\xd8\xff" + bytes(self._demand.picture_bytes)
        task = encode_task(
            Task(image=image, timestamp=time.time(), camera_id="plan", frame_id=str(n)), self._demand.form
        )
        return Message(
            "",
            self._tasks,
            task.body,
            content_type=task.content_type,
            headers=task.headers or None,
            message_id=str(n),
            correlation_id=str(n),
            reply_to=self._reply_to,
        )

    def _compute(self, delivery: Delivery) -> None:
        body = b"." * RESULT_BYTES
        self._worker.publish(Message(EXCHANGE, self._name, body), lambda outcome: _ack(delivery))
        if delivery.reply_to:
            self._worker.publish(
                Message("", delivery.reply_to, body, persistent=False, mandatory=False), lambda outcome: None
            )

    def _replied(self, _delivery: Delivery) -> None:
        self._answered += 1

    def _listening(self, queue: str) -> None:
        self._reply_to = queue


def _ack(delivery: Delivery) -> None:
    delivery.ack()


def _ignore(_delivery: Delivery) -> None:
    pass


def erlang_on(port: int) -> int | None:
    """The pid of the broker that listens on `port` of this machine; None if it is not here, or hidden from us.

    In Compose a proxy listens: its CPU time is not the broker's.
    """
    process = listening_process(port)
    return process.pid if process is not None and process.name() == "beam.smp" else None


def cpu_ms(pid: int | None) -> float | None:
    """Return user and system time of all threads of a process (clock_getcpuclockid(3)), in ms; None without one."""
    if pid is None:
        return None
    try:
        return 1000 * time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    except OSError:
        return None
