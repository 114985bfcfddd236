"""`framefleet queues`: whether the broker's queues are as this version wants them and work, and making them so."""

import argparse
from pathlib import Path

UPGRADE = """\
Recreates queues whose arguments differ from this version's, and keeps their messages: they are set aside in
<queue>.upgrade, the empty queue is deleted and declared again, and they are moved back, each published and confirmed
before it is acknowledged. Interrupted at any point, it goes on when it is run again.

Stop all that sends and computes first; the broker must run. docs/upgrading.md says how.
"""

REPAIR = """\
Recreates queues that are down: RabbitMQ has them and cannot use them, because their files are damaged, say. Says which
are down and why, and what was last known to be in them; that is lost to the system. Their files are copied aside first
where they are on this machine. Queues that work are not touched, and services may go on running: they use the new queue
within seconds.

Where RabbitMQ can make no queue at all, none is deleted: one damaged file stops all of them. Names it and its queue,
and moves its folder out of the broker's data, also of one that has ended. All others come back whole.

If a cluster has lost most of its nodes, start these instead: then nothing is lost. docs/guarantees.md says more.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `queues`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
    actions.add_parser(
        "check", help="say which queues are not as this version wants them; exit status 1 if any"
    )
    upgrading = actions.add_parser(
        "upgrade",
        help="recreate them and keep their messages",
        description=UPGRADE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    upgrading.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    upgrading.add_argument("--yes", action="store_true", help="do not ask")
    repairing = actions.add_parser(
        "repair",
        help="recreate queues that RabbitMQ cannot use; exit status 1 if it could not",
        description=REPAIR,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    repairing.add_argument("--dry-run", action="store_true", help="say what would be lost, and do nothing")
    repairing.add_argument("--yes", action="store_true", help="do not ask")
    repairing.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="where the broker keeps its data, if that is on this machine; by default that of `make up`",
    )
    repairing.add_argument(
        "--aside", type=Path, metavar="DIR", help="where damaged files are put; by default .run/damaged"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet queues …`; returns the exit status."""
    # The help needs no AMQP client, which takes a quarter of a second to import.
    from cli.errors import NoBroker
    from cli.queues.commands import mend_without_broker
    from cli.queues.commands import run as run_queues
    from cli.tools import run_tool

    try:
        return run_tool(run_queues, arguments)
    except NoBroker:
        # `make up` ends a broker that it cannot use, and nobody knows it any more: its files are there.
        status = mend_without_broker(arguments) if arguments.action == "repair" else None
        if status is None:
            raise
        return status
