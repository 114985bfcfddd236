"""What it costs to show every result to many viewers, against the plain loop of tutorials.

    python -m bench.viewers [--viewers 1 100 1000] [--rounds 3] [--seconds 5] [--quick] [--check]

The loop is `for client in clients: await client.send_json(result)` in FastAPI. Ours is the whole gateway, once for
plain clients (one JSON per message) and once for its sub-protocol that batches. All over uvicorn with the same
results at the same even pace; server and viewers are a process each. Counted is what the viewers received, and the
CPU time of the server alone; delay is from the moment a result was due to its receipt. The three take turns, and
ratios are within a round. Then the same with 1 % of viewers (at least one) that connect and read nothing.

--check ends with exit code 1 if an aim is missed: plain clients 1.7 times the loop's results per CPU second, the
sub-protocol 5 times; with stalled viewers the others' p99 within 10 % or 5 ms of what it was. Where few watch, most
of the cost is that of taking the results: it is measured with nobody watching, and a ratio that would need sending to
cost less than nothing is not an aim.
"""

import math
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.command import command
from bench.machine import cpu_seconds, facts, resident_megabytes
from bench.tables import table
from bench.viewer_clients import Crowd, Received, crowd_at
from bench.viewer_servers import CAMERAS, body, server

RATE = 150.0
SETTLE_SECONDS = 1.0
STALL_SECONDS = 8.0
"""Until a viewer that reads nothing has filled what the kernel keeps for it (512 KiB at the gateway)."""
PLAIN_AIM, BATCH_AIM = 1.7, 5.0
P99_SHARE, P99_SECONDS = 1.10, 0.005


@dataclass(frozen=True)
class Design:
    """A server and how its viewers speak to it."""

    label: str
    server: str
    subprotocol: str | None


LOOP = Design("plain loop", "loop", None)
PLAIN = Design("ours, plain clients", "gateway", None)
BATCHES = Design("ours, sub-protocol", "gateway", "framefleet.v1")
DESIGNS = (LOOP, PLAIN, BATCHES)


@dataclass(frozen=True)
class Turn:
    """One design in one round: results delivered, CPU seconds, p50 and p99 of the delay, resident megabytes."""

    delivered: int
    cpu: float
    p50: float
    p99: float
    memory: float
    silent: int

    @property
    def each(self) -> float:
        """Results delivered per CPU second."""
        return self.delivered / self.cpu


