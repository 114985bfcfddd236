"""`python -m cli.objectives`: the rules of the objectives, from deploy/prometheus/objectives.toml, under Sloth's names.

Prometheus could not read three days of a thousand cameras' counters at each evaluation. So errors and events per second
are recorded over five minutes, summed, and every longer window is the mean of what was recorded: of events, not of
ratios, so that a frame at night weighs as much as one by day.
"""

import sys
import textwrap
from pathlib import Path
from typing import Annotated

import msgspec

from cli.layout import CHECKOUT

SOURCE = CHECKOUT / "deploy" / "prometheus" / "objectives.toml"
TARGET = CHECKOUT / "deploy" / "prometheus" / "rules" / "objectives.yml"

SERVICE = "framefleet"
DAYS = 30
STEP = 60
"""Seconds between two records."""
SHORT = {"30m": 1800, "1h": 3600, "2h": 7200, "6h": 21600}
LONG = {"1d": 86400, "3d": 3 * 86400, f"{DAYS}d": DAYS * 86400}
"""Windows beyond the recorded five minutes, in seconds; the long ones change slowly and are computed less often."""

Pair = tuple[float, str, str]
BURNS: dict[str, tuple[str, tuple[Pair, Pair], str]] = {
    "critical": ("page", ((14.4, "5m", "1h"), (6, "30m", "6h")), "within two to five days"),
    "warning": ("ticket", ((3, "2h", "1d"), (1, "6h", "3d")), "within ten to thirty days"),
}
"""By severity: Sloth's word; how many times too fast, over a shorter and a longer window; how long the budget lasts."""

NOTE = """\
# Written by `make objectives` from deploy/prometheus/objectives.toml: change it there.
groups:
"""
IDS = """\
          sloth_id: {service}-{name}
          sloth_service: {service}
          sloth_slo: {name}
"""


