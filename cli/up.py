"""`framefleet up`: the whole system on this machine, until Ctrl-C."""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from cli import addresses, lock, ports, secret, survivors
from cli.display import Display
from cli.knobs import KnobError, Knobs, broker_addresses
from cli.layout import Layout
from cli.part import StartFailed
from cli.supervisor import Refused, Supervisor
from cli.survivors import Register
from cli.system import System
from producer.catalogue.file.reload import load as load_cameras
from producer.catalogue.grammar import parse_sources
from producer.errors import InvalidCameraFile, InvalidSource

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(knobs: Knobs, layout: Layout) -> int:
    """Run the system until it is told to end. Returns the exit code: 0, 1 when it could not start, 130 if forced."""
    display = Display()
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
    except (KnobError, lock.AlreadyRuns) as error:
        print(error, file=sys.stderr)
        return 1


def check(knobs: Knobs, layout: Layout) -> None:
    """What can be seen to be wrong before anything is started. Raises KnobError."""
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
        code = await _start_and_watch(system, supervisor, asked, display)
    finally:
        display.say("Stopping …" if code == 0 else "Ending what was started …")
        code = await _stop(system, asked, display) or code
        register.close()
    return code


async def _start_and_watch(system: System, supervisor: Supervisor, asked: "Asked", display: Display) -> int:
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
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if supervisor.refused.done():
            supervisor.refused.result()
    except (StartFailed, Refused) as error:
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
    """How often the operator has asked us to end."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()

    def signal(self) -> None:
        """A Ctrl-C, a SIGTERM or a closed terminal; what comes after the first means: at once."""
        (self.second if self.first.is_set() else self.first).set()


def down(layout: Layout, timeout: float = 60) -> int:
    """Stop the run of this checkout, wherever it was started. Returns 0, or 1 when it did not end."""
    pid = lock.holder(layout.lock)
    if pid is None:
        print("Framefleet does not run in this checkout.")
        return 0
    os.kill(pid, signal.SIGTERM)
    gone = threading.Event()
    for _ in range(int(timeout / 0.2)):
        if not Path(f"/proc/{pid}").exists() or lock.holder(layout.lock) != pid:
            print("Stopped.")
            return 0
        gone.wait(0.2)
    print(
        f"It has not ended after {timeout:.0f} s (pid {pid}). To end it by force: kill -9 {pid}; make up; Ctrl-C"
    )
    return 1
