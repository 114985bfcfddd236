"""`framefleet senders`: users of the broker who may send frames, each with queues, a share and limits of its own."""

import argparse

from cli.senders.arguments import add

__all__ = ["add", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet senders …`; returns the exit status. Raises CommandError."""
    # The help needs no AMQP client, which takes a quarter of a second to import.
    from cli.senders.commands import run as run_senders
    from cli.tools import run_tool

    return run_tool(run_senders, arguments)
