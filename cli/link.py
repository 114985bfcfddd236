"""`framefleet link`: a new link to the dashboard of the system that runs in this checkout."""

import argparse
import json
import sys

from cli import survivors
from cli.layout import Layout
from gateway.link import NoLink, add_arguments, ask_link


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `link`."""
    add_arguments(commands.add_parser("link", help="a new link that signs a browser in, once"))


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet link`; returns the exit status."""
    return show(Layout(), arguments.role)


def show(layout: Layout, role: str) -> int:
    """Print a link to the system whose files are there; the exit status."""
    if original := survivors.original(layout.processes, layout.root):
        print(f"this folder is a copy, and the system runs in the original: {original}", file=sys.stderr)
        return 1
    try:
        known = json.loads(layout.endpoints.read_text())
        gateway, token = str(known["gateway"]), str(known["token"])
    except (OSError, ValueError, KeyError, TypeError):
        print(
            "no system runs in this checkout: start it with `make up`, which prints a link too. With Compose: "
            "docker compose exec gateway python -m gateway.link",
            file=sys.stderr,
        )
        return 1
    try:
        print(ask_link(gateway, token, role))
    except NoLink as error:
        print(error, file=sys.stderr)
        return 1
    return 0
