"""The whole cluster on this machine behind a thousand HTTP cameras: frames a second, age, errors, memory, CPU.

    MODEL_DIR=… python -m bench.cluster [--footage FOLDER] [--check]      1,000 cameras, compact and base64: 4 minutes
    MODEL_DIR=… python -m bench.cluster --all                             10 to 3,000 cameras, and overload: 20 minutes
    MODEL_DIR=… python -m bench.cluster --cameras 300 --rate 150 --form compact --workers 1 --prefetch 2

The real services as processes: bench.cameras, one producer, a private RabbitMQ, workers with YuNet (its model is
downloaded if it is not in MODEL_DIR), and the gateway with its recorder. Every picture is sent; nobody looks on. All
figures are of --seconds after a warm-up, on a fresh cluster for each row.

offered        frames a second that the cameras are asked for, all together
age            from when the picture has come whole until its result has reached the gateway, as the gateway counts it
               (gateway_result_age_seconds: the share under 500 ms is exact; p50, p95, p99 lie evenly between two edges)
errors         failed, expired, refused or unreadable frames, and failures of cameras, per picture that was asked for.
               Pictures that a newer one of the same camera replaces before they are sent are no errors: `replaced`
resident       of all processes together, at most; the cameras and RabbitMQ are included, this command is not
fairness       Jain's index of the frames sent, over all cameras (where each sent n, whole frames cost up to 1/4n²)

--check: exits with 1 if 1,000 cameras in the compact form miss what they are to reach.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from bench.cameras import allow_connections, positive
from bench.cluster_figures import AIMS, Figures, figures
from bench.cluster_processes import CannotStart, Setup, check_workers, cluster
from bench.command import footage_command
from bench.machine import facts
from bench.tables import table
from contract.task import TaskForm

HEADLINE = (1000, 200.0)
TABLE = ((10, 200.0), (100, 200.0), HEADLINE, (3000, 200.0), (1000, 1000.0), (3000, 1000.0))
"""Cameras, and frames a second of all together: the last two are five times what the aim asks for, and more than two
cores can compute."""
LOOK_SECONDS = 2.0
QUIET_CORES = 0.2


def main() -> int:
    arguments = parsed()
    allow_connections()
    try:
        check_workers()
        measured = [(setup, measure(setup, arguments)) for setup in setups(arguments)]
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{facts()}\n{arguments.workers} workers, prefetch {arguments.prefetch}, {arguments.seconds:.0f} s a row\n"
    )
    print(f"{table(HEADS, (line(*each) for each in measured))}\n\nCPU ms per frame:\n")
    print(f"{table(COST_HEADS, (cost_line(*each) for each in measured))}\n")
    for setup, found in measured:
        if found.reasons:
            told = ", ".join(f"{count:.0f} {why}" for why, count in found.reasons.items())
            print(f"errors at {setup.cameras:,} cameras, {setup.rate:.0f}/s, {setup.form.value}: {told}\n")
    missed = False
    for setup, found in measured:
        if (setup.cameras, setup.form) == (HEADLINE[0], TaskForm.COMPACT) and setup.rate == HEADLINE[1]:
            for aim in AIMS:
                missed |= not aim.met(found)
                print(aim.verdict(found))
            if found.others > QUIET_CORES:
                print(f"other programs used {found.others:.1f} cores meanwhile: repeat it on a quiet machine")
    return int(missed and arguments.check)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = footage_command(__doc__)
    add = parser.add_argument
    add("--all", action="store_true", help="10, 100, 1,000 and 3,000 cameras, and more than can be computed")
    add("--cameras", type=positive, default=HEADLINE[0])
    add("--rate", type=float, default=HEADLINE[1], help="frames a second of all cameras together")
    add(
        "--form",
        type=TaskForm,
        choices=list(TaskForm),
        help="compact or base64; by default one after the other",
    )
    add("--workers", type=positive, default=2)
    add("--prefetch", type=positive, default=1)
    add("--seconds", type=float, default=60.0, help="of each row")
    add("--warm", type=float, default=20.0, help="seconds before them")
    add("--rig", default="", metavar="OPTIONS", help="for bench.cameras: --rig='--static 0.3'")
    add("--check", action="store_true", help="exit with 1 if the aims are missed")
    return parser.parse_args()


def setups(arguments: argparse.Namespace) -> list[Setup]:
    """The rows that are asked for."""
    forms = [arguments.form] if arguments.form else [TaskForm.COMPACT, TaskForm.BASE64]
    loads = TABLE if arguments.all else [(arguments.cameras, arguments.rate)]
    return [
        Setup(cameras, rate, form, arguments.workers, arguments.prefetch)
        for cameras, rate in loads
        for form in forms
    ]


def measure(setup: Setup, arguments: argparse.Namespace) -> Figures:
    """One row on a fresh cluster."""
    print(f"{setup.cameras} cameras, {setup.rate:.0f} frames/s, {setup.form.value} …", file=sys.stderr)
    footage = ["--footage", str(arguments.footage.absolute())] if arguments.footage else []
    with cluster(setup, [*footage, *arguments.rig.split()]) as running:
        time.sleep(arguments.warm)
        before = running.look()
        resident = []
        while time.monotonic() - before.time < arguments.seconds:
            time.sleep(min(LOOK_SECONDS, arguments.seconds))
            resident.append(running.resident())
        return figures(setup.cameras, before, running.look(), max(resident))


HEADS = ("cameras", "form", "offered", "asked/s", "analysed/s", "replaced/s", "p50 ms", "p95 ms", "p99 ms",
         "under 500 ms", "errors", "fairness", "resident MB")  # fmt: skip
COST_HEADS = ("cameras", "form", "offered", "analysed/s", "cameras'", "producer", "broker", "workers", "gateway",
              "whole", "cores busy", "of them others'")  # fmt: skip


def line(setup: Setup, found: Figures) -> Sequence[object]:
    """A row's cells: what came out."""
    return (
        f"{setup.cameras:,}",
        setup.form.value,
        f"{setup.rate:.0f}",
        *(f"{rate:.0f}" for rate in (found.asked, found.analysed, found.replaced)),
        *(f"{1000 * seconds:.0f}" for seconds in found.ages),
        f"{100 * found.under_half_second:.2f} %",
        f"{100 * found.errors:.3f} %",
        f"{found.fairness:.3f}",
        f"{found.resident:.0f}",
    )


def cost_line(setup: Setup, found: Figures) -> Sequence[object]:
    """A row's cells: what it cost."""
    parts = [found.cost[name] for name in ("cameras", "producer", "broker", "workers", "gateway")]
    return (
        f"{setup.cameras:,}",
        setup.form.value,
        f"{setup.rate:.0f}",
        f"{found.analysed:.0f}",
        *(f"{cost:.2f}" for cost in (*parts, sum(parts))),
        f"{found.busy:.2f}",
        f"{found.others:.2f}",
    )


if __name__ == "__main__":
    sys.exit(main())
