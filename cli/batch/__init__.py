"""`framefleet batch`: pictures and videos by the thousand through the batch lane, as jobs that survive interruption."""

import argparse
from pathlib import Path

from cli.gateway import add_options
from cli.parser import whole_number
from contract.jobs import LONGEST_EVERY

BATCH = """\
Computes pictures and videos through the batch lane, beside live cameras, which keep their latency. PATH is a file, a
folder (all pictures and videos below it), a pattern in quotes, a zip or tar archive, or - for a list on standard input.

Of a video only pictures that show something new are computed. What was computed before is not computed again, by
whatever job: docs/video.md says how that is known.

A run is a job. Run the same command again and it goes on where it stopped, and repeats nothing: after Ctrl-C, a crash,
a broker that was away. New and changed files are computed then, too.

  framefleet batch photos --output faces.ndjson
  find . -name '*.jpg' -print0 | framefleet batch -0 - --output faces.csv
  framefleet batch archive.zip 'more/**/*.png' --output coco.json --output boxes --format annotated
  framefleet batch film.mp4 --every 0.2 --output faces.ndjson
  framefleet batch --job 3f2a9c01d4e7 --retry-failed
  framefleet batch photos --lane remote --output told.ndjson     says what it costs, and asks

Exit status: 0 all done and ok, 1 something failed or nothing was found, 2 the command was wrong and nothing was done,
130 interrupted. docs/batch.md says more.
"""
OUTPUT = (
    "where results go, by its ending .ndjson, .csv or .json (COCO), or - for NDJSON on standard output; may be given "
    "several times"
)
FORMAT = (
    "ndjson, csv, coco, yolo or annotated (both folders): the form of the last --output, whatever its ending"
)


class _Format(argparse.Action):
    """Gives the last output its form."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,  # noqa: ARG002 - argparse passes it
    ) -> None:
        outputs = getattr(namespace, "output", None)
        if not outputs:
            parser.error("--format comes after the --output that it is for")
        outputs[-1] = (outputs[-1][0], values)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `batch`."""
    parser.description = BATCH
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("paths", nargs="*", metavar="PATH")
    parser.add_argument(
        "--output", action="append", metavar="FILE", type=lambda text: (text, None), default=[], help=OUTPUT
    )
    parser.add_argument(
        "--format", action=_Format, choices=["ndjson", "csv", "coco", "yolo", "annotated"], help=FORMAT
    )
    parser.add_argument(
        "--job", metavar="ID", help="go on with the job of that name, or give a new one a name"
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="compute again what failed in an earlier run"
    )
    parser.add_argument("--model", metavar="NAME", help="compute with this model instead of the one in use")
    parser.add_argument(
        "--concurrency",
        type=whole_number,
        default=10,
        metavar="N",
        help="items under way at once, 1 to 1000; by default 10 (docs/batch.md has what others bring)",
    )
    parser.add_argument(
        "--lane",
        choices=["batch", "gpu", "remote"],
        default="batch",
        help="by default batch; remote costs money: it says how much, and asks (docs/remote.md)",
    )
    parser.add_argument("--yes", action="store_true", help="with --lane remote: do not ask")
    add_options(parser)
    parser.add_argument(
        "-0", "--null", action="store_true", help="the list on standard input is NUL-separated"
    )
    # Since there is a -0, argparse takes -1 for an option as well, and says that --every lacks its number.
    parser._has_negative_number_optionals.clear()
    videos = parser.add_argument_group("videos")
    videos.add_argument(
        "--every",
        type=_seconds,
        metavar="SECONDS",
        help="look at a picture so often, by default 30 times a second (0.0333); 0: at all of them",
    )
    videos.add_argument(
        "--windows",
        choices=["fixed", "scene"],
        default="fixed",
        help="scene: a cut begins a window too; by default windows of 15 seconds",
    )
    videos.add_argument(
        "--no-skip",
        action="store_true",
        help="analyse pictures that show nothing new as well",
    )
    parser.add_argument(
        "--no-cache",
        action="store_true",
        help="compute what was computed before as well, and keep nothing for later jobs",
    )
    parser.add_argument("--jobs", type=Path, metavar="DIR", help="where jobs are kept; by default at home")
    parser.add_argument(
        "--delete", action="store_true", help="delete the job --job ID: its books, not the pictures"
    )


def _seconds(text: str) -> float:
    """A time between two pictures."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_EVERY:
        raise argparse.ArgumentTypeError(f"{text!r}: seconds, 0 to {LONGEST_EVERY:g}")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet batch`; returns the exit status. Raises CommandError."""
    # The help needs no AMQP client, which takes a quarter of a second to import.
    from cli.batch.command import run as run_batch

    return run_batch(arguments)
