"""`framefleet cameras`: whether a file of cameras can be used, before a producer reads it."""

import argparse

CHECK = """\
Reads a file of cameras as a producer does, with the variables of cameras.env beside it and those of this shell that
begin with CAMERA_. Prints every mistake with its line and what to do. Exit status 0: nothing is wrong; 1: something is,
or the file cannot be used at all. Without --connect no camera is asked for a picture.

With --connect each camera that is not switched off is asked once, by the producer's own code, 32 at a time, each for
its `timeout` and 20 seconds at most. The answer is one of: right, credentials refused, not found, no picture (nobody
answers, or too late), odd format (something came that is not a picture). Exit status 1 if one is not right.
A camera that locks an account after wrong passwords counts this as one try.

  framefleet cameras check cameras.yaml
  framefleet cameras check cameras.yaml --connect
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
    checking.add_argument("--connect", action="store_true", help="ask each camera for one picture, too")
    checking.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet cameras …`; returns the exit status. Raises CommandError."""
    # The help needs nothing of the producer.
    from cli.cameras.check import run as run_check

    return run_check(arguments)
