"""The options of `framefleet dlq`."""

import argparse

from cli.parser import whole_number
from contract.topology import Lane

DLQ = """\
Dead letters are frames that could not be computed, kept in frame_queue.dlq with the reason; those of a sender with a
name (`framefleet senders`) in a queue of its own, which is looked at as well. Looking takes nothing
away and keeps the order; RabbitMQ adds one to each message's count of deliveries, of which this queue allows a
million. A replayed frame starts again at zero. The broker: AMQP_URL, or the system of this checkout (make up).
"""
REPLAY = """\
Makes tasks of dead letters again, as they were first sent: published and confirmed, then removed here, so that a crash
in between leaves both and never neither.

Live frames go to the batch lane, where nothing expires and the results carry the true time of capture; a worker must
consume it (WORKER_LANE=batch). In the live lane they would expire, being older than two seconds: --lane live is for
use with --fresh, which writes the present as the time of capture. Viewers then see them as pictures of now.
Frames of the other lanes go back to their own. A sender's frames go to its own queues and stay the sender's.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `dlq`."""
    parser.description = DLQ
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")

    listing = actions.add_parser("list", help="the dead letters, oldest first")
    _filters(listing, limit=50)
    _json(listing)

    show = actions.add_parser("show", help="everything about one")
    show.add_argument("id", metavar="ID", help="as `list` shows it")
    _sender(show)
    _json(show)

    save = actions.add_parser("save-image", help="write its picture to a file")
    save.add_argument("id", metavar="ID", help="as `list` shows it")
    _sender(save)
    save.add_argument(
        "--output",
        metavar="FILE",
        help="by default dead-letter-ID.jpg, .png or, if it is not a picture, .bin; - writes it to standard output",
    )

    replay = actions.add_parser(
        "replay",
        help="let frames be computed again",
        description=REPLAY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _changes(replay)
    replay.add_argument("--lane", choices=[lane.value for lane in Lane], help="where to, instead")
    replay.add_argument("--fresh", action="store_true", help="write the present as the time of capture")

    _changes(actions.add_parser("purge", help="delete dead letters for good"))


def _filters(parser: argparse.ArgumentParser, limit: int | None) -> None:
    parser.add_argument("--reason", action="append", default=[], help="only this reason; may be repeated")
    parser.add_argument("--camera", action="append", default=[], help="only this camera; may be repeated")
    _sender(parser)
    parser.add_argument("--since", metavar="TIME", help="died since then: 90s, 15m, 2h, 3d ago, or a date")
    parser.add_argument("--older-than", metavar="TIME", help="died before then")
    parser.add_argument(
        "--limit",
        type=_count,
        metavar="N",
        default=limit,
        help="at most the N oldest" + (f" (default {limit})" if limit else ""),
    )


def _sender(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sender",
        action="append",
        default=[],
        metavar="NAME",
        help="only this sender's; may be repeated. By default those of nobody in particular and of every sender",
    )


def _changes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID", help="these only, as `list` shows them")
    _filters(parser, limit=None)
    parser.add_argument("--all", action="store_true", help="needed where neither ID nor filter is given")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _count(text: str) -> int:
    count = whole_number(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return count
