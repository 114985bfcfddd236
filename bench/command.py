"""What the commands of this folder have in common."""

import argparse
from pathlib import Path

import cv2

from runtime.logs import configure_logs


def command(doc: str | None, *, footage: bool = True) -> argparse.ArgumentParser:
    """A parser whose help is the module's docstring, with `--quick`, and `--footage` where pictures matter."""
    parser = footage_command(doc) if footage else plain_command(doc)
    parser.add_argument("--quick", action="store_true", help="less of everything, for a first look")
    return parser


def footage_command(doc: str | None) -> argparse.ArgumentParser:
    """The same without `--quick`."""
    parser = plain_command(doc)
    parser.add_argument(
        "--footage", type=Path, help="folder of videos; without it the demo cameras' pictures"
    )
    return parser


def plain_command(doc: str | None) -> argparse.ArgumentParser:
    """The same with neither."""
    quiet()
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def quiet() -> None:
    """Tables on standard output, one thread per process, and no news on standard error but progress."""
    configure_logs("bench", "warning")
    cv2.setNumThreads(1)
