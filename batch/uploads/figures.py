"""A job's figures, out of its books: often those that are cheap, rarely those for which all items are looked
through."""

import time
from collections import Counter

from batch.progress import Progress
from batch.store import State, Store
from batch.uploads.messages import JobFigures

REST = 20.0
"""So many times as long as it took, nothing is looked through again."""
SECONDS = 2.0


class FigureTeller:
    """Figures of the job whose books `store` has; None: there are none. `retried` before this run."""

    def __init__(self, store: Store | None, retried: int) -> None:
        self._store = store
        self._before = retried
        self._looked = float("-inf")
        self._rest = 0.0
        self._thorough = JobFigures()
        self.last = JobFigures(retried=retried)

    def figures(self, progress: Progress | None, under_way: Counter[str]) -> JobFigures:
        """The figures now; `progress` None: those at the end. `under_way`: pictures of videos that are being read."""
        if self._store is None:
            return self.last
        now = time.monotonic()
        if progress is None or now - self._looked >= max(SECONDS, self._rest):
            self._thorough = self._look(self._store)
            self._looked, self._rest = time.monotonic(), REST * (time.monotonic() - now)
        counts, base = self._store.counts(), self._thorough
        self.last = JobFigures(
            items=sum(counts.values()),
            ok=counts[State.OK],
            failed=counts[State.FAILED],
            retried=self._before + progress.retries if progress is not None else self.last.retried,
            rate=round(progress.rate, 3) if progress is not None else 0.0,
            # What a video that is being read will come to, nobody knows.
            eta=progress.seconds_left if progress is not None and not under_way else None,
            note=progress.note if progress is not None else None,
            videos=base.videos,
            decoded=base.decoded + under_way.total(),
            skipped=base.skipped + under_way["still"],
            reused=base.reused + under_way["repeated"],
            computed=base.computed + under_way["analysed"],
            reasons=base.reasons,
            p50=base.p50,
            p95=base.p95,
            p99=base.p99,
        )
        return self.last

    @staticmethod
    def _look(store: Store) -> JobFigures:
        sums: Counter[str] = Counter()
        for each in store.videos.reports():
            sums.update(
                decoded=each.decoded,
                skipped=each.thinned + each.still,
                reused=each.repeated,
                computed=each.analysed,
            )
        p50, p95, p99 = store.quantiles((0.5, 0.95, 0.99))
        return JobFigures(
            videos=store.videos.count(),
            reasons=store.reasons(),
            p50=p50,
            p95=p95,
            p99=p99,
            decoded=sums["decoded"],
            skipped=sums["skipped"],
            reused=sums["reused"],
            computed=sums["computed"],
        )
