"""The browser's contract as an OpenAPI document, from which the dashboard's types and readers are generated."""

import inspect
from typing import Any

import msgspec
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from contract.api.alerts import AlertRulesView, AlertsView, RunbookView
from contract.api.attendance import AttendanceView
from contract.api.cameras import CameraDetailView, CamerasView, StateChangesView
from contract.api.dead_letters import (
    DeadLetterDetailView,
    DeadLetterGroupsView,
    DeadLetterOperationsView,
    DeadLettersView,
)
from contract.api.figures import HistoryView, MetricsView
from contract.api.history import ActivityView, EventCountView, EventsSeenView, EventsView, FrameView
from contract.api.jobs import ClientJobsView, JobItemsView, JobsView, JobTimelineView, JobUploadsView, JobView
from contract.api.models import ModelsView
from contract.api.nodes import NodesView
from contract.api.objectives import ServiceObjectivesView
from contract.api.queues import QueuesView
from contract.api.remote import RemoteView
from contract.api.senders import SendersView
from contract.api.service import LinkView, ProblemView, PrometheusView, SessionView, StatusView
from contract.api.why import WhyView
from contract.browser import ClientMessage, GoneCamera, PictureHead, ServerMessage

ANSWERS: tuple[type, ...] = (
    *(StatusView, SessionView, LinkView, ProblemView, PrometheusView),
    *(CamerasView, CameraDetailView, StateChangesView, NodesView, ModelsView, SendersView, RemoteView),
    *(MetricsView, HistoryView, ServiceObjectivesView, AttendanceView),
    *(AlertsView, AlertRulesView, RunbookView),
    *(EventsView, EventCountView, EventsSeenView),
    *(ActivityView, FrameView, WhyView),
    *(JobsView, ClientJobsView, JobView, JobItemsView, JobTimelineView, JobUploadsView),
    *(DeadLettersView, DeadLetterGroupsView, DeadLetterDetailView, DeadLetterOperationsView, QueuesView),
)
MESSAGES = (ServerMessage, GoneCamera, PictureHead, ClientMessage)
WHERE = "#/components/schemas/"


def answer_schemas() -> dict[str, Any]:
    """Return the JSON Schemas of all answers to HTTP requests, by name."""
    adapters: list[tuple[type, JsonSchemaMode, TypeAdapter[Any]]] = [
        (answer, "serialization", TypeAdapter(answer)) for answer in ANSWERS
    ]
    _, schemas = TypeAdapter.json_schemas(adapters, ref_template=f"{WHERE}{{model}}")
    answers: dict[str, Any] = schemas["$defs"]
    return answers


def message_schemas() -> dict[str, Any]:
    """Return the JSON Schemas of all messages on the dashboard's WebSocket, by name."""
    _, schemas = msgspec.json.schema_components(MESSAGES, ref_template=f"{WHERE}{{name}}")
    messages: dict[str, Any] = _portable(schemas)
    return messages


def document() -> dict[str, Any]:
    """Return the document: all shapes, no paths. The gateway serves one with its paths (GET /api/openapi.json)."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Framefleet: what the gateway and browsers say to each other", "version": "1"},
        "paths": {},
        "components": {"schemas": message_schemas() | answer_schemas()},
    }


def _portable(schema: Any) -> Any:
    """Return the schema without Python's peculiarities: indented docstrings, and `\\Z`, which is `$` elsewhere."""
    if isinstance(schema, list):
        return [_portable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _portable(value) for name, value in schema.items()}
    for name, mended in (("pattern", _portable_pattern), ("description", inspect.cleandoc)):
        if isinstance(made.get(name), str):
            made[name] = mended(made[name])
    return made


def _portable_pattern(pattern: str) -> str:
    return pattern.replace(r"\Z", "$")
