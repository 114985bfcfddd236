"""The figures of the cards: from Prometheus when it answers, else what the gateway itself knows; marked, one by one."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from contract.api.figures import (
    HistoryView,
    LatencyView,
    MetricsView,
    NodeFiguresView,
    PrometheusStateView,
    Source,
    SourcesView,
)
from gateway import statistics
from gateway.errors import PrometheusError
from gateway.nodes import Nodes
from gateway.prometheus import promql
from gateway.prometheus.client import Prometheus
from gateway.prometheus.shared_answer import SharedAnswer
from gateway.statistics import Statistics

POINTS = 180
MIN_STEP = 5
T = TypeVar("T")


class FigureBoard:
    """Answers /api/metrics and /api/metrics/history. `connected` tells whether results can arrive."""

    def __init__(
        self,
        prometheus: Prometheus | None,
        own: Statistics,
        nodes: Nodes,
        *,
        connected: Callable[[], bool],
        waiting: Callable[[], int | None],
        notices: Callable[[], list[str]] = list,
        canary: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._prometheus = prometheus
        self._own = own
        self._nodes = nodes
        self._connected = connected
        self._waiting = waiting
        self._notices = notices
        self._canary = canary
        self._now: SharedAnswer[_Asked] | None = None
        self._ranges: dict[int, SharedAnswer[HistoryView | None]] = {}
        if prometheus is not None:
            self._now = SharedAnswer(lambda: _ask(prometheus))

    async def metrics(self) -> MetricsView:
        """The figures now."""
        asked, away = _Asked(), None
        if self._now is not None:
            try:
                asked = await self._now.get()
            except PrometheusError as error:
                away = str(error)
        wall, now = time.time(), time.monotonic()
        own = self._own.figures(wall)
        connected = self._connected()
        sources: dict[str, Source] = {}
        # A Prometheus that has been away knows some seconds of the minute, and the gateway all of them.
        partly = not asked.whole and connected and self._own.whole(wall)

        def known(name: str) -> bool:
            return name in asked.values and not (partly and name in promql.OF_A_MINUTE)

        def choose(name: str, fallback: float | None) -> float | None:
            sources[name] = "prometheus" if known(name) else "gateway"
            return asked.values[name] if known(name) else fallback

        live = [view for view in self._nodes.views(now) if view.state != "lost"]
        latency = own.latency
        if known("p95"):
            latency = LatencyView(*(asked.values.get(name) for name in ("p50", "p95", "p99")))
        return MetricsView(
            processingRate=choose("processingRate", own.rate if connected else None),
            avgLatency=choose("avgLatency", own.mean),
            queueDepth=choose("queueDepth", self._waiting()),
            latency=latency,
            notComputed=choose("notComputed", own.not_computed),
            errors=choose("errors", own.errors if connected else None),
            failedByReason={
                k: v for k, v in asked.by_label.get("failedByReason", {}).items() if v is not None
            },
            nodes=[
                NodeFiguresView(
                    node_id=view.node_id,
                    fps=asked.by_label.get("fps", {}).get(view.node_id, view.fps),
                    busy=asked.by_label.get("busy", {}).get(view.node_id, view.busy),
                    p95=asked.by_label.get("nodeP95", {}).get(view.node_id, own.node_p95.get(view.node_id)),
                )
                for view in live
            ],
            workers=len(live),
            starting=self._own.starting(wall),
            source=SourcesView(
                latency="prometheus" if known("p95") else "gateway",
                nodes="prometheus" if asked.by_label.get("fps") else "gateway",
                **sources,
            ),
            time=wall,
            notices=self._notices(),
            canary=self._canary(),
            prometheus=None if self._now is None else PrometheusStateView(away, self._now.failing_since),
        )

    async def history(self, seconds: int) -> HistoryView:
        """The last `seconds`, in about 180 steps."""
        step = max(MIN_STEP, -(-seconds // POINTS))
        if self._prometheus is not None:
            try:
                answer = await self._range(self._prometheus, seconds, step).get()
                if answer is not None:
                    return answer
            except PrometheusError:
                pass
        seconds = min(seconds, statistics.KEPT_SECONDS)
        return HistoryView(
            step, "gateway", self._own.series(seconds, step, time.time()), dict(promql.HISTORY)
        )

    def _range(self, prometheus: Prometheus, seconds: int, step: int) -> SharedAnswer[HistoryView | None]:
        kept = self._ranges.get(seconds)
        if kept is None:
            if len(self._ranges) >= 16:
                del self._ranges[next(iter(self._ranges))]
            kept = self._ranges[seconds] = SharedAnswer(lambda: _ask_range(prometheus, seconds, step))
        return kept


class _Asked:
    """What Prometheus answered: a name is absent if it had no series for it."""

    def __init__(self) -> None:
        self.values: dict[str, float | None] = {}
        self.by_label: dict[str, dict[str, float | None]] = {}
        self.whole = False
        """It has seen all of the last minute."""


async def _ask(prometheus: Prometheus) -> _Asked:
    asked = _Asked()
    single = [prometheus.query(expression) for expression in promql.FIGURES.values()]
    labelled = [prometheus.query(expression) for _, expression in promql.BY_LABEL.values()]
    *answers, whole = await _gather(*single, *labelled, prometheus.query(promql.WHOLE_MINUTE))
    asked.whole = bool(whole)
    for name, series in zip(promql.FIGURES, answers, strict=False):
        if series:
            asked.values[name] = series[0][1]
    for (name, (label, _)), series in zip(promql.BY_LABEL.items(), answers[len(single) :], strict=True):
        asked.by_label[name] = {labels.get(label, ""): value for labels, value in series}
    return asked


async def _ask_range(prometheus: Prometheus, seconds: int, step: int) -> HistoryView | None:
    """Ask for the figures over time; None if Prometheus has no rate to show yet."""
    end = time.time() // step * step
    answers = await _gather(
        *(prometheus.query_range(q, end - seconds, end, step) for q in promql.HISTORY.values())
    )
    series = dict(zip(promql.HISTORY, answers, strict=True))
    return HistoryView(step, "prometheus", series, dict(promql.HISTORY)) if series["processingRate"] else None


async def _gather(*questions: Awaitable[T]) -> list[T]:
    """All answers, or the first error once every question is settled."""
    answers = await asyncio.gather(*questions, return_exceptions=True)
    good: list[T] = []
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
        good.append(answer)
    return good
