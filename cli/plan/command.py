"""The work of `framefleet plan`: measure, reckon, report."""

import argparse
import asyncio
import json
import os
import sys

from broker import BrokerError
from cli.broker_url import broker_urls
from cli.errors import CommandError
from cli.layout import Layout
from cli.logs import quiet_logs
from cli.plan.arithmetic import Footprint, plan
from cli.plan.costs import costs_of
from cli.plan.demand import Demand, demand_of
from cli.plan.machine import this_machine
from cli.plan.measurement import measure
from cli.plan.report import Report, json_of, text_of
from cli.system_settings import SystemSettings, settings_in_force


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet plan …`; returns the exit status: 0, or 130 if interrupted. Raises CommandError."""
    quiet_logs()
    settings = settings_in_force(os.environ, Layout())
    arguments.model = arguments.model or settings.get("WORKER_DETECTOR") or "auto"
    arguments.form = arguments.form or settings.get("PRODUCER_FORM") or "base64"
    try:
        report = asyncio.run(_report(demand_of(arguments), settings, with_broker=arguments.broker))
    except BrokerError as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(json.dumps(json_of(report), indent=2) if arguments.json else text_of(report))
    return 0


async def _report(demand: Demand, settings: SystemSettings, *, with_broker: bool) -> Report:
    machine = this_machine()
    broker = None
    if with_broker:
        from cli.plan.broker_side import measure_broker

        broker = await measure_broker(broker_urls(os.environ, Layout()), demand)
    measured = await measure(demand, machine.cores, settings.of_services)
    costs = costs_of(measured, demand, broker)
    footprint = Footprint(measured.worker_bytes, measured.producer_bytes)
    return Report(plan(demand, costs, footprint), costs, measured, broker, machine, settings.described)
