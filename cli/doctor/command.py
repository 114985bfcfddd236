"""The work of `framefleet doctor`: find the system, look at it, report."""

import argparse
import json
import logging
import os
import time
from collections.abc import Mapping

from cli.doctor import (
    broker,
    certificates,
    clocks,
    disk,
    files,
    gateway,
    memory,
    models,
    packages,
    ports,
    processes,
    prometheus,
    queues,
    versions,
    workers,
)
from cli.doctor.examination import Check, examine
from cli.doctor.place import find_place
from cli.doctor.report import json_of, text_of
from cli.layout import Layout
from cli.logs import quiet_logs

CHECKS: Mapping[str, Check] = {
    "processes": processes.check,
    "ports": ports.check,
    "broker": broker.check,
    "queues": queues.check,
    "gateway": gateway.check,
    "workers": workers.check,
    "prometheus": prometheus.check,
    "models": models.check,
    "clocks": clocks.check,
    "disk": disk.check,
    "memory": memory.check,
    "file limits": files.check,
    "certificates": certificates.check,
    "versions": versions.check,
    "packages": packages.check,
}
"""The areas in the order of the report: what others stand on comes first."""


def run(arguments: argparse.Namespace, layout: Layout | None = None) -> int:
    """Run `framefleet doctor …`; returns the exit status: 1 if anything is wrong, or could not be found out."""
    quiet_logs()
    logging.disable()  # of libraries: what they have to say of a connection is in the findings, in our words
    begun = time.monotonic()
    place = find_place(
        os.environ,
        layout or Layout(),
        amqp_url=arguments.amqp_url or "",
        prometheus=arguments.prometheus or "",
    )
    findings = examine(place, CHECKS)
    if arguments.json:
        print(json.dumps(json_of(findings, time.monotonic() - begun), indent=2))
    else:
        print(text_of(findings, verbose=arguments.verbose))
    return 1 if any(each.failed for each in findings) else 0
