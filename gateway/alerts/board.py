"""What fires, by Prometheus; what of it is silenced, by Alertmanager; and the rules that there are."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from contract.api.alerts import AlertRulesView, AlertRuleView, AlertsView, AlertView, SilenceView
from gateway.alerts.alertmanager import Alertmanager, Held, Silence
from gateway.errors import AlertmanagerError, PrometheusError
from gateway.prometheus.client import Alert, AlertRule, Prometheus, number
from gateway.prometheus.shared_answer import SharedAnswer
from gateway.times import parse_time

DESCRIBED = 10
ABOUT = ("camera_id", "node_id")
"""The labels that are told of all alerts: the page leads to these cameras and workers."""
WATCHDOG = "FramefleetWatchdog"
"""Always fires, so that whoever does not hear of it knows that nothing is evaluated."""
NO_PROMETHEUS = "no Prometheus is set up: PROMETHEUS_URL is empty"
NO_ALERTMANAGER = "no Alertmanager is set up: ALERTMANAGER_URL is empty"
MOST_SILENCES = 200


@dataclass(frozen=True, slots=True)
class _Silencing:
    """What Alertmanager says, or why it says nothing."""

    silences: Sequence[Silence] = ()
    held: Sequence[Held] = ()
    error: str | None = None


class AlertBoard:
    """Answers /api/alerts and /api/alerts/rules. Many dashboards ask: each question is asked once for all of them."""

    def __init__(self, prometheus: Prometheus | None, alertmanager: Alertmanager | None) -> None:
        self._alerts: SharedAnswer[list[Alert]] | None = None
        self._rules: SharedAnswer[list[AlertRuleView]] | None = None
        self._silencing: SharedAnswer[_Silencing] | None = None
        if prometheus is not None:
            self._alerts = SharedAnswer(prometheus.alerts)
            self._rules = SharedAnswer(lambda: _ask_rules(prometheus))
        if alertmanager is not None:
            self._silencing = SharedAnswer(lambda: _ask_silences(alertmanager))

    async def alerts(self) -> AlertsView:
        """Pending and firing alerts, or why none are known."""
        if self._alerts is None:
            return AlertsView([], "none", NO_PROMETHEUS, silences_error=NO_ALERTMANAGER)
        silencing = await self._silences()
        silences = [_silence(each) for each in silencing.silences[:MOST_SILENCES]]
        try:
            alerts = await self._alerts.get()
        except PrometheusError as error:
            return AlertsView(
                [],
                "none",
                str(error),
                self._alerts.failing_since or time.time(),
                False,
                silences,
                silencing.error,
            )
        return AlertsView(
            _views(alerts, silencing.held),
            "prometheus",
            evaluated=any(each.labels.get("alertname") == WATCHDOG for each in alerts),
            silences=silences,
            silences_error=silencing.error,
        )

    async def rules(self) -> AlertRulesView:
        """All rules of alerts, by group."""
        if self._rules is None:
            return AlertRulesView([], "none", NO_PROMETHEUS)
        try:
            return AlertRulesView(await self._rules.get(), "prometheus")
        except PrometheusError as error:
            return AlertRulesView([], "none", str(error))

    async def _silences(self) -> _Silencing:
        if self._silencing is None:
            return _Silencing(error=NO_ALERTMANAGER)
        try:
            return await self._silencing.get()
        except PrometheusError:  # it did not answer in time
            return _Silencing(error="Alertmanager did not answer in time")


async def _ask_silences(alertmanager: Alertmanager) -> _Silencing:
    try:
        return _Silencing(await alertmanager.silences(), await alertmanager.silenced())
    except AlertmanagerError as error:
        return _Silencing(error=str(error))


async def _ask_rules(prometheus: Prometheus) -> list[AlertRuleView]:
    groups = await prometheus.alert_rules()
    return [_rule(rule, group.name) for group in groups for rule in group.rules]


def _rule(rule: AlertRule, group: str) -> AlertRuleView:
    state = next((each for each in ("firing", "pending", "inactive") if each == rule.state), None)
    return AlertRuleView(
        name=rule.name,
        group=group,
        severity=rule.labels.get("severity", ""),
        state=state or "unknown",
        summary=rule.annotations.get("summary", ""),
        description=rule.annotations.get("description", ""),
        runbook=rule.annotations.get("runbook_url", ""),
        expression=rule.query,
        for_seconds=rule.duration,
        evaluated=_unix(rule.lastEvaluation),
        error=rule.lastError or None,
    )


def _views(alerts: Sequence[Alert], held: Sequence[Held]) -> list[AlertView]:
    silenced = _Silenced(held)
    views = [
        AlertView(
            name=alert.labels.get("alertname", ""),
            severity=alert.labels.get("severity", ""),
            state="firing" if alert.state == "firing" else "pending",
            summary=alert.annotations.get("summary") or alert.annotations.get("description") or "",
            since=_unix(alert.activeAt),
            description=alert.annotations.get("description", ""),
            runbook=alert.annotations.get("runbook_url", ""),
            labels={k: v for k, v in alert.labels.items() if k not in ("alertname", "severity")},
            value=number(alert.value),
            silenced_by=silenced.by(alert.labels),
        )
        for alert in alerts
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
        if told[kind] <= DESCRIBED:
            yield view
        else:
            about = {name: value for name, value in view.labels.items() if name in ABOUT}
            yield replace(view, description="", labels=about)


class _Silenced:
    """Finds an alert of Prometheus among those of Alertmanager, which may have Prometheus' external labels besides."""

    def __init__(self, held: Sequence[Held]) -> None:
        self._held = held
        self._by_names: dict[frozenset[str], dict[frozenset[tuple[str, str]], list[str]]] = {}

    def by(self, labels: dict[str, str]) -> list[str]:
        """The ids of the silences that hold it back."""
        if not self._held:
            return []
        names = frozenset(labels)
        found = self._by_names.get(names)
        if found is None:  # a thousand alerts of a rule have the same names
            found = self._by_names[names] = {}
            for each in self._held:
                key = frozenset((k, v) for k, v in each.labels.items() if k in names)
                found[key] = each.status.silencedBy
        return list(found.get(frozenset(labels.items()), ()))


def _silence(silence: Silence) -> SilenceView:
    return SilenceView(
        id=silence.id,
        matchers=[str(each) for each in silence.matchers],
        comment=silence.comment,
        created_by=silence.createdBy,
        starts=_unix(silence.startsAt),
        ends=_unix(silence.endsAt),
    )


def _unix(text: str) -> float | None:
    """An RFC 3339 time with any number of decimals, as Unix seconds; None for none, and for Go's zero time."""
    try:
        moment = parse_time(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment > 0 else None
