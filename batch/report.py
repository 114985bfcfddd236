"""What came of a job."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batch.inputs.kinds import VIDEO
from batch.names import shown
from batch.outputs.videos import placed, present
from batch.store import Row, State, Store, again
from batch.tasks import DOLLAR
from batch.video.timeline import Presence
from batch.video_books import SEPARATOR

FAILURES_NAMED = 3


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One input's end. `detections` as in a result (docs/integrate.md); `reason` and `error` only where it failed.

    Those of a video have the seconds from which and to which they hold, `time` and `until`, and the `frame`;
    `presences` are the stretches in which anything was found. `cached`: the picture was not sent, since it was known.
    """

    path: str
    ok: bool
    detections: Sequence[Mapping[str, Any]]
    width: int
    height: int
    model: str
    reason: str | None = None
    error: str | None = None
    kind: str = "picture"
    cached: bool = False
    presences: Sequence[Presence] = ()


@dataclass(frozen=True, slots=True)
class VideoTotals:
    """The pictures of all of a job's videos that were read: of those `decoded`, `thinned` are more than are looked at a
    second; the others were `analysed`, or are `still` or `repeated`, which needs no analysis.
    """

    videos: int = 0
    seconds: float = 0.0
    decoded: int = 0
    thinned: int = 0
    analysed: int = 0
    still: int = 0
    repeated: int = 0
    windows: int = 0

    @property
    def skipped_share(self) -> float:
        """The share, 0-1, of the pictures looked at that needed no analysis."""
        looked_at = self.analysed + self.still + self.repeated
        return 1 - self.analysed / looked_at if looked_at else 0.0


@dataclass(frozen=True, slots=True)
class BatchReport:
    """A job's sum: counts of items, seconds, items per second of this run. Pictures are items, and videos and those of
    their samples that are analysed; `cached` of them were known already.

    `quantiles` are the seconds from sending to answer of the 50th, 95th and 99th percent; `slowest` are paths with the
    seconds that computing them took; `left_out` counts, by ending, what lay in folders and is not a picture;
    `failures` are the first few inputs that failed, with the reason.
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
    failures: Sequence[tuple[str, str]] = ()
    cached: int = 0
    videos: VideoTotals = field(default_factory=VideoTotals)
    cost: float | None = None
    """Dollars that a remote model's answers cost, in all runs; None where none told of money."""

    @property
    def exit_code(self) -> int:
        """0 all done and ok, 1 some failed or there was nothing to do, 130 interrupted."""
        return 130 if not self.finished else 1 if self.failed or not self.items else 0

    def results(self) -> Iterator[ItemResult]:
        """What became of each input, in order; read from the job's books as it is asked for."""
        with again(self.books) as store:
            for row in store.rows():
                yield _result(store, row)


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
        slowest=[(_named(path), took) for path, took in store.slowest()],
        left_out=dict(left_out),
        failures=[(_named(path), reason) for path, reason in store.failures(FAILURES_NAMED)],
        cached=store.cached(),
        videos=_videos(store),
        cost=None if cost is None else cost / DOLLAR,
    )


def _named(path: bytes) -> str:
    """What an input is called, or a picture of a video."""
    return shown(path.replace(SEPARATOR, b" frame "))


def _videos(store: Store) -> VideoTotals:
    sums: Counter[str] = Counter()
    seconds = 0.0
    for each in store.videos.reports():
        if not each.decoded:
            continue
        seconds += each.seconds
        sums.update(
            videos=1,
            decoded=each.decoded,
            thinned=each.thinned,
            analysed=each.analysed,
            still=each.still,
            repeated=each.repeated,
            windows=len(each.windows),
        )
    return VideoTotals(seconds=seconds, **sums)


def _result(store: Store, row: Row) -> ItemResult:
    video = row.kind == VIDEO
    first = next(store.videos.samples(row.number), None) if video else None
    width, height, model = row.width, row.height, row.model
    if first is not None:
        width, height, model = first.own_width, first.own_height, first.model
    return ItemResult(
        path=row.path.decode("utf-8", "replace"),
        ok=row.state is State.OK,
        detections=list(placed(store, row.number)) if video else json.loads(row.detections),
        width=width,
        height=height,
        model=model,
        reason=row.reason,
        error=row.error,
        kind=row.kind,
        cached=bool(row.cached),
        presences=tuple(present(store, row.number)) if video else (),
    )
