"""The service's objectives, from the recording rules that Prometheus keeps under Sloth's names."""

from fastapi import APIRouter
from starlette.responses import Response

from contract.api.objectives import ServiceObjectivesView, ServiceObjectiveView
from gateway.errors import PrometheusError
from gateway.http.documentation import answers
from gateway.http.problems import json_response
from gateway.prometheus.client import Prometheus
from gateway.prometheus.shared_answer import SharedAnswer

WINDOW_DAYS = 30.0
"""Of objectives that do not say theirs."""
DAY_SECONDS = 86_400.0
"""What is known of less than a day says nothing of a month: the budget is not told."""
MOST = 50
OURS = 'sloth_service="framefleet"'
OBJECTIVE = "slo:objective:ratio"
DAYS = "slo:time_period:days"
BURN = "slo:current_burn_rate:ratio"
LEFT = "slo:period_error_budget_remaining:ratio"
FAILED = "slo:sli_error:ratio_rate30d"
FIGURES = f'{{__name__=~"{OBJECTIVE}|{DAYS}|{BURN}|{LEFT}|{FAILED}",{OURS}}}'
KNOWN = f"time() - min_over_time(timestamp({OBJECTIVE}{{{OURS}}})[30d:1h])"
"""Since when the rules have been evaluated. By hourly looks: less than an hour is none."""

Vector = list[tuple[dict[str, str], float | None]]

GOOD = {
    "items": [
        {
            "name": "freshness",
            "objective": 0.99,
            "window_days": 30.0,
            "known_seconds": 1_209_600.0,
            "sli": 0.9967,
            "error_budget_remaining": 0.67,
            "burn_rate": 0.2,
        },
        {
            "name": "paint",
            "objective": 0.99,
            "window_days": 30.0,
            "known_seconds": 7_200.0,
            "sli": None,
            "error_budget_remaining": None,
            "burn_rate": None,
        },
    ],
    "source": "prometheus",
    "error": None,
}
AWAY = {"items": [], "source": "none", "error": "Prometheus cannot be reached: Connection refused"}


class ServiceObjectives:
    """Answers /api/objectives. `prometheus` is None where none is set up."""

    def __init__(self, prometheus: Prometheus | None) -> None:
        self._shared = None if prometheus is None else SharedAnswer(lambda: _ask(prometheus))

    async def view(self) -> ServiceObjectivesView:
        """The objectives by name, or why there are none."""
        if self._shared is None:
            return ServiceObjectivesView([], "none", "no Prometheus is set up: PROMETHEUS_URL is empty")
        try:
            return ServiceObjectivesView(await self._shared.get(), "prometheus")
        except PrometheusError as error:
            return ServiceObjectivesView([], "none", str(error))


def objectives_router(objectives: ServiceObjectives) -> APIRouter:
    """The route /api/objectives."""
    router = APIRouter(prefix="/api", tags=["Cluster"])

    @router.get(
        "/objectives",
        response_model=ServiceObjectivesView,
        responses=answers("The objectives.", {"as recorded": GOOD, "Prometheus does not answer": AWAY}),
        operation_id="list_objectives",
        summary="List objectives",
    )
    async def list_objectives() -> Response:
        """What is promised, and how much of each error budget is left, from Prometheus' recording rules. Null: not yet
        known; of less than a day only the burn rate is told. `source` none: `error` says why nothing is known.
        """
        return json_response(await objectives.view())

    return router


def views(figures: Vector, known: Vector) -> list[ServiceObjectiveView]:
    """The objectives among `figures`, by name. `known` has the seconds of which there are figures.

    What has no name or promises nothing between 0 and 1 is not an objective. Of several of one name the worst is told.
    """
    by_name: dict[str, dict[str, float]] = {}
    for labels, value in figures:
        if value is not None and (name := labels.get("sloth_slo", "")):
            found = by_name.setdefault(name, {})
            metric = labels.get("__name__", "")
            worse = min if metric in (LEFT, OBJECTIVE) else max
            found[metric] = worse(found.get(metric, value), value)
    since = {labels.get("sloth_slo", ""): value or 0.0 for labels, value in known}
    return [
        _view(name, found, max(0.0, since.get(name, 0.0)))
        for name, found in sorted(by_name.items())
        if 0 < found.get(OBJECTIVE, 0.0) < 1
    ][:MOST]


def _view(name: str, found: dict[str, float], known: float) -> ServiceObjectiveView:
    told = known >= DAY_SECONDS
    return ServiceObjectiveView(
        name=name,
        objective=found[OBJECTIVE],
        window_days=found.get(DAYS, WINDOW_DAYS),
        known_seconds=known,
        sli=1 - found[FAILED] if told and FAILED in found else None,
        error_budget_remaining=found.get(LEFT) if told else None,
        burn_rate=found.get(BURN),
    )


async def _ask(prometheus: Prometheus) -> list[ServiceObjectiveView]:
    figures = await prometheus.query(FIGURES)
    return views(figures, await prometheus.query(KNOWN)) if figures else []
