"""`framefleet cameras`: whether a file of cameras can be used, before a producer reads it."""

import argparse

CHECK = """\
Reads a file of cameras as a producer does, with the variables of cameras.env beside it and those of this shell that
begin with CAMERA_. Prints every mistake with its line and what to do. Exit status 0: nothing is wrong; 1: something is,
or the file cannot be used at all. No camera is asked for a picture.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `cameras`."""
    parser.description = "Looks at files of cameras (docs/cameras.md)."
    actions = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
    checking = actions.add_parser(
        "check",
        help="find every mistake in a file of cameras; exit status 1 if there is one",
        description=CHECK,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    checking.add_argument("file", nargs="?", metavar="FILE", help="by default that of CAMERAS")
    checking.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet cameras …`; returns the exit status. Raises CommandError."""
    # The help needs nothing of the producer.
    from cli.cameras.check import run as run_check

    return run_check(arguments)
