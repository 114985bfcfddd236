"""`framefleet nodes`: who works, and putting a worker out of work in order."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from urllib.parse import quote

from cli.confirmation import confirmed
from cli.gateway import GatewayAccess, add_options, ask, known_gateway
from cli.layout import Layout
from cli.nodes.tables import drain_said, listing, price, undrain_said

ABOUT = """\
Lists workers, producers and gateways, and drains a worker: it finishes the frames that it has, takes no more, and goes
on running until it is undrained. No frame is lost or delivered twice. It stays drained when it is restarted under the
same name; a worker of another name is not.

  framefleet nodes list
  framefleet nodes drain HOST-2
  framefleet nodes undrain HOST-1 HOST-2

A worker's name is its machine's with a number (`make up`), or its container's.
"""
ALONE = "`framefleet doctor` looks at everything else"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `nodes`."""
    parser.description = ABOUT
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
    lists = actions.add_parser("list", help="workers, producers and gateways")
    lists.add_argument("--json", action="store_true", help="the answer of GET /api/nodes, for programs")
    drains = actions.add_parser("drain", help="let a worker finish what it has and take no more")
    drains.add_argument("--yes", action="store_true", help="do not ask")
    drains.add_argument("node", metavar="NODE", help="its name, as `list` shows it")
    undrains = actions.add_parser("undrain", help="let workers take frames again")
    undrains.add_argument("nodes", metavar="NODE", nargs="+", help="its name, as `list` shows it")
    for each in (lists, drains, undrains):
        add_options(each)


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet nodes …`; returns the exit status. Raises CommandError."""
    return act(arguments, Layout())


def act(arguments: argparse.Namespace, layout: Layout) -> int:
    """Do what was asked, at the system whose files are in `layout` unless another gateway is named; returns the exit
    status. Raises CommandError.
    """
    words = f"nodes {arguments.action}" + (" NODE" if arguments.action != "list" else "")
    gateway = known_gateway(arguments.url, arguments.token, os.environ, layout, words)
    match arguments.action:
        case "list":
            answer = ask(gateway, "/api/nodes", without=ALONE)
            print(json.dumps(answer, indent=2) if arguments.json else listing(answer, time.time()))
            return 0
        case "drain":
            return _drain(gateway, arguments.node, yes=arguments.yes)
        case _:
            return _undrain(gateway, arguments.nodes)


def _drain(gateway: GatewayAccess, name: str, *, yes: bool) -> int:
    before = ask(gateway, "/api/nodes", without=ALONE)
    worker = next((each for each in before["items"] if each["node_id"] == name), None)
    if worker is not None and worker["drain"] is None:
        print(price(worker), file=sys.stderr)
        if not confirmed(f"Drain {name}?", yes=yes):
            return 1
    answer = ask(gateway, f"/api/nodes/drain?node={_quoted(name)}", method="POST", without=ALONE)
    print(f"{drain_said(answer, name, time.time())} Back: framefleet nodes undrain {name}")
    return 0


def _undrain(gateway: GatewayAccess, names: Sequence[str]) -> int:
    for name in names:
        answer = ask(gateway, f"/api/nodes/undrain?node={_quoted(name)}", method="POST", without=ALONE)
        print(undrain_said(answer, name, time.time()))
    return 0


def _quoted(name: str) -> str:
    return quote(os.fsencode(name), safe="")
