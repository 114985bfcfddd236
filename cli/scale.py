"""`framefleet scale workers=N`: more workers, or fewer, while the system of this checkout runs."""

import argparse

from cli.control import ScaleRequest, ask_scale
from cli.errors import InvalidOption
from cli.knobs import MOST_WORKERS
from cli.layout import Layout

SCALE = """\
Starts or ends workers of the system that runs in this checkout until there are N. One that ends finishes its frame
first; the others go on. 0: frames wait. `make up WORKERS=N` does the same while the system runs.
"""
PARTS = ("workers", "worker", "cv-worker")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the argument of `scale`."""
    parser.description = SCALE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("wanted", metavar="workers=N", help=f"how many workers, 0 to {MOST_WORKERS}")


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet scale`; returns the exit status. Raises CommandError."""
    print(ask_scale(Layout(), ScaleRequest(wanted(arguments.wanted))))
    return 0


def wanted(text: str) -> int:
    """The number in `workers=3`, or in `3`. Raises InvalidOption."""
    part, equals, number = text.rpartition("=")
    if equals and part.lower() not in PARTS:
        raise InvalidOption(f"{part!r} cannot be scaled: only workers can, as in workers=3")
    if not (number.isascii() and number.isdigit() and int(number) <= MOST_WORKERS):
        raise InvalidOption(f"{text!r}: a whole number from 0 to {MOST_WORKERS} is needed, as in workers=3")
    return int(number)
