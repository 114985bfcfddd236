"""The whole system on one machine: started in an order in which each part finds what it needs, ended in reverse."""

import asyncio
import json
import os
from collections.abc import Mapping

from broker import BrokerError, split_urls
from broker.errors import Refused
from broker.faults import sentence
from cli import lan, probe, prometheus
from cli.addresses import Addresses
from cli.batch_workers import BatchWorkers
from cli.broker_part import BrokerPart
from cli.child import ChildProcess, Command
from cli.control import ScaleRequest
from cli.detectors import detectors
from cli.display import Display
from cli.errors import BrokerAlarm, CommandError, DeadQueue, StartFailed
from cli.knobs import Knobs, broker_addresses
from cli.layout import Layout
from cli.notices import Repetitions, notice
from cli.passage import try_passage
from cli.ports import LOOPBACK
from cli.rabbitmq import RabbitMQNode
from cli.secret import write_private
from cli.services import ServiceCommands, environment
from cli.supervisor import Supervisor
from gateway.ready_link import NoLink, new_link
from producer.catalogue.file.reload import load as load_cameras
from producer.catalogue.grammar import parse_sources

READY_SECONDS = 60
QUEUES_SECONDS = 5
DETECTOR_SECONDS = 5
RABBITMQ_METRICS = 15692
CAMERAS_SHOWN = 8
DEAD_QUEUES = (
    " `framefleet queues repair` says whether one damaged file does this, and saves the other queues. What it holds is "
    "kept in .run/rabbitmq: to start with empty queues move that folder away"
)