def turn(design: Design, viewers: int, stalled: int, rate: float, seconds: float) -> Turn:
    """Start it, let it settle, measure."""
    with (
        server(design.server, rate) as serving,
        crowd_at(serving.port, Crowd(viewers + stalled, stalled, design.subprotocol)) as crowd,
    ):
        serving.begin()
        began = time.monotonic() + (STALL_SECONDS if stalled else SETTLE_SECONDS)
        crowd.send((began, began + seconds))
        time.sleep(began - time.monotonic())
        cpu = cpu_seconds(serving.pid)
        time.sleep(began + seconds - time.monotonic())
        cpu = cpu_seconds(serving.pid) - cpu
        memory, _ = resident_megabytes(serving.pid)
        received: Received = crowd.recv()
    delays = received.delays
    return Turn(
        received.results,
        cpu,
        quantile(delays, 0.50),
        quantile(delays, 0.99),
        memory,
        received.silent,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Below which value that share lies; not a number if there is none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def ratio(ours: Sequence[Turn], loop: Sequence[Turn]) -> float:
    """The median of the rounds' ratios of results per CPU second; infinite where the loop delivered nothing."""
    return statistics.median(
        mine.each / theirs.each if theirs.delivered else float("inf")
        for mine, theirs in zip(ours, loop, strict=True)
    )


def limit(due: float, loop: Sequence[Turn], idle: Sequence[Turn]) -> float:
    """The ratio of a server that sends `due` results for nothing and has only the cost of taking them."""
    return due / median(idle, "cpu") / median(loop, "each")


def median(turns: Sequence[Turn], name: str) -> float:
    """Of one figure over the rounds."""
    return float(statistics.median(getattr(each, name) for each in turns))


def or_dash(value: float, form: str) -> str:
    """As text; a dash for what there is none of, because nothing was delivered."""
    return f"{value:{form}}" if math.isfinite(value) else "–"


def row(
    design: Design, viewers: int, stalled: int, turns: Sequence[Turn], loop: Sequence[Turn], due: float
) -> Sequence[str]:
    """A line of the table; `due` is how many results the viewers together should have got."""
    return (
        str(viewers) + (f" + {stalled} stalled" if stalled else ""),
        design.label,
        f"{100 * median(turns, 'delivered') / due:.0f} %",
        f"{median(turns, 'cpu'):.2f}",
        f"{median(turns, 'each'):,.0f}",
        "1" if design is LOOP else or_dash(ratio(turns, loop), ".2f"),
        or_dash(1000 * median(turns, "p50"), ".1f"),
        or_dash(1000 * median(turns, "p99"), ".1f"),
        f"{median(turns, 'memory'):.0f}",
    )


def main() -> int:
    parser = command(__doc__, footage=False)
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 100, 1000])
    parser.add_argument("--rate", type=float, default=RATE, help="results a second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each turn")
    parser.add_argument("--check", action="store_true", help="exit 1 if an aim is missed")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 2.0
    print(facts())
    print(f"{arguments.rate:g} results a second of {CAMERAS} cameras, {len(body(1000, 1e5))} bytes each\n")
    heads = ("viewers", "design", "delivered", "CPU s", "per CPU s", "to the loop", "p50 ms", "p99 ms", "MB")
    rows, missed, limits = [], [], []
    idle = []
    for number in range(arguments.rounds):
        print(f"nobody, round {number + 1}", file=sys.stderr)
        idle.append(turn(PLAIN, 0, 0, arguments.rate, arguments.seconds))
    for viewers in arguments.viewers:
        due = viewers * arguments.rate * arguments.seconds
        healthy: dict[Design, list[Turn]] = {}
        highest = math.inf
        for stalled in (0, max(1, viewers // 100)):
            turns: dict[Design, list[Turn]] = {design: [] for design in DESIGNS}
            for number in range(arguments.rounds):
                for design in DESIGNS if number % 2 else reversed(DESIGNS):
                    print(f"{viewers} + {stalled}, round {number + 1}: {design.label}", file=sys.stderr)
                    turns[design].append(turn(design, viewers, stalled, arguments.rate, arguments.seconds))
            rows += [row(design, viewers, stalled, turns[design], turns[LOOP], due) for design in DESIGNS]
            if not healthy:
                healthy, highest = turns, limit(due, turns[LOOP], idle)
            missed += judged(viewers, stalled, turns, healthy, highest)
        limits.append(f"{highest:.1f} times the loop with {viewers}")
    print(table(heads, rows))
    print(
        f"\nWith nobody watching: {median(idle, 'cpu'):.2f} CPU s. Sending for nothing would be {', '.join(limits)}."
    )
    for sentence in missed:
        print(f"\nmissed: {sentence}")
    return 1 if arguments.check and missed else 0


def judged(
    viewers: int,
    stalled: int,
    turns: dict[Design, list[Turn]],
    healthy: dict[Design, list[Turn]],
    highest: float,
) -> list[str]:
    """Which aims were missed, as sentences. No ratio above `highest` is an aim."""
    missed = []
    for design, aim in ((PLAIN, PLAIN_AIM), (BATCHES, BATCH_AIM)):
        where = f"{viewers} viewers, {stalled} stalled, {design.label}"
        reached = ratio(turns[design], turns[LOOP])
        if reached < aim <= highest:
            missed.append(f"{where}: {reached:.2f} times the loop instead of {aim:g}")
        if silent := max(each.silent for each in turns[design]):
            missed.append(f"{where}: {silent} healthy viewers got nothing")
        before, now = median(healthy[design], "p99"), median(turns[design], "p99")
        if now > max(before * P99_SHARE, before + P99_SECONDS):
            missed.append(f"{where}: p99 {1000 * now:.1f} ms instead of {1000 * before:.1f} ms")
    return missed


if __name__ == "__main__":
    sys.exit(main())
