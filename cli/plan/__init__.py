"""`framefleet plan`: how many workers, cores and bytes a second so many cameras need."""

import argparse

from cli.parser import number, whole_number

PLAN = """\
Measures this machine for some seconds (decode and detect, fetching a snapshot, motion gate, memory) and says what so
many cameras need: workers, producers, cores, memory, network and disk, and the commands that start it. What cannot be
measured without a broker comes from docs/benchmarks.md, scaled to this machine; the last lines say which is which.
docs/planning.md explains the arithmetic.
"""
FORMS = ("base64", "compact")  # contract.task.TaskForm


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `plan`."""
    parser.description = PLAN
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--cameras", type=whole_number, required=True, metavar="N", help="how many")
    parser.add_argument("--fps", type=number, required=True, metavar="F", help="pictures a second of each")
    parser.add_argument("--size", default="640x480", help="of a picture in pixels (640x480)")
    parser.add_argument(
        "--bytes", type=whole_number, help="of a picture; by default 40000 for 640x480, more for more pixels"
    )
    parser.add_argument(
        "--form", choices=FORMS, help="by default as the producers here are told, else base64"
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="as WORKER_DETECTOR: yunet, haar, …; by default as the workers here are told, else auto",
    )
    parser.add_argument(
        "--motion",
        type=number,
        default=0.0,
        metavar="SHARE",
        help="of the pictures skipped by the motion gate: 0.6",
    )
    parser.add_argument(
        "--broker",
        action="store_true",
        help="also measure the broker of AMQP_URL, or the one that runs in this checkout, for three seconds",
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet plan …`; returns the exit status. Raises CommandError."""
    # The help needs nothing of what measures.
    from cli.plan.command import run as run_plan

    return run_plan(arguments)
