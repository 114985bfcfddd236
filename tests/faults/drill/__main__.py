"""The fire drill: `make drill`, or `python -m tests.faults.drill [--only WORDS]`. Under 40 minutes. Needs root.

A whole system of the run's own, three brokers included, is left alone for some minutes; nothing may fire. Then each of
twelve faults is made, until the alert that is meant for it fires, and undone. It must fire first, whatever else fires
must be named in its runbook, and at the end all must resolve. Prints the table of docs/alerts.md. Exit status 1: a
line failed.
"""

import argparse
import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from runtime.logs import configure_logs
from tests.faults.drill.alerts import Firing, FiringAlerts, also_fires
from tests.faults.drill.faults import FAULTS, HEADERS, Fault
from tests.faults.drill.system import System, small_disk
from tests.helpers.eventually import aeventually

QUIET_SECONDS = 240.0
"""Before the first fault: as long as rates over five minutes need to know what is usual."""
BETWEEN_SECONDS = 20.0
RESOLVE_SECONDS = 1200.0
RATES_SECONDS = 360.0
"""So long a fault may still set something off after its end: rates are over five minutes, and some alerts wait."""
BUDGETS = {f"Framefleet{slo}Burning" for slo in ("Freshness", "Availability", "Paint", "Canary")}
"""Budgets of errors are spent by whatever goes wrong: these may fire along with everything."""


@dataclass(slots=True)
class Row:
    """What came of a fault; times are monotonic."""

    fault: Fault
    begin: float
    fired: float | None = None
    end: float = 0.0
    trouble: str = ""


async def drill(folder: Path, faults: list[Fault], quiet: float) -> int:
    """Run it; returns the exit status."""
    system = System(folder)
    camera = await system.camera.serve()
    try:
        await asyncio.to_thread(system.start)
        alerts = FiringAlerts(system.prometheus)
        following = asyncio.create_task(alerts.follow())
        say(f"all services are ready; {quiet:.0f} s of quiet")
        await asyncio.sleep(quiet)
        false = [firing.name for firing in alerts.seen]
        rows = [await one(system, alerts, fault) for fault in faults]
        say("waiting until all is resolved")
        with contextlib.suppress(AssertionError):  # told in the report
            await aeventually("all is resolved", lambda: not alerts.now, RESOLVE_SECONDS)
        following.cancel()
    finally:
        await asyncio.to_thread(system.stop)
        await camera.cleanup()
    return report(rows, alerts, false)


async def one(system: System, alerts: FiringAlerts, fault: Fault) -> Row:
    """Make the fault until its alert fires, and undo it."""
    row = Row(fault, time.monotonic())
    say(f"{fault.name} …")
    async with fault.act(system):
        try:
            if fault.alert is None:
                await _page_does_not_know(system, fault.seconds)
                row.fired = time.monotonic()
            else:
                await aeventually(
                    f"{fault.alert} fires",
                    lambda: any(f.name == fault.alert for f in alerts.since(row.begin)),
                    fault.seconds,
                )
                row.fired = next(f.begin for f in alerts.since(row.begin) if f.name == fault.alert)
        except AssertionError as error:
            row.trouble = str(error)
    row.end = time.monotonic()
    say(f"{fault.name}: " + (row.trouble or f"{(row.fired or 0) - row.begin:.0f} s"))
    await asyncio.sleep(BETWEEN_SECONDS)
    return row


async def _page_does_not_know(system: System, seconds: float) -> None:
    begun = time.monotonic()
    async with aiohttp.ClientSession(headers=HEADERS) as http:
        while time.monotonic() - begun < seconds:
            async with http.get(f"{system.gateway}/api/alerts") as answer:
                if (await answer.json())["error"]:
                    return
            await asyncio.sleep(0.5)
    raise AssertionError("the page does not say that Prometheus is away")


def report(rows: list[Row], alerts: FiringAlerts, false: list[str]) -> int:
    """Print the table and what failed; returns the exit status."""
    failed = [f"before any fault: {name} fired" for name in false]
    print(
        "| fault | alert | fires after | others | resolved after its end |\n| --- | --- | --- | --- | --- |"
    )
    for number, row in enumerate(rows):
        until = rows[number + 1].begin if number + 1 < len(rows) else float("inf")
        began = alerts.since(row.begin, until)
        lasting = [earlier for earlier in rows[:number] if row.begin - earlier.end < RATES_SECONDS]
        failed += _mistakes(row, began, BUDGETS.union(*map(_named, lasting)))
        print(_line(row, began))
    failed += [f"{firing.name} still fires at the end" for firing in alerts.now]
    for each in failed:
        say(f"FAILED: {each}")
    return 1 if failed else 0


def _named(row: Row) -> set[str]:
    """What the fault may set off."""
    alert = row.fault.alert
    return {alert, *also_fires(alert)} if alert else set()


def _line(row: Row, began: list[Firing]) -> str:
    others = [firing.name.removeprefix("Framefleet") for firing in began if firing.name != row.fault.alert]
    told = f"`{row.fault.alert}`" if row.fault.alert else "the page says that alerts are unknown"
    after = "–" if row.fired is None else f"{row.fired - row.begin:.0f} s"
    resolved = max([0.0, *(firing.end - row.end for firing in began if firing.end is not None)])
    others_told = ", ".join(dict.fromkeys(others)) or "–"
    return f"| {row.fault.name} | {told} | {after} | {others_told} | {resolved:.0f} s |"


def _mistakes(row: Row, began: list[Firing], lasting: set[str]) -> list[str]:
    """What is wrong with a row; `lasting` is what faults before it may set off still."""
    name, alert = row.fault.name, row.fault.alert
    if row.fired is None:
        return [f"{name}: {row.trouble}"]
    early = [each.name for each in began if each.begin < row.fired and each.name not in lasting | {alert}]
    unnamed = sorted({each.name for each in began} - lasting - _named(row))
    return [f"{name}: {each} fired before {alert}" for each in early] + [
        f"{name}: {each} fired, and the runbook of {alert} does not name it" for each in unnamed
    ]


def say(line: str) -> None:
    """Tell whoever waits."""
    print(f"drill {time.strftime('%H:%M:%S')}: {line}", file=sys.stderr, flush=True)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.drill", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORDS", help="only faults whose name has these words")
    parser.add_argument(
        "--quiet", type=float, default=QUIET_SECONDS, metavar="SECONDS", help="before the first fault"
    )
    options = parser.parse_args()
    configure_logs("drill", "error", "auto")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="framefleet-drill-"))
    say(f"logs in {folder}")
    faults = [fault for fault in FAULTS if options.only in fault.name]
    with small_disk(folder / "gateway"):
        status = asyncio.run(drill(folder, faults, options.quiet))
    if status == 0:
        shutil.rmtree(folder)
    return status


if __name__ == "__main__":
    sys.exit(main())
