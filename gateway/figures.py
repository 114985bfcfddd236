"""The figures of the cards: from Prometheus when it answers, else what the gateway itself knows; marked, one by one."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from contract.api.figures import (
    AlertsView,
    AlertView,
    HistoryView,
    LatencyView,
    MetricsView,
    NodeFiguresView,
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
from gateway.times import parse_time

POINTS = 180
MIN_STEP = 5
DESCRIBED = 10
T = TypeVar("T")


class FigureBoard:
    """Answers /api/metrics, /api/metrics/history and /api/alerts. `connected` tells whether results can arrive."""

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
        self._alerts: SharedAnswer[list[AlertView]] | None = None
        self._ranges: dict[int, SharedAnswer[HistoryView | None]] = {}
        if prometheus is not None:
            self._now = SharedAnswer(lambda: _ask(prometheus))
            self._alerts = SharedAnswer(lambda: _ask_alerts(prometheus))

    async def metrics(self) -> MetricsView:
        """The figures now."""
        asked = _Asked()
        if self._now is not None:
            with contextlib.suppress(PrometheusError):
                asked = await self._now.get()
        wall, now = time.time(), time.monotonic()
        own = self._own.figures(wall)
        connected = self._connected()
        sources: dict[str, Source] = {}

        def choose(name: str, fallback: float | None) -> float | None:
            sources[name] = "prometheus" if name in asked.values else "gateway"
            return asked.values.get(name, fallback)

        live = [view for view in self._nodes.views(now) if view.state != "lost"]
        latency = own.latency
        if "p95" in asked.values:
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
                latency="prometheus" if "p95" in asked.values else "gateway",
                nodes="prometheus" if asked.by_label.get("fps") else "gateway",
                **sources,
            ),
            time=wall,
            notices=self._notices(),
            canary=self._canary(),
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

    async def alerts(self) -> AlertsView:
        """Pending and firing alerts, or why there are none to be had."""
        if self._alerts is None:
            return AlertsView([], "none", "no Prometheus is set up: PROMETHEUS_URL is empty")
        try:
            return AlertsView(await self._alerts.get(), "prometheus")
        except PrometheusError as error:
            return AlertsView([], "none", str(error))

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


async def _ask(prometheus: Prometheus) -> _Asked:
    asked = _Asked()
    single = [prometheus.query(expression) for expression in promql.FIGURES.values()]
    labelled = [prometheus.query(expression) for _, expression in promql.BY_LABEL.values()]
    answers = await _gather(*single, *labelled)
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


async def _ask_alerts(prometheus: Prometheus) -> list[AlertView]:
    views = [
        AlertView(
            name=alert.labels.get("alertname", ""),
            severity=alert.labels.get("severity", ""),
            state="firing" if alert.state == "firing" else "pending",
            summary=alert.annotations.get("summary") or alert.annotations.get("description") or "",
            since=_unix(alert.activeAt),
            description=alert.annotations.get("description", ""),
            runbook=alert.annotations.get("runbook_url", ""),
        )
        for alert in await prometheus.alerts()
    ]
    # Prometheus has no order of its own: what is shown first stays first.
    return list(
        _described(sorted(views, key=lambda view: (view.state != "firing", view.name, view.description)))
    )


def _described(views: Iterable[AlertView]) -> Iterator[AlertView]:
    """The same, with the descriptions of the first few of a rule: those of a thousand cameras are half a megabyte."""
    told: Counter[tuple[str, str, str]] = Counter()
    for view in views:
        kind = (view.name, view.severity, view.state)
        told[kind] += 1
        yield view if told[kind] <= DESCRIBED else replace(view, description="")


async def _gather(*questions: Awaitable[T]) -> list[T]:
    """All answers, or the first error once every question is settled."""
    answers = await asyncio.gather(*questions, return_exceptions=True)
    good: list[T] = []
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
        good.append(answer)
    return good


def _unix(text: str) -> float | None:
    """An RFC 3339 time with any number of decimals, as Unix seconds."""
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        return None
