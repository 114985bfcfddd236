"""`framefleet`: the operator's command."""

import argparse
import os
import sys
from pathlib import Path

from cli import dlq, link, models, plan, queues, tokens
from cli.knobs import KnobError, read_knobs
from cli.layout import Layout
from cli.tools import run_tool
from cli.up import down, up

UP = """\
Starts a private RabbitMQ, Prometheus, the workers, a producer and the gateway on this machine, prints the link of the
dashboard, starts again what dies, and ends all of it on Ctrl-C. Everything it writes is in .run/.

`make up` does the same and first installs what is missing; it takes the options as variables:
  make up WORKERS=4 SOURCE=gate=video.mp4,rtsp://user:password@10.0.0.8/stream1

Further settings of the services are taken from the environment: `python -m worker --help`, likewise producer, gateway.
"""
KNOBS = (
    ("workers", "N", "how many workers; by default one per core. 0: frames wait"),
    (
        "source",
        "WHAT",
        "demo (default), none, a video file, a folder of images, http(s)://…, rtsp://…, webcam:0",
    ),
    ("port", "PORT", "port of the dashboard; by default 8080, or the next free one"),
    ("model-dir", "FOLDER", "a folder with model files, looked at before downloading"),
    (
        "amqp-url",
        "URL",
        "use this broker instead of a private one; better as AMQP_URL=, which `ps` does not show",
    ),
)

TOOLS = {"dlq": dlq, "queues": queues}
WITHOUT_BROKER = {"models": models, "plan": plan, "tokens": tokens, "link": link}


def main() -> None:
    """Parse the command line and run."""
    arguments = _parser().parse_args()
    if arguments.command == "down":
        sys.exit(down(Layout()))
    if arguments.command in TOOLS:
        sys.exit(run_tool(TOOLS[arguments.command].run, arguments))
    if arguments.command in WITHOUT_BROKER:
        sys.exit(WITHOUT_BROKER[arguments.command].run(arguments))
    given = {
        name.replace("-", "_").upper(): getattr(arguments, name.replace("-", "_")) for name, _, _ in KNOBS
    }
    try:
        knobs = read_knobs(os.environ | {name: value for name, value in given.items() if value}, Path.cwd())
    except KnobError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    try:
        sys.exit(up(knobs, Layout()))
    except KeyboardInterrupt:
        sys.exit(130)  # before there was anything to stop


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="framefleet", description="Face detection on many cameras: RabbitMQ, workers, a live dashboard."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser(
        "up",
        help="run the whole system on this machine until Ctrl-C",
        description=UP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, metavar, meaning in KNOBS:
        start.add_argument(
            f"--{name}", metavar=metavar, help=f"{meaning} [{name.replace('-', '_').upper()}=]"
        )
    commands.add_parser("down", help="stop the system that runs in this checkout")
    for tool in (*TOOLS.values(), *WITHOUT_BROKER.values()):
        tool.add(commands)
    return parser


if __name__ == "__main__":
    main()
