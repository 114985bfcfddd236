"""Alerts, the rules that they come of, what silences them, and what to do about them."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True, frozen=True)
class AlertView:
    """An alert, as its rule tells of it: `description` is what it is about and what to do, with the first ten of a
    rule, else empty; `runbook` where more is said (`/api/runbooks/{name}` has the text).
    """

    name: str
    severity: str
    state: Literal["firing", "pending"]
    summary: str
    since: float | None
    description: str
    runbook: str
    labels: dict[str, str] = field(default_factory=dict)
    """What it is about: its labels without the name and the severity, `camera_id` or `node_id` among them."""
    value: float | None = None
    """The value of its expression, null for what is no number."""
    silenced_by: list[str] = field(default_factory=list)
    """The ids of the silences that keep it from being sent; empty: none does, or Alertmanager is not asked."""


@dataclass(slots=True, frozen=True)
class SilenceView:
    """A silence of Alertmanager: until `ends` what matches is not sent."""

    id: str
    matchers: list[str]
    comment: str
    created_by: str
    starts: float | None
    ends: float | None


@dataclass(slots=True, frozen=True)
class AlertsView:
    items: list[AlertView]
    source: Literal["prometheus", "none"]
    error: str | None = None
    since: float | None = None
    """Since when nothing is known, Unix seconds; null while Prometheus answers, or where none is set up."""
    evaluated: bool = True
    """False: Prometheus answers, and FramefleetWatchdog, which always fires, does not: the rules are not evaluated."""
    silences: list[SilenceView] = field(default_factory=list)
    silences_error: str | None = None
    """Why silences are not known; null: they are."""


@dataclass(slots=True, frozen=True)
class AlertRuleView:
    """A rule, as Prometheus has loaded it. `expression` is PromQL, `description` a template."""

    name: str
    group: str
    severity: str
    state: Literal["firing", "pending", "inactive", "unknown"]
    summary: str
    description: str
    runbook: str
    expression: str
    for_seconds: float
    evaluated: float | None
    """When it was evaluated last."""
    error: str | None
    """Why it could not be."""


@dataclass(slots=True, frozen=True)
class AlertRulesView:
    items: list[AlertRuleView]
    source: Literal["prometheus", "none"]
    error: str | None = None


@dataclass(slots=True, frozen=True)
class RunbookView:
    """What to do about the alert of that name: Markdown, as in docs/runbooks."""

    name: str
    text: str
