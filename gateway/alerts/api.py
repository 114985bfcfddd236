"""Questions about alerts: what fires, which rules there are, what to do."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from contract.api.alerts import AlertRulesView, AlertsView, RunbookView
from gateway.alerts.board import AlertBoard
from gateway.alerts.runbooks import NAME, NoRunbook, runbook
from gateway.http.documentation import answer, answers, errors
from gateway.http.problems import json_response, problem

NO_WORKERS: dict[str, Any] = {
    "name": "FramefleetNoWorkers",
    "severity": "critical",
    "summary": "Every worker is gone; frames wait and no results come",
    "description": "`docker compose ps -a cv-worker` says why they ended; `docker compose up -d` starts them.",
    "runbook": "docs/runbooks/FramefleetNoWorkers.md",
}
NOBODY = "no Alertmanager is set up: ALERTMANAGER_URL is empty"
ALERTS: dict[str, Any] = {
    "items": [
        {
            **NO_WORKERS,
            "state": "firing",
            "since": 1795215900.0,
            "labels": {"job": "cv-worker"},
            "value": 1.0,
            "silenced_by": [],
        }
    ],
    "source": "prometheus",
    "error": None,
    "since": None,
    "evaluated": True,
    "silences": [],
    "silences_error": NOBODY,
}
SILENCE: dict[str, Any] = {
    "id": "6f2f3c6e-0d3f-4b5a-9b1e-0a1b2c3d4e5f",
    "matchers": ["alertname=FramefleetCameraDown", "camera_id=~gate-.*"],
    "comment": "new cables at the gates",
    "created_by": "kim",
    "starts": 1795212000.0,
    "ends": 1795226400.0,
}
SILENCED: dict[str, Any] = {
    **ALERTS,
    "items": [{**ALERTS["items"][0], "silenced_by": [SILENCE["id"]]}],
    "silences": [SILENCE],
    "silences_error": None,
}
UNKNOWN: dict[str, Any] = {
    **ALERTS,
    "items": [],
    "source": "none",
    "error": "Prometheus cannot be reached: Connection refused",
    "since": 1795215980.0,
    "evaluated": False,
}
RULES: dict[str, Any] = {
    "items": [
        {
            **NO_WORKERS,
            "group": "workers",
            "state": "inactive",
            "expression": 'absent(up{job="cv-worker"} == 1)',
            "for_seconds": 30.0,
            "evaluated": 1795215998.0,
            "error": None,
        }
    ],
    "source": "prometheus",
    "error": None,
}
RUNBOOK = {
    "name": "FramefleetNoWorkers",
    "text": "# FramefleetNoWorkers\n\n## What it means\n\nEvery worker is gone.",
}


def alerts_router(board: AlertBoard) -> APIRouter:
    """Routes under /api that tell of alerts and change nothing."""
    router = APIRouter(prefix="/api", tags=["Alerts"])

    @router.get(
        "/alerts",
        response_model=AlertsView,
        responses=answers(
            "The alerts.",
            {"one fires": ALERTS, "it is silenced": SILENCED, "Prometheus does not answer": UNKNOWN},
        ),
        operation_id="list_alerts",
        summary="List alerts",
    )
    async def alerts() -> Response:
        """Prometheus' firing and pending alerts, firing ones first. `source` none: nothing is known, `error` says why
        and `since` since when; `evaluated` false: Prometheus does not evaluate the rules. Silences are Alertmanager's,
        where ALERTMANAGER_URL is set.
        """
        return json_response(await board.alerts())

    @router.get(
        "/alerts/rules",
        response_model=AlertRulesView,
        responses=answer("The rules.", RULES),
        operation_id="list_alert_rules",
        summary="List rules of alerts",
    )
    async def rules() -> Response:
        """All that Prometheus has loaded, by group, with the state of each and its expression."""
        return json_response(await board.rules())

    @router.get(
        "/runbooks/{name}",
        response_model=RunbookView,
        responses=answer("The runbook.", RUNBOOK) | errors({404: "there is no runbook FramefleetNothing"}),
        operation_id="get_runbook",
        summary="Runbook of an alert",
    )
    async def text(
        name: Annotated[
            str, Path(pattern=f"^{NAME}$", description="an alert's name", examples=["FramefleetNoWorkers"])
        ],
    ) -> Response:
        """What it means, how to confirm it, what to do, how to know that it is over: Markdown, as in docs/runbooks."""
        try:
            return json_response(RunbookView(name, await run_in_threadpool(runbook, name)))
        except NoRunbook as error:
            return problem(404, "not_found", str(error))

    return router
