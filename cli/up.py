"""`framefleet up`: the whole system on this machine, until Ctrl-C."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from cli import addresses, lock, ports, secret, survivors
from cli.control import ScaleRequest, ask_scale, control_socket
from cli.display import Display
from cli.errors import CommandError, KnobError, SettingsRefused, StartFailed
from cli.knobs import Knobs, broker_addresses, read_knobs
from cli.layout import Layout
from cli.logs import quiet_logs
from cli.supervisor import Supervisor
from cli.survivors import Register
from cli.system import System
from producer.catalogue.file.reload import load as load_cameras
from producer.catalogue.grammar import parse_sources
from producer.errors import InvalidCameraFile, InvalidSource
from runtime.umask import keep_private

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
UP = """\
Starts a private RabbitMQ, Prometheus, the workers, a producer and the gateway on this machine, prints the link of the
dashboard, starts again what dies, and ends all of it on Ctrl-C. Everything it writes is in .run/.

`make up` does the same and first installs what is missing; it takes the options as variables:
  make up WORKERS=4 SOURCE=gate=video.mp4,rtsp://user:password@10.0.0.8/stream1

Further settings of the services are taken from the environment: `python -m worker --help`, likewise producer, gateway.
"""
KNOBS = (
    (
        "workers",
        "N",
        "how many workers; by default one per core. 0: frames wait. May be changed while it runs",
    ),
    (
        "workers-batch",
        "N",
        "how many workers of the batch lane at most, started while jobs need them; auto (default): one per core",
    ),
    (
        "source",
        "WHAT",
        "demo (default), none, a video file, a folder of images, http(s)://…, rtsp://…, webcam:0",
    ),
    ("cameras", "FILE", "a file that lists the cameras, instead of --source (docs/cameras.md)"),
    ("port", "PORT", "port of the dashboard; by default 8080, or the next free one"),
    (
        "host",
        "ADDRESS",
        "0.0.0.0: phones and other machines of this network reach the dashboard, and sign in; by default this "
        "machine alone",
    ),
    ("model-dir", "FOLDER", "a folder with model files, looked at before downloading"),
    (
        "amqp-url",
        "URL",
        "use this broker instead of a private one; better as AMQP_URL=, which `ps` does not show",
    ),
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `up`: the knobs of `make up`."""
    parser.description = UP
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for name, metavar, meaning in KNOBS:
        parser.add_argument(f"--{name}", metavar=metavar, help=f"{meaning} [{_knob(name)}=]")


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet up`; returns the exit status. Raises CommandError."""
    given = {_knob(name): getattr(arguments, name.replace("-", "_")) for name, _, _ in KNOBS}
    asked = os.environ | {name: value for name, value in given.items() if value}
    knobs, layout = read_knobs(asked, Path.cwd()), Layout()
    if asked.get("WORKERS") and lock.holder(layout.lock) is not None:
        others = {name: value for name, value in knobs.words.items() if asked.get(name)}
        print(ask_scale(layout, ScaleRequest(knobs.workers, others)))
        return 0
    return up(knobs, layout)


def _knob(option: str) -> str:
    return option.replace("-", "_").upper()


def up(knobs: Knobs, layout: Layout) -> int:
    """Run the system until it is told to end. Returns the exit code: 0, 1 when it could not start, 130 if forced."""
    display = Display()
    quiet_logs()
    keep_private()
    try:
        check(knobs, layout)
        layout.create()
        with lock.acquire(layout.lock):
            end_survivors(layout, display)
            chosen = addresses.choose(knobs)
            for change in chosen.changes:
                display.say(change)
            try:
                return asyncio.run(_run(knobs, layout, chosen, display))
            finally:
                chosen.release()
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1


def check(knobs: Knobs, layout: Layout) -> None:
    """Find what can be seen to be wrong before anything is started. Raises KnobError."""
    if knobs.cameras is not None:
        try:
            load_cameras(knobs.cameras, os.environ)
        except InvalidCameraFile as error:
            raise KnobError(
                "\n".join(f"CAMERAS: {knobs.cameras}: {problem}" for problem in error.problems)
            ) from error
    elif knobs.source != "none":
        try:
            parse_sources(knobs.source)
        except InvalidSource as error:
            raise KnobError(f"SOURCE: {error}") from error
    if knobs.amqp_url:
        brokers = broker_addresses(knobs.amqp_url)
        if not any(ports.answers(port, host=host, timeout=3) for host, port in brokers):
            asked = ", ".join(f"{host}:{port}" for host, port in brokers)
            raise KnobError(
                f"AMQP_URL: nobody answers at {asked}. Start that broker, or leave AMQP_URL out to get a private one"
            )
    if knobs.own_broker and any(quote in str(layout.rabbitmq.resolve()) for quote in "'\""):
        raise KnobError(
            "RabbitMQ does not start in a folder with an apostrophe or a quotation mark in its name: rename "
            f"{layout.root.resolve()}"
        )
    if not (layout.dashboard / "dist" / "index.html").exists():
        raise KnobError("The dashboard is not built yet: `make up` installs and builds what is missing")


def end_survivors(layout: Layout, display: Display) -> None:
    """End what an earlier run left behind when it was killed."""
    left = survivors.survivors(layout.processes, layout.root)
    if left:
        display.say(f"Ending {len(left)} processes that the last run left behind when it was killed")
        survivors.end_all(left)
    layout.processes.unlink(missing_ok=True)
    layout.endpoints.unlink(missing_ok=True)


async def _run(knobs: Knobs, layout: Layout, chosen: addresses.Addresses, display: Display) -> int:
    loop = asyncio.get_running_loop()
    asked = Asked()
    for number in SIGNALS:
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup: it is meant to outlive its terminal
        loop.add_signal_handler(number, asked.signal)
    register = Register(layout.processes)
    supervisor = Supervisor(register, display.say)
    token = secret.token(layout.gateway, os.environ)
    system = System(layout, knobs, chosen, token, supervisor, display)
    code = 0
    try:
        code = await _start_and_watch(layout, system, supervisor, asked, display)
    finally:
        display.say("Stopping …" if code == 0 else "Ending what was started …")
        code = await _stop(system, asked, display) or code
        register.close()
    return code


async def _start_and_watch(
    layout: Layout, system: System, supervisor: Supervisor, asked: "Asked", display: Display
) -> int:
    """Return 0 when told to end, 1 when the system cannot go on."""
    starting = asyncio.create_task(system.start())
    told = asyncio.create_task(asked.first.wait())
    readiness: asyncio.Task[None] | None = None
    ends: set[asyncio.Future[Any]] = {told, supervisor.refused}
    try:
        await asyncio.wait({starting, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            system.announce()
            readiness = asyncio.create_task(system.readiness())
            async with control_socket(layout, system.scale, display.say):
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if supervisor.refused.done():
            supervisor.refused.result()
    except (StartFailed, SettingsRefused) as error:
        display.say(str(error))
        return 1
    finally:
        pending = [task for task in (starting, told, readiness) if task is not None]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
    return 0


async def _stop(system: System, asked: "Asked", display: Display) -> int:
    """End in order; on a second Ctrl-C at once. Returns 0 or 130."""
    stopping = asyncio.create_task(system.stop())
    told_again = asyncio.create_task(asked.second.wait())
    with display.wait("Stopping") as tick:
        while not stopping.done() and not told_again.done():
            await asyncio.wait({stopping, told_again}, timeout=0.25, return_when=asyncio.FIRST_COMPLETED)
            tick()
    told_again.cancel()
    if stopping.done():
        stopping.result()
        return 0
    display.say("Ended by force.")
    stopping.cancel()
    system.kill()
    return 130


class Asked:
    """The operator's requests to end."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()

    def signal(self) -> None:
        """Take a Ctrl-C, a SIGTERM or a closed terminal; any after the first one means: at once."""
        (self.second if self.first.is_set() else self.first).set()