class Objective(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One objective: the share of events that should go well, as PromQL for events and errors per second."""

    description: str
    objective: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    total: str
    errors: str
    floor: Annotated[int, msgspec.Meta(ge=0)]
    remedy: str

    @property
    def budget(self) -> float:
        """The share that may go wrong."""
        return round(1 - self.objective, 9)


def read(file: Path = SOURCE) -> dict[str, Objective]:
    """Objectives by name. Raises msgspec.ValidationError, with the field that is wrong."""
    return msgspec.toml.decode(file.read_bytes(), type=dict[str, Objective])


def text(objectives: dict[str, Objective]) -> str:
    """The whole file of rules."""
    events = [_events(name, objective) for name, objective in objectives.items()]
    facts = [_facts(name, objective) for name, objective in objectives.items()]
    alerts = [
        _alert(name, objective, severity) for name, objective in objectives.items() for severity in BURNS
    ]
    short = [_record("slo:sli_error:ratio_rate5m", _ratio("5m"), _label("5m")), *map(_window, SHORT)]
    groups = {
        "objectives": (f"{STEP}s", [*events, *short, *(_count(w, SHORT[w]) for w in ("1h", "6h"))]),
        "objectives-long": ("2m", [*map(_window, LONG), *(_count(w, LONG[w]) for w in ("1d", "3d"))]),
        "objectives-facts": (f"{STEP}s", [*facts, _burning()]),
        "objectives-burning": (f"{STEP}s", alerts),
    }
    return NOTE + "\n".join(
        f"  - name: {name}\n    interval: {interval}\n    rules:\n" + "\n".join(rules)
        for name, (interval, rules) in groups.items()
    )


def _record(name: str, expression: str, labels: str = "") -> str:
    lines = textwrap.indent(expression.strip(), " " * 10)
    return f"      - record: {name}\n        expr: |\n{lines}\n" + (labels and f"        labels:\n{labels}")


def _ids(name: str) -> str:
    return IDS.format(service=SERVICE, name=name)


def _label(window: str) -> str:
    return f"          sloth_window: {window}\n"


def _events(name: str, objective: Objective) -> str:
    """What is recorded for one objective; the difference of two sums may be rounded to just below zero."""
    errors = f"clamp_min(\n{textwrap.indent(objective.errors.strip(), '  ')},\n  0\n)"
    return "\n".join(
        (
            f"      # The objective is that {objective.description}.\n"
            + _record("framefleet:objective_events:rate5m", objective.total, _ids(name)),
            _record("framefleet:objective_errors:rate5m", errors, _ids(name)),
        )
    )


def _ratio(window: str) -> str:
    errors, events = "framefleet:objective_errors:rate5m", "framefleet:objective_events:rate5m"
    if window != "5m":
        errors, events = f"avg_over_time({errors}[{window}])", f"avg_over_time({events}[{window}])"
    return f"{errors} / ({events} > 0)"


def _window(window: str) -> str:
    return _record(f"slo:sli_error:ratio_rate{window}", _ratio(window), _label(window))


def _count(window: str, seconds: int) -> str:
    """How many events there were in a window, once half of it has been seen: the first minutes judge nothing."""
    events = f"framefleet:objective_events:rate5m[{window}]"
    return _record(
        f"framefleet:objective_events:count{window}",
        f"{STEP} * sum_over_time({events})\n  and\ncount_over_time({events}) > {seconds // STEP // 2}",
    )


def _facts(name: str, objective: Objective) -> str:
    info = f"          sloth_objective: {_percent(objective.objective)!r}\n".replace("'", '"')
    told = "".join(f"          sloth_{word}: {SERVICE}\n" for word in ("mode", "spec", "version"))
    return "\n".join(
        (
            _record("slo:objective:ratio", f"vector({objective.objective})", _ids(name)),
            _record("slo:error_budget:ratio", f"vector({objective.budget})", _ids(name)),
            _record("slo:time_period:days", f"vector({DAYS})", _ids(name)),
            _record("sloth_slo_info", "vector(1)", _ids(name) + info + told),
        )
    )


def _burning() -> str:
    budget = "\n  / on (sloth_id, sloth_slo, sloth_service) group_left ()\nslo:error_budget:ratio"
    return "\n".join(
        (
            _record("slo:current_burn_rate:ratio", "slo:sli_error:ratio_rate5m" + budget),
            _record("slo:period_burn_rate:ratio", f"slo:sli_error:ratio_rate{DAYS}d" + budget),
            _record("slo:period_error_budget_remaining:ratio", "1 - slo:period_burn_rate:ratio"),
        )
    )


def _alert(name: str, objective: Objective, severity: str) -> str:
    word, pairs, pace = BURNS[severity]
    which = f'sloth_id="{SERVICE}-{name}"'
    expression = "\n  or\n".join(
        f"(\n  max without (sloth_window) (slo:sli_error:ratio_rate{shorter}{{{which}}}) > {limit}\n"
        f"    and\n  max without (sloth_window) (slo:sli_error:ratio_rate{longer}{{{which}}}) > {limit}\n"
        f"    and\n  framefleet:objective_events:count{longer}{{{which}}} > {objective.floor}\n)"
        for burn, shorter, longer in pairs
        for limit in [f"{burn * objective.budget:.6g}"]
    )
    alert = f"Framefleet{name.capitalize()}Burning"
    description = (
        f"{{{{ $value | humanizePercentage }}}} fail the objective that {objective.description}; "
        f"{_percent(objective.budget)} % may. At this pace the error budget of {DAYS} days is used up {pace}. "
        + " ".join(objective.remedy.split())
    )
    return f"""\
      - alert: {alert}
        expr: |
{textwrap.indent(expression, " " * 10)}
        keep_firing_for: 2m
        labels:
          severity: {severity}
          sloth_severity: {word}
        annotations:
          summary: The error budget of {name} is used up too fast
          description: >-
{
        textwrap.fill(
            description,
            124,
            initial_indent=" " * 12,
            subsequent_indent=" " * 12,
            break_on_hyphens=False,
            break_long_words=False,
        )
    }
          runbook_url: docs/runbooks/{alert}.md
          dashboard_url: /d/framefleet-objectives
"""


def _percent(share: float) -> str:
    return f"{100 * share:.6g}"


if __name__ == "__main__":
    TARGET.write_text(text(read()))
    sys.stdout.write(f"{TARGET.relative_to(CHECKOUT)} is written\n")