class System:
    """One run of the system: starts, watches and ends its parts."""

    def __init__(
        self,
        layout: Layout,
        knobs: Knobs,
        addresses: Addresses,
        token: str,
        supervisor: Supervisor,
        display: Display,
    ) -> None:
        self._layout = layout
        self._knobs = knobs
        self._supervisor = supervisor
        self._display = display
        self._repetitions = Repetitions()
        self._stopping = False
        self._scaling = asyncio.Lock()
        self._link = ""
        self._detector = ""
        self._node = self._private_broker(addresses) if knobs.own_broker else None
        amqp_url = self._node.amqp_url if self._node else knobs.amqp_url
        self._services = ServiceCommands(layout, knobs, addresses, amqp_url, token)
        self._addresses = addresses
        self._batch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start everything; returns when the link can be opened. Raises StartFailed."""
        if self._node is not None and " " in str(self._layout.rabbitmq):
            self._display.say(
                "This folder has a space in its name: RabbitMQ runs, but cannot see how much of the disk is free"
            )
        broker = await self._start_broker()
        self._list_workers(self._addresses.workers)
        self._list_batch_workers(self._addresses.batch_workers)
        targets = self._services.targets | await self._broker_target()
        prometheus.write_producer(self._layout.producer, targets.get("producer"))
        env = environment(self._layout.root)
        await self._run(prometheus.command(self._layout, self._addresses.prometheus, targets, env))
        if broker is not None:
            with self._display.wait("RabbitMQ starts"):
                await broker.ready()
        await self._messages_pass()
        await self._run(self._services.gateway)
        for command in self._services.workers:
            await self._run(command)
        if self._knobs.own_producer:
            await self._supervisor.start(
                ChildProcess(self._services.producer, self._heard), finished=self._list_no_producer
            )
        await self._gateway_answers()
        if workers := len(self._addresses.workers):
            self._detector = await detectors(
                self._addresses.gateway,
                self._services.token,
                workers,
                DETECTOR_SECONDS,
                host=self._services.gateway_host,
            )
        if self._display.terminal:
            self._link = await self._new_link()
        if self._knobs.batch_workers:
            urls = split_urls(self._services.amqp_url)
            workers_of_jobs = BatchWorkers(
                urls, self._knobs.batch_workers, self._scale_batch, self._display.say
            )
            self._batch = asyncio.create_task(workers_of_jobs.run())
        self._write_endpoints()

    async def scale(self, request: ScaleRequest) -> str:
        """Start or end workers until there are as many as asked for; returns a sentence on it. Raises CommandError."""
        refuse_other_knobs(request.knobs, self._knobs.words | {"PORT": str(self._addresses.gateway)})
        async with self._scaling:
            if self._stopping:
                raise CommandError("the system is being stopped: start it with WORKERS=N")
            before, wanted = len(self._addresses.workers), request.workers
            if wanted > before:
                await self._add_workers(wanted)
            elif wanted < before:
                await self._end_workers(wanted)
            self._write_endpoints()
            said = scaled(before, wanted)
        self._display.say(said)
        return said

    async def stop(self) -> None:
        """End everything: first what sends, then what computes, then what shows, and last what they all stand on."""
        self._stopping = True  # what services warn of while they end is in their logs
        async with self._scaling:  # who is ending a worker waits for it
            await self._stop()

    async def _stop(self) -> None:
        self._layout.endpoints.unlink(missing_ok=True)
        if self._batch is not None:
            self._batch.cancel()
        workers = [command.name for command in self._services.workers]
        workers += [f"batch-worker-{slot}" for slot in range(1, len(self._addresses.batch_workers) + 1)]
        for names in (["producer"], workers, ["gateway"], ["prometheus"], ["rabbitmq"]):
            await self._supervisor.stop(names)

    def kill(self) -> None:
        """End everything at once."""
        self._layout.endpoints.unlink(missing_ok=True)
        self._supervisor.kill()

    def announce(self) -> None:
        """Tell the operator where everything is."""
        say = self._display.say
        workers = len(self._addresses.workers)
        say("")
        if self._link:
            say(f"  Open        {self._link}")
            say("              (once, in one browser; for another link: .venv/bin/framefleet link)")
        else:  # what is not a terminal may be a log that many read
            say(f"  Open        {self._services.network_url or self._services.gateway_url}")
            say(f"              (to sign in: {self._layout.venv}/bin/framefleet link)")
        for line in self._network():
            say(line)
        say(f"  Prometheus  {self._services.prometheus_url}")
        if self._node is not None:
            say(
                f"  RabbitMQ    amqp://{LOOPBACK}:{self._addresses.amqp}  (its URL with password: .run/endpoints.json)"
            )
        say(f"  Workers     {workers or 'none: frames wait until there is one (WORKERS=0)'}")
        if self._detector:
            say(f"  Detector    {self._detector}")
        say(f"  Cameras     {_cameras(self._knobs)}")
        say("  Logs        .run/logs/")
        say("")
        say("Ctrl-C stops it all. `make up WORKERS=N` elsewhere changes the number of workers meanwhile.")

    def _network(self) -> list[str]:
        """What HOST opens, to whom, and how it is closed again."""
        url = self._services.network_url
        if url is None and self._knobs.host in lan.EVERY_ADDRESS:
            return ["  Network     none: this machine has no address that a phone could reach"]
        if url is None:
            return []
        return [
            f"  Network     {url} is open to everybody in this machine's network. Without a link",
            "              or a token they see only the page to sign in. It is HTTP, which others on the way can read:",
            "              use it in a network that you trust. A link for a phone: Invite on the page, or",
            "              .venv/bin/framefleet link --role viewer. If the phone does not get through, let port",
            f"              {self._addresses.gateway} pass this machine's firewall. To close it: Ctrl-C, then start",
            "              without HOST=",
        ]

    async def readiness(self) -> None:
        """Say so if the gateway still lacks something a while after the link was printed."""
        port, host = self._addresses.gateway, self._services.gateway_host
        if await probe.until_answers(port, "/readyz", READY_SECONDS, host=host):
            return
        lacks = probe.missing(await probe.get(port, "/readyz", host=host))
        if lacks:
            self._display.say(f"The gateway is not ready after {READY_SECONDS} s. It lacks: {lacks}")

    def _private_broker(self, addresses: Addresses) -> RabbitMQNode:
        return RabbitMQNode(
            self._layout.rabbitmq, amqp_port=addresses.amqp, prometheus_port=addresses.rabbitmq_metrics
        )

    async def _start_broker(self) -> BrokerPart | None:
        if self._node is None:
            return None
        part = BrokerPart(self._node, self._display.wait("RabbitMQ starts"))
        await self._supervisor.start(part)
        return part

    async def _messages_pass(self) -> None:
        """Make sure that frames pass before anything is announced. Raises StartFailed."""
        where = "The private RabbitMQ" if self._node is not None else "The RabbitMQ of AMQP_URL"
        try:
            down = await try_passage(split_urls(self._services.amqp_url))
            for queue, why in down.items():
                self._display.say(f"{where}: {sentence(queue, why)}")
        except BrokerAlarm:
            self._display.say(
                f"{where} takes no frames now: it has raised an alarm, for want of disk space or memory. The dashboard "
                "and what was recorded can be seen; frames flow by themselves when the alarm ends"
            )
        except DeadQueue as error:
            logs = f" Its log: {self._node.log}." if self._node is not None else ""
            raise StartFailed(
                f"{where} runs, but frames do not pass: {error}. Nothing would be computed, so nothing was "
                f"started.{logs}{DEAD_QUEUES if self._node is not None else ''}"
            ) from error
        except BrokerError as error:
            advice = f".{DEAD_QUEUES}" if self._node is not None and isinstance(error, Refused) else ""
            raise StartFailed(f"{where} could not be used: {error}{advice}") from error

    async def _broker_target(self) -> dict[str, str]:
        """Find RabbitMQ's own metrics: those of somebody else's broker are where they usually are, if anywhere."""
        if self._node is not None:
            return {"rabbitmq": f"{LOOPBACK}:{self._addresses.rabbitmq_metrics}"}
        host, _ = broker_addresses(self._knobs.amqp_url)[0]
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, RABBITMQ_METRICS), 3)
        except (OSError, TimeoutError):
            self._display.say(
                f"{host} does not answer on port {RABBITMQ_METRICS}: without the plug-in rabbitmq_prometheus there, "
                "Prometheus knows nothing of the queues, and the dashboard shows the gateway's own figures"
            )
            return {}
        writer.close()
        return {"rabbitmq": f"{host}:{RABBITMQ_METRICS}"}

    async def _gateway_answers(self) -> None:
        waiting = self._display.wait("The gateway starts")
        port, host = self._addresses.gateway, self._services.gateway_host
        with waiting:
            for _ in range(READY_SECONDS):
                if await probe.until_answers(port, "/livez", 1, host=host):
                    # A frame that is sent as soon as the link is there must find its queue. If the gateway is not
                    # ready by then, `readiness` says why, after the link.
                    await probe.until_answers(port, "/readyz", QUEUES_SECONDS, host=host)
                    return
                waiting()
        raise StartFailed(
            f"The gateway did not answer within {READY_SECONDS} s. Its log: {self._layout.logs / 'gateway.log'}"
        )

    async def _new_link(self) -> str:
        """Make the link that the operator opens: it signs a browser in."""
        try:
            return await asyncio.to_thread(
                new_link, self._layout.gateway, self._services.gateway_url, self._services.token
            )
        except NoLink as error:
            self._display.say(f"{error}. Sign in with the token in .run/endpoints.json")
            return self._services.gateway_url

    async def _run(self, command: Command) -> None:
        await self._supervisor.start(ChildProcess(command, self._heard))

    async def _add_workers(self, wanted: int) -> None:
        while (there := len(self._addresses.workers)) < wanted:
            self._addresses.add_worker()
            try:
                await self._run(self._services.worker(there + 1))
            except StartFailed as error:
                self._addresses.drop_worker()
                self._list_workers(self._addresses.workers)
                self._write_endpoints()
                raise CommandError(
                    f"worker-{there + 1} could not be started: {error}. {running(there)}"
                ) from error
        self._list_workers(self._addresses.workers)

    async def _end_workers(self, wanted: int) -> None:
        # Nobody is to miss them: those who look are told before they end.
        self._list_workers(self._addresses.workers[:wanted])
        await self._supervisor.end([command.name for command in self._services.workers[wanted:]])
        while len(self._addresses.workers) > wanted:
            self._addresses.drop_worker()

    async def _scale_batch(self, wanted: int) -> None:
        """Start or end workers of the batch lane until there are as many. Raises StartFailed."""
        async with self._scaling:
            if self._stopping:
                return
            ports = self._addresses.batch_workers
            while len(ports) < wanted:
                self._addresses.add_batch_worker()
                try:
                    await self._run(self._services.batch_worker(len(ports)))
                except StartFailed:
                    self._addresses.drop_batch_worker()
                    raise
            # Nobody is to miss those that end: who looks is told before.
            self._list_batch_workers(ports[:wanted])
            await self._supervisor.end([f"batch-worker-{slot}" for slot in range(wanted + 1, len(ports) + 1)])
            while len(ports) > wanted:
                self._addresses.drop_batch_worker()

    def _list_workers(self, ports: list[int]) -> None:
        """Tell Prometheus where the workers are, and the gateway how many."""
        prometheus.write_workers(self._layout.workers, ports)
        self._expect(len(ports) + len(self._addresses.batch_workers))

    def _list_batch_workers(self, ports: list[int]) -> None:
        """The same of the batch lane's workers."""
        prometheus.write_batch_workers(self._layout.batch_workers, ports)
        self._expect(len(ports) + len(self._addresses.workers))

    def _expect(self, workers: int) -> None:
        write_private(self._layout.expected_workers, f"{workers}\n")

    def _list_no_producer(self) -> None:
        """Let Prometheus miss nobody who has sent all."""
        prometheus.write_producer(self._layout.producer, None)

    def _write_endpoints(self) -> None:
        write_private(self._layout.endpoints, json.dumps(self._services.endpoints, indent=2) + "\n")

    def _heard(self, name: str, line: str) -> None:
        text = notice(line)
        if text is None or (self._stopping and text.startswith("warning")):
            return
        if self._repetitions.is_new(f"{name} {text}"):
            self._display.say(f"{name}: {text}")


