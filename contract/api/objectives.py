"""The service's objectives: what is promised, what was kept, and how fast the error budget burns."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True, frozen=True)
class ServiceObjectiveView:
    """Ratios are of all events of the window, 0 to 1; None where nothing is known yet."""

    name: str
    objective: float
    """The share of good events that is promised."""
    window_days: float
    known_seconds: float
    """Since when, within the window, Prometheus has had figures of it."""
    sli: float | None
    """The share of events that were good."""
    error_budget_remaining: float | None
    """Of the failures that the objective allows: 1 is all of them, 0 none, and below it the objective is missed."""
    burn_rate: float | None
    """Of the last minutes: at 1 the budget lasts exactly as long as the window."""


@dataclass(slots=True, frozen=True)
class ServiceObjectivesView:
    items: list[ServiceObjectiveView]
    source: Literal["prometheus", "none"]
    error: str | None = None
