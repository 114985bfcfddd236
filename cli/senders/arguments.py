"""The options of `framefleet senders`."""

import argparse
import re
from collections.abc import Callable

from cli.parser import nearest, number, whole_number
from contract.models import MODEL_NAME_PATTERN
from contract.senders import MAX_CAMERAS, MAX_PIXELS, SHARE, is_sender_name
from contract.topology import Lane

SENDERS = """\
A sender is a user of the broker who may send frames and nothing else: to queues of its own, under camera names of its
own, with a share of the workers and limits. It cannot pose as another, slow the others down beyond its share, or read
what is not its own. Whoever uses the services' own user instead is trusted, has no name and needs no setting.

Gateways follow at once, and workers hear of it within seconds. The broker: AMQP_URL, or the system of this checkout
(make up); users are made by rabbitmqctl there, else by the broker's management plug-in, else this prints what to run.
"""
ADD = """\
Makes the user with a password, its rights, its limits (2 connections, 4 channels) and its queues, and prints once what
to paste. What was half done is completed by running the same command again.
"""
CAMERAS = (
    "names, or patterns as in a shell ('gate-*'), that it may use as they are, comma-separated; any other camera is "
    "called NAME-CAMERA"
)
MOST_CAMERAS = (
    f"of how many cameras each worker computes frames, by its own count of 24 hours ({MAX_CAMERAS}); as many the "
    "gateway shows, by its count since it started, in which those that a producer announces are left out"
)
_PATTERN = re.compile(r"[A-Za-z0-9_*?\[\]!-]{1,64}")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `senders`."""
    parser.description = SENDERS
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
    adding = actions.add_parser(
        "add", help="name a sender: its user, rights, queues and limits", description=ADD
    )
    _name(adding)
    _limits(adding)
    adding.add_argument(
        "--new-password",
        action="store_true",
        help="for one that there is: the old password ends, all else stays",
    )
    listing = actions.add_parser("list", help="the senders, what they may and what they do")
    listing.add_argument("--json", action="store_true", help="for programs")
    changing = actions.add_parser("set", help="change what a sender may; what is not named stays")
    _name(changing)
    _limits(changing)
    removing = actions.add_parser("remove", help="end a sender's rights and connections at once")
    _name(removing)
    removing.add_argument("--purge", action="store_true", help="delete its queues with what is in them")


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        metavar="NAME",
        type=_sender,
        help="up to 31 characters: a small letter, then a-z 0-9 _ (school, north_gate)",
    )


def _limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lanes", type=_listed(_lane), metavar="LANES", help="comma-separated: live, batch, gpu (live)"
    )
    parser.add_argument(
        "--share",
        type=_share,
        help=f"of the workers' time while others want it too, 0 to 1 ({SHARE}); else it may have all",
    )
    parser.add_argument("--cameras", type=_listed(_camera), metavar="NAMES", help=CAMERAS)
    parser.add_argument("--max-cameras", type=_within(10_000), metavar="N", help=MOST_CAMERAS)
    parser.add_argument(
        "--max-pixels", type=_within(1 << 31), metavar="N", help=f"of a picture ({MAX_PIXELS:,}: 4096 x 2160)"
    )
    parser.add_argument(
        "--models",
        type=_listed(_model),
        metavar="NAMES",
        help="that its tasks may name themselves, comma-separated (none)",
    )


def _sender(text: str) -> str:
    if is_sender_name(text):
        return text
    would = re.sub(r"[^a-z0-9_]", "_", text.lower())[:31]
    hint = f": {would} would do" if is_sender_name(would) else ""
    raise argparse.ArgumentTypeError(
        f"{text!r} cannot be a sender's name, which is a small letter and up to 30 of a-z 0-9 _{hint}"
    )


def _listed(each: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each(part.strip()) for part in text.split(",") if part.strip()))

    return read


def _lane(text: str) -> str:
    lanes = [lane.value for lane in Lane]
    if text not in lanes:
        close = nearest(text, lanes)
        hint = f"did you mean {close}? " if close else ""
        raise argparse.ArgumentTypeError(f"there is no lane {text!r}: {hint}There are {', '.join(lanes)}")
    return text


def _camera(text: str) -> str:
    if not _PATTERN.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} can be no camera's name: letters, digits, _ and -, and * ? [] in patterns"
        )
    return text


def _model(text: str) -> str:
    if not re.match(MODEL_NAME_PATTERN, text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a model's name: `framefleet models list` shows them"
        )
    return text


def _share(text: str) -> float:
    share = number(text)
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share: more than 0, at most 1")
    return share


def _within(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        count = whole_number(text)
        if not 1 <= count <= most:
            raise argparse.ArgumentTypeError(f"must be from 1 to {most:,}")
        return count

    return read
