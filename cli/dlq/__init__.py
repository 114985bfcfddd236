"""`framefleet dlq`: look at dead letters, save their pictures, replay or purge them."""

import argparse

from cli.dlq.arguments import add

__all__ = ["add", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet dlq …`; returns the exit status."""
    # The help needs no AMQP client, which takes a quarter of a second to import.
    from cli.dlq.commands import run as run_dlq
    from cli.tools import run_tool

    return run_tool(run_dlq, arguments)
