"""Objectives as the gateway tells them, from series that may be missing, repeated or of somebody else."""

from typing import Any

import pytest

from contract.api.objectives import ServiceObjectiveView
from gateway.prometheus.objectives import BURN, DAYS, FAILED, LEFT, MOST, OBJECTIVE, Vector, views

DAY = 86_400.0


def series(name: str = "freshness", **figures: float | None) -> Vector:
    names = {"objective": OBJECTIVE, "days": DAYS, "burn": BURN, "left": LEFT, "failed": FAILED}
    return [({"__name__": names[each], "sloth_slo": name}, value) for each, value in figures.items()]


def known(seconds: float, name: str = "freshness") -> Vector:
    return [({"sloth_slo": name}, seconds)]


WHOLE = series(objective=0.99, days=30.0, burn=0.5, left=0.4, failed=0.006)


def test_a_month_of_figures_is_told() -> None:
    assert views(WHOLE, known(20 * DAY)) == [
        ServiceObjectiveView(
            name="freshness",
            objective=0.99,
            window_days=30.0,
            known_seconds=20 * DAY,
            sli=0.994,
            error_budget_remaining=0.4,
            burn_rate=0.5,
        )
    ]


@pytest.mark.parametrize(
    "since", [[], known(0.0), known(DAY - 1), known(-5.0), [({"sloth_slo": "freshness"}, None)]]
)
def test_of_less_than_a_day_only_the_burn_rate_is_told(since: Vector) -> None:
    (view,) = views(WHOLE, since)
    assert (view.sli, view.error_budget_remaining, view.burn_rate) == (None, None, 0.5)
    assert 0 <= view.known_seconds < DAY


def test_what_is_not_recorded_is_not_known() -> None:
    (view,) = views(series(objective=0.9, burn=None, left=None), known(2 * DAY))
    assert (view.window_days, view.sli, view.error_budget_remaining, view.burn_rate) == (
        30.0,
        None,
        None,
        None,
    )


ODD: list[Vector] = [
    [],
    series(left=0.5, burn=1.0),
    series(objective=None),
    series(objective=0.0),
    series(objective=1.0),
    series(objective=99.0),
    series(name="", objective=0.99),
    [({"__name__": OBJECTIVE}, 0.99)],
    [({"sloth_slo": "freshness"}, 0.99)],
]


@pytest.mark.parametrize("figures", ODD)
def test_what_promises_nothing_is_no_objective(figures: Vector) -> None:
    assert views(figures, known(2 * DAY)) == []


def test_of_two_the_worse_is_told() -> None:
    other: dict[str, Any] = {"objective": 0.999, "burn": 3.0, "left": -0.2, "failed": 0.5}
    for figures in (WHOLE + series(**other), series(**other) + WHOLE):
        (view,) = views(figures, known(2 * DAY))
        assert (view.objective, view.burn_rate, view.error_budget_remaining, view.sli) == (
            0.99,
            3.0,
            -0.2,
            0.5,
        )


def test_they_are_bounded_and_in_order() -> None:
    figures = [each for at in range(MOST + 20, 0, -1) for each in series(f"o{at:03}", objective=0.9)]
    names = [view.name for view in views(figures, [])]
    assert (names, len(names)) == (sorted(names), MOST)
