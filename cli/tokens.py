"""`framefleet tokens`: further tokens of this checkout's gateway."""

import argparse
import os
from pathlib import Path

from cli.layout import Layout
from gateway.tokens import command
from gateway.tokens.file import FILE


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `tokens` with its commands."""
    command.add_arguments(
        commands.add_parser("tokens", help="tokens of viewers and operators: add, list, revoke")
    )


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet tokens …`; returns the exit status."""
    given = os.environ.get("GATEWAY_TOKENS_FILE", "").strip()
    return command.run(arguments, Path(given) if given else Layout().gateway / FILE)
