"""`framefleet plan`: how many workers, cores and bytes a second so many cameras need."""

import argparse
import asyncio
import json
import os
import sys

from broker import BrokerError
from cli.broker_url import NoBroker, broker_urls, quiet_logs
from cli.layout import Layout
from cli.plan.arithmetic import Footprint, plan
from cli.plan.costs import costs_of
from cli.plan.demand import Demand, demand_of
from cli.plan.machine import this_machine
from cli.plan.measuring import CannotMeasure, measure
from cli.plan.report import Report, json_of, text_of
from contract.task import TaskForm

PLAN = """\
Measures this machine for some seconds (decode and detect, fetching a snapshot, motion gate, memory) and says what so
many cameras need: workers, producers, cores, memory, network and disk, and the commands that start it. What cannot be
measured without a broker comes from docs/benchmarks.md, scaled to this machine; the last lines say which is which.
docs/planning.md explains the arithmetic.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `plan`."""
    planning = commands.add_parser(
        "plan",
        help="measure this machine and say what so many cameras need",
        description=PLAN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    planning.add_argument("--cameras", type=int, required=True, metavar="N", help="how many")
    planning.add_argument("--fps", type=float, required=True, metavar="F", help="pictures a second of each")
    planning.add_argument("--size", default="640x480", help="of a picture in pixels (640x480)")
    planning.add_argument("--bytes", type=int, help="of a picture; by default 40000 for 640x480")
    planning.add_argument(
        "--form", choices=[form.value for form in TaskForm], default=TaskForm.BASE64.value, help="(base64)"
    )
    planning.add_argument(
        "--model", default="auto", metavar="NAME", help="as WORKER_DETECTOR: yunet, haar, … (auto)"
    )
    planning.add_argument(
        "--motion",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of the pictures skipped by the motion gate: 0.6",
    )
    planning.add_argument(
        "--broker",
        action="store_true",
        help="also measure the broker of AMQP_URL, or the one that runs in this checkout, for three seconds",
    )
    planning.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet plan …`; returns the exit status: 1 failed, 130 interrupted."""
    quiet_logs()
    try:
        report = asyncio.run(_report(demand_of(arguments), with_broker=arguments.broker))
    except (CannotMeasure, BrokerError, NoBroker, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(json.dumps(json_of(report), indent=2) if arguments.json else text_of(report))
    return 0


async def _report(demand: Demand, *, with_broker: bool) -> Report:
    machine = this_machine()
    broker = None
    if with_broker:
        from cli.plan.broker_side import measure_broker

        broker = await measure_broker(broker_urls(os.environ, Layout()), demand)
    measured = await measure(demand, machine.cores)
    costs = costs_of(measured, demand, broker)
    footprint = Footprint(measured.worker_bytes, measured.producer_bytes)
    return Report(plan(demand, costs, footprint), costs, measured, broker, machine)
