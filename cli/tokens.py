"""`framefleet tokens`: further tokens of this checkout's gateway, or of this container's."""

import argparse
import os
import sys
from pathlib import Path

from cli.layout import Layout
from cli.subcommands import this_image
from gateway.tokens import command
from gateway.tokens.file import FILE


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `tokens`."""
    command.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet tokens …`; returns the exit status."""
    if this_image() is not None:
        return _run_own(arguments)
    given = os.environ.get("GATEWAY_TOKENS_FILE", "").strip()
    return command.run(arguments, Path(given) if given else Layout().gateway / FILE)


def _run_own(arguments: argparse.Namespace) -> int:
    """Run it on the file that the settings of this container's gateway name."""
    from gateway.settings import GatewaySettings
    from runtime.settings import USAGE_ERROR, read

    settings, wrong = read(GatewaySettings, os.environ)
    if settings is None:
        print("\n".join(wrong), file=sys.stderr)
        return USAGE_ERROR
    return command.run(arguments, settings.tokens)
