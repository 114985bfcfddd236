"""What the commands of this folder have in common."""

import argparse
from pathlib import Path

import cv2

from runtime.logs import configure_logs


def command(doc: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the module's docstring, with `--footage` and `--quick`."""
    parser = footage_command(doc)
    parser.add_argument("--quick", action="store_true", help="less of everything, for a first look")
    return parser


def footage_command(doc: str | None) -> argparse.ArgumentParser:
    """The same without `--quick`."""
    quiet()
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--footage", type=Path, help="folder of videos; without it the demo cameras' pictures"
    )
    return parser


def quiet() -> None:
    """Tables on standard output, one thread per process, and no news on standard error but progress."""
    configure_logs("bench", "warning")
    cv2.setNumThreads(1)