def refuse_other_knobs(given: Mapping[str, str], run: Mapping[str, str]) -> None:
    """Raise CommandError if a knob was given whose value is not that of the run: only WORKERS can be changed."""
    other = [name for name, value in given.items() if value != run.get(name)]
    if other:
        are = "are" if len(other) > 1 else "is"
        raise CommandError(
            f"{' and '.join(other)} {are} not as the system was started, and only WORKERS can be changed while it "
            "runs: leave the others out, or stop it (`make down`) and start it as you want it"
        )


def running(workers: int) -> str:
    """How many workers run, as a sentence without its full stop."""
    return (
        f"{workers} worker{'s run' if workers != 1 else ' runs'}"
        if workers
        else "No worker runs, and frames wait"
    )


def scaled(before: int, after: int) -> str:
    """What was done to get from so many workers to so many."""
    first, last = min(before, after) + 1, max(before, after)
    names = f"worker-{first}" if first == last else f"worker-{first} to worker-{last}"
    if after > before:
        return f"{running(after)}: {names} started"
    if after < before:
        return f"{running(after)}: {names} finished and ended"
    return f"{running(after)}, as before"


def _cameras(knobs: Knobs) -> str:
    """Return the cameras' names; never their addresses, which may hold passwords."""
    if knobs.cameras is not None:
        names = list(load_cameras(knobs.cameras, os.environ).current.cameras)
        if not names:
            return f"none in {knobs.cameras.name}"
    elif knobs.source == "none":
        return "none of ours (SOURCE=none)"
    else:
        names = [camera.camera_id for camera in parse_sources(knobs.source)]
    more = f" and {len(names) - CAMERAS_SHOWN} more" if len(names) > CAMERAS_SHOWN else ""
    return ", ".join(names[:CAMERAS_SHOWN]) + more
