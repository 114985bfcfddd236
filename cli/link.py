"""`framefleet link`: a new link to the dashboard, of the system that runs in this checkout or of this container."""

import argparse
import json

from cli import survivors
from cli.errors import CommandError
from cli.layout import Layout
from cli.subcommands import this_image
from gateway.ready_link import NoLink, add_arguments, new_link, show_own
from gateway.tokens.roles import Role


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `link`."""
    add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet link`; returns the exit status. Raises CommandError."""
    if this_image() is not None:
        return show_own(arguments.role)
    return show(Layout(), arguments.role)


def show(layout: Layout, role: Role) -> int:
    """Print a link to the system whose files are in `layout`; returns 0. Raises CommandError."""
    if original := survivors.original(layout.processes, layout.root):
        raise CommandError(f"this folder is a copy, and the system runs in the original: {original}")
    try:
        known = json.loads(layout.endpoints.read_text())
        gateway, token = str(known["gateway"]), str(known["token"])
    except (OSError, ValueError, KeyError, TypeError):
        raise CommandError(
            "no system runs in this checkout: start it with `make up`, which prints a link too. With Compose: "
            "docker compose exec gateway framefleet link"
        ) from None
    try:
        print(new_link(layout.gateway, gateway, token, role))
    except NoLink as error:
        raise CommandError(str(error)) from error
    return 0
