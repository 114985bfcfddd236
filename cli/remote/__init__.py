"""`framefleet remote`: the remote lane's money and state, and an operator's say in it."""

import argparse
import json
import os

from cli.gateway import add_options, ask, known_gateway
from cli.layout import Layout
from cli.remote.text import said

ABOUT = """\
Shows what the remote lane does and has spent, pauses and resumes it, and raises the budget of this day or month.

  framefleet remote status
  framefleet remote pause
  framefleet remote resume
  framefleet remote raise 2.50
  framefleet remote raise 20 --month

A lane whose budget is spent waits for the next day or month, and loses no frame. docs/remote.md says how it is set up.
"""
ALONE = "each remote worker's /readyz says why it waits"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `remote`."""
    parser.description = ABOUT
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
    status = actions.add_parser("status", help="what it does, and what was spent")
    status.add_argument("--json", action="store_true", help="the answer of GET /api/remote, for programs")
    pause = actions.add_parser("pause", help="finish the calls under way, and make no more")
    resume = actions.add_parser("resume", help="the way back from a pause")
    raises = actions.add_parser("raise", help="raise the budget of this day, or month, once")
    raises.add_argument("dollars", metavar="DOLLARS", type=float, help="by how much")
    raises.add_argument("--month", action="store_true", help="that of the month")
    for each in (status, pause, resume, raises):
        add_options(each)


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet remote …`; returns the exit status. Raises CommandError."""
    gateway = known_gateway(
        arguments.url, arguments.token, os.environ, Layout(), f"remote {arguments.action}"
    )
    match arguments.action:
        case "status":
            answer = ask(gateway, "/api/remote", without=ALONE)
            if arguments.json:
                print(json.dumps(answer, indent=2))
                return 0
        case "raise":
            period = "month" if arguments.month else "day"
            path = f"/api/remote/raise?dollars={arguments.dollars}&period={period}"
            answer = ask(gateway, path, method="POST", without=ALONE)
        case _:
            answer = ask(gateway, f"/api/remote/{arguments.action}", method="POST", without=ALONE)
    print(said(answer))
    return 0
