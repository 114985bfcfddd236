"""What came of a job."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batch.names import shown
from batch.store import Row, State, Store, again
from batch.tasks import DOLLAR


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One item's end. `detections` as in a result (docs/integrate.md); `reason` and `error` only where it failed."""

    path: str
    ok: bool
    detections: Sequence[Mapping[str, Any]]
    width: int
    height: int
    model: str
    reason: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class BatchReport:
    """A job's sum: counts of items, seconds, items per second of this run.

    `quantiles` are the seconds from sending to answer of the 50th, 95th and 99th percent; `slowest` are paths with the
    seconds that computing them took; `left_out` counts, by ending, what lay in folders and is no picture.
    """

    job_id: str
    books: Path
    finished: bool
    items: int
    ok: int
    failed: int
    waiting: int
    retries: int
    seconds: float
    rate: float
    sent_bytes: int
    quantiles: tuple[float | None, float | None, float | None]
    reasons: Mapping[str, int]
    slowest: Sequence[tuple[str, float]]
    left_out: Mapping[str, int] = field(default_factory=dict)
    cost: float | None = None
    """Dollars that a remote model's answers cost, in all runs; None where none told of money."""

    @property
    def exit_code(self) -> int:
        """0 all done and ok, 1 some failed, 130 interrupted."""
        return 130 if not self.finished else 1 if self.failed else 0

    def results(self) -> Iterator[ItemResult]:
        """What became of each item, in order; read from the job's books as it is asked for."""
        with again(self.books) as store:
            yield from map(_result, store.rows())


def sum_up(
    job_id: str,
    store: Store,
    *,
    finished: bool,
    retries: int,
    seconds: float,
    settled: int,
    sent_bytes: int,
    left_out: Mapping[str, int],
) -> BatchReport:
    """The report of a job by its books; `settled` items were so in this run of `seconds`."""
    counts = store.counts()
    cost = store.cost()
    p50, p95, p99 = store.quantiles((0.5, 0.95, 0.99))
    return BatchReport(
        job_id=job_id,
        books=store.file,
        finished=finished,
        items=sum(counts.values()),
        ok=counts[State.OK],
        failed=counts[State.FAILED],
        waiting=counts[State.WAITING] + counts[State.SENT],
        retries=retries,
        seconds=seconds,
        rate=settled / seconds if seconds > 0 else 0.0,
        sent_bytes=sent_bytes,
        quantiles=(p50, p95, p99),
        reasons=store.reasons(),
        slowest=[(shown(path), took) for path, took in store.slowest()],
        left_out=dict(left_out),
        cost=None if cost is None else cost / DOLLAR,
    )


def _result(row: Row) -> ItemResult:
    return ItemResult(
        path=row.path.decode("utf-8", "replace"),
        ok=row.state is State.OK,
        detections=json.loads(row.detections),
        width=row.width,
        height=row.height,
        model=row.model,
        reason=row.reason,
        error=row.error,
    )
