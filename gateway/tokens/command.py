"""The commands on further tokens: `framefleet tokens …`, and in a container `python -m gateway.tokens …`."""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from gateway.errors import BrokenTokens, InvalidToken
from gateway.tokens.entries import TokenEntry
from gateway.tokens.file import add_token, read_tokens, revoke_token
from gateway.tokens.roles import ROLES

DAY = 24 * 3600.0
DAYS = 90
ABOUT = """\
Beside the main token, which the gateway makes itself, there can be further ones: one for each person, screen and
program, with the role viewer (sees everything, changes nothing) or operator, for some days. The file keeps their
hashes only, so a token is shown once. A running gateway follows the file: what is added or revoked holds within a
second, and what a revoked token has open is closed.
"""
USE = """\
Programs send it as `Authorization: Bearer TOKEN`, or as the password of Basic authentication; people paste it into the
login page."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `add`, `list` and `revoke`."""
    parser.description = ABOUT
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
    adding = actions.add_parser("add", help="make a token, and show it once")
    adding.add_argument("name", metavar="NAME", help="whose it is; the log and the dashboard show it")
    adding.add_argument("--role", choices=ROLES, default="viewer", help="by default viewer")
    until = adding.add_mutually_exclusive_group()
    until.add_argument("--days", type=_days, default=DAYS, metavar="N", help=f"how long it lasts ({DAYS})")
    until.add_argument("--no-expiry", action="store_true", help="it lasts until it is revoked")
    actions.add_parser("list", help="the tokens, without what would let anybody in")
    revoking = actions.add_parser("revoke", help="let a token in no longer, at once and for good")
    revoking.add_argument("name", metavar="NAME", help="its name, or its id")


def run(arguments: argparse.Namespace, path: Path) -> int:
    """Run the command on the file; return the exit status."""
    wall = time.time()
    try:
        match arguments.action:
            case "add":
                expires = None if arguments.no_expiry else wall + arguments.days * DAY
                token = add_token(path, arguments.name, arguments.role, wall, expires)
                print(token)
                end = "until it is revoked" if expires is None else f"until {_date(expires)}"
                print(f"{arguments.role} {end}. It is not shown again.\n{USE}", file=sys.stderr)
            case "list":
                _show(read_tokens(path), wall)
            case _:
                gone = revoke_token(path, arguments.name, wall)
                print(f"revoked: {gone.name} ({gone.id})")
    except (InvalidToken, BrokenTokens) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{path}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _show(entries: tuple[TokenEntry, ...], wall: float) -> None:
    rows = [("ID", "NAME", "ROLE", "STATE", "MADE", "EXPIRES")]
    for entry in entries:
        expires = "never" if entry.expires is None else _date(entry.expires)
        rows.append((entry.id, entry.name, entry.role, entry.state(wall), _date(entry.created), expires))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    if not entries:
        print(
            "no further tokens; the main one is in the file `token` beside, or in GATEWAY_TOKEN",
            file=sys.stderr,
        )


def _date(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d")


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= 36_500:
        raise argparse.ArgumentTypeError(f"{text} is not a number of days (--no-expiry: until it is revoked)")
    return days
