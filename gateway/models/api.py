"""/api/models: which models the cluster has, which are desired, and switching while frames flow."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from contract.api.models import ModelsView
from contract.errors import InvalidModelSpec
from contract.identifiers import CAMERA_ID_SCHEMA
from contract.models import MAX_SPEC_LENGTH, MODEL_NAME_PATTERN, parse_model_spec
from contract.topology import Lane
from gateway.desired.refusals import refusal
from gateway.errors import CannotKeep, NotHeardYet, TooManyCameras
from gateway.http.documentation import answer, errors
from gateway.http.parameters import QueryParameters
from gateway.http.problems import json_response, problem
from gateway.model_costs import ModelCosts
from gateway.models.catalogue import models_view, unknown_models
from gateway.models.keeper import ModelKeeper
from gateway.nodes import Nodes
from gateway.security.access import asked_by
from runtime.logs import get_logger

log = get_logger("gateway")

DEFAULT = "default"
"""In place of a model: nothing is desired at this level, the next one decides."""

_NAME = MODEL_NAME_PATTERN.replace(r"\Z", "").removeprefix("^")
SPEC_PATTERN = rf"^\s*{_NAME}(\s*,\s*{_NAME}){{0,3}}\s*(:(all|best|vote)\s*)?$"
"""For the document; parse_model_spec says better what is wrong."""

EXAMPLE: dict[str, Any] = {
    "models": [
        {
            "name": "yunet",
            "task": "face",
            "licence": "MIT",
            "size": 229738,
            "benchmark": {
                "seconds": 0.00186,
                "faces_from": 24,
                "recall": 1.0,
                "surplus": 0.0,
                "machine": "one core of an AMD EPYC, pictures of 640x480, November 2026",
            },
            "digests": ["ebafce4e…"],
            "conflict": False,
            "loaded": 1,
            "states": {"a1b2": "loaded", "c3d4": "failed"},
            "errors": {"c3d4": "its file has the wrong SHA-256"},
        }
    ],
    "desired": {
        "revision": 1795216000123,
        "cluster": "yunet",
        "lanes": {"batch": "yunet,haar:vote"},
        "cameras": {"gate-3": "haar"},
    },
    "nodes": [
        {
            "node_id": "c3d4",
            "state": "running",
            "lane": "live",
            "model": "haar@0f7d4527",
            "wanted": "yunet",
            "desired": 1795216000123,
            "model_error": "its file has the wrong SHA-256",
            "settled": False,
            "todo": "it goes on with haar@0f7d4527 and tries again: its file has the wrong SHA-256",
        }
    ],
    "costs": [{"model": "haar@0f7d4527", "seconds": 0.0171, "frames": 500}],
    "last": {"lane": None, "camera": None, "before": "haar", "after": "yunet", "time": 1795216000.12},
    "settled": False,
    "settled_nodes": 1,
    "running_nodes": 2,
}
MODELS = answer("Models, what is desired, and how far each node is.", EXAMPLE)
REFUSALS = errors(
    {
        404: "no worker knows the model yunett: did you mean yunet? they know haar, yunet; others are added to "
        "models.toml in the workers' MODEL_DIR",
        422: "lane and camera at once: switch the one or the other",
        503: "no worker is there that could take it on: start one, or see /readyz if some do run",
    }
)


class LevelParameters(QueryParameters):
    """Whose model is meant: the cluster's, a lane's or a camera's."""

    lane: Lane | None = Field(None, description="only the workers of this lane; without lane and camera: all")
    camera: str | None = Field(None, pattern=CAMERA_ID_SCHEMA, description="only this camera's frames")


class SwitchParameters(LevelParameters):
    """What is desired."""

    model: str = Field(
        min_length=1,
        max_length=MAX_SPEC_LENGTH,
        description="a model, or several with all, best or vote; `default` clears what was desired here",
        json_schema_extra={"pattern": SPEC_PATTERN},
        examples=["yunet", "yunet,haar:vote", DEFAULT],
    )


def models_router(models: ModelKeeper, nodes: Nodes, costs: ModelCosts) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/models", tags=["Models"])

    def view() -> Response:
        now = time.monotonic()
        heard = nodes.views(now), nodes.statuses(now)
        return json_response(models_view(models.desired, *heard, costs.views(), models.last))

    async def switch(request: Request, spec: str | None, level: LevelParameters) -> Response:
        lane, camera = level.lane, level.camera
        if lane is not None and camera is not None:
            return problem(422, "bad_data", "lane and camera at once: switch the one or the other")
        try:
            await models.switch(spec, lane=lane, camera_id=camera)
        except TooManyCameras as error:
            return problem(422, "bad_data", f"{error}: switch their lane or the cluster, or clear some")
        except (CannotKeep, NotHeardYet) as error:
            return refusal(error)
        log.info(
            "models switched",
            model=spec or DEFAULT,
            lane=lane,
            camera_id=camera,
            **asked_by(request.scope),
        )
        return view()

    @router.get(
        "/available",
        response_model=ModelsView,
        responses=MODELS,
        operation_id="list_models",
        summary="List models",
    )
    async def available() -> Response:
        """The models that live workers know, what is desired, and how far each worker is with that."""
        return view()

    @router.post(
        "/switch",
        response_model=ModelsView,
        responses=MODELS | REFUSALS,
        operation_id="switch_model",
        summary="Desire a model",
    )
    async def switch_model(
        request: Request,
        asked: Annotated[SwitchParameters, Query()],
    ) -> Response:
        """Desire a model of the cluster, a lane or a camera. Workers load it beside the old one and then switch.

        Kept, and taken on by workers that join or come back. `nodes` of the answer says what each has still to do.
        """
        if asked.model.strip() == DEFAULT:
            return await switch(request, None, asked)
        try:
            spec = parse_model_spec(asked.model)
        except InvalidModelSpec as error:
            return problem(422, "bad_data", f"model: {error}")
        statuses = nodes.statuses(time.monotonic())
        if not statuses:
            words = "no worker is there that could take it on: start one, or see /readyz if some do run"
            return problem(503, "unavailable", words)
        if unknown := unknown_models(spec, statuses):
            return problem(404, "not_found", unknown)
        return await switch(request, str(spec), asked)

    @router.delete(
        "/switch",
        response_model=ModelsView,
        responses=MODELS | REFUSALS,
        operation_id="clear_model",
        summary="Let go of a desired model",
    )
    async def clear(request: Request, asked: Annotated[LevelParameters, Query()]) -> Response:
        """Of the cluster, a lane or a camera: the next level decides again. The same as switching to `default`."""
        return await switch(request, None, asked)

    return router
