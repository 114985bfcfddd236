"""`framefleet why FRAME_ID`: what became of a frame, hop by hop, or the exact reason why it was not computed."""

import argparse
import json
import os
from typing import Any
from urllib.parse import quote

from cli.errors import CommandError, InvalidOption
from cli.gateway import GatewayAccess, add_options, ask, known_gateway
from cli.layout import Layout
from cli.subcommands import this_image
from cli.why.logs import LogWord, no_logs, search
from cli.why.report import STATUSES, report, with_logs

ABOUT = """\
Says what became of a frame: when it was captured, taken by a worker, computed and recorded, and how old it was at each
hop; or why it was not computed, and what to do. It asks the running gateway, which asks the history, the dead letters,
its own view of cameras and queues and, of a frame that nobody has seen, Prometheus' counts of what producers dropped.
In a checkout the logs in .run/logs are searched as well.

A frame's id is in its result, in a dead letter (`framefleet dlq list`), in logs, and on the page under "Why?". An id of
a dead letter will do. Quote what the shell would take apart.
"""
ALONE = "Without it `framefleet dlq list` shows the dead letters, and the workers' logs name the frames that failed"
STATUS = """\
exit status: 0 computed; 1 nobody could be asked; 2 misused; 3 unknown; 4 not computed, or not alone under its id

  framefleet why gate-3:1795210000000:4711
  framefleet why gate-3:1795210000000:4711 --json | jq -r .verdict
  framefleet why ID --url https://faces.example --token "$TOKEN"
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `why`."""
    parser.description, parser.epilog = ABOUT, STATUS
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("frame_id", metavar="FRAME_ID", help="the frame's id, or its dead letter's")
    parser.add_argument("--json", action="store_true", help="the answer of GET /api/why, for programs")
    add_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet why …`; returns the exit status. Raises CommandError."""
    return explain(arguments, Layout())


def explain(arguments: argparse.Namespace, layout: Layout) -> int:
    """Ask about the frame, of the system whose files are in `layout` unless another gateway is named; print the answer
    and return its exit status. Raises CommandError.
    """
    frame_id = arguments.frame_id.strip()
    if not frame_id:
        raise InvalidOption("FRAME_ID is empty: a frame's id looks like gate-3:1795210000000:4711")
    gateway = known_gateway(arguments.url, arguments.token, os.environ, layout, "why FRAME_ID")
    answer = with_logs(_asked(gateway, frame_id), _logs(arguments, layout, frame_id))
    if arguments.json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        print(report(answer))
    try:
        return STATUSES[answer["verdict"]]
    except KeyError:
        raise CommandError(f"the gateway has a verdict that is not known here: {answer['verdict']}") from None


def _asked(gateway: GatewayAccess, frame_id: str) -> dict[str, Any]:
    """Return the answer of GET /api/why. Raises CommandError."""
    path = f"/api/why?frame_id={quote(os.fsencode(frame_id), safe='')}"
    answer = ask(gateway, path, without=ALONE)
    if not {"verdict", "words", "witnesses", "hops"} <= answer.keys():
        raise CommandError(f"what answers at {gateway.url} is not a gateway of this version")
    return answer


def _logs(arguments: argparse.Namespace, layout: Layout, frame_id: str) -> LogWord:
    if arguments.url:
        return no_logs("those of another machine are not read here")
    if this_image() is not None:
        return no_logs("Docker has them", frame_id)
    return search(layout.logs, frame_id)
