"""GET /api/cameras: the cameras, a page at a time, with what is asked of each; and one camera with all of it."""

import time
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from contract.api.cameras import CameraDetailView, CamerasView, ShownState
from contract.identifiers import CAMERA_ID_SCHEMA
from gateway.cameras.cameras import Cameras
from gateway.cameras.page import FIELDS, CameraFilter, chosen_fields, page_of
from gateway.http.documentation import answer, answers, errors
from gateway.http.parameters import QueryParameters
from gateway.http.problems import json_response, problem

FIELD = f"({'|'.join(FIELDS)})"
FIELDS_PATTERN = f"^$|^{FIELD}(,{FIELD})*$"

EXAMPLE: dict[str, Any] = {
    "total": 2,
    "next": "gate-3",
    "items": [
        {
            "camera_id": "gate-3",
            "state": "live",
            "reason": None,
            "since": 1795210000.0,
            "name": "Gate 3, left",
            "group": "gates",
            "location": "Harbour Street 3",
            "district": "North",
            "still": False,
            "fps": 2.0,
            "last_result": 1795216000.2,
            "faces": 1,
            "latency": 0.078,
            "width": 640,
            "height": 480,
            "producer_id": "producer-1",
            "sender": None,
        }
    ],
    "notices": [],
}
SPARSE: dict[str, Any] = {
    "total": 1,
    "next": None,
    "items": [{"camera_id": "gate-3", "state": "live", "name": "Gate 3, left"}],
    "notices": [],
}
DETAIL: dict[str, Any] = {
    "camera": EXAMPLE["items"][0],
    "masks": [[[0.0, 0.0], [0.4, 0.0], [0.4, 0.25], [0.0, 0.25]]],
    "masks_known": True,
    "counts": {"fps": 2.0, "sent": 12044, "skipped": 31, "dropped": {"replaced": 4}},
}
UNKNOWN = "there is no camera {}: GET /api/cameras lists those that there are"
REMOVED = "the camera {} was taken out of its producer's file"
RESPONSES = answers("The page.", {"limit=1": EXAMPLE, "fields=state,name": SPARSE})


CameraId = Annotated[str, Path(pattern=CAMERA_ID_SCHEMA, description="`camera_id` of a camera")]


class CameraPageParameters(QueryParameters):
    """A page of cameras."""

    limit: int = Field(100, ge=1, le=1_000, description="how many at most", examples=[100])
    cursor: str = Field("", max_length=200, description="`next` of the page before; empty: the first page")
    state: list[ShownState] | None = Field(None, description="only cameras in this state; may be repeated")
    district: str = Field("", max_length=100, description="only of this district", examples=["North"])
    group: str = Field("", max_length=100, description="only of this group", examples=["gates"])
    q: str = Field(
        "",
        max_length=100,
        description="part of the id, name, location, group or district, in any case",
        examples=["gate"],
    )
    fields: str = Field(
        "",
        max_length=500,
        description=f"only these fields of each, comma-separated: {', '.join(FIELDS)}; `camera_id` always comes",
        json_schema_extra={"pattern": FIELDS_PATTERN},
        examples=["state,name"],
    )


def cameras_router(cameras: Cameras, notices: Callable[[], list[str]]) -> APIRouter:
    """The route. `notices()` says in sentences which cameras are left out, and what to do."""
    router = APIRouter(prefix="/api", tags=["Cameras"])

    @router.get(
        "/cameras",
        response_model=CamerasView,
        responses=RESPONSES | errors({422: "fields: there is no field stat: did you mean state?"}),
        operation_id="list_cameras",
        summary="List cameras",
    )
    async def list_cameras(
        asked: Annotated[CameraPageParameters, Query()],
    ) -> Response:
        """Cameras by id, a page at a time; all filters must fit. `total` counts every page.

        A cursor stays valid while cameras come and go.
        """
        try:
            chosen = chosen_fields(asked.fields) if asked.fields else None
        except ValueError as error:
            return problem(422, "bad_data", f"fields: {error}")
        wanted = CameraFilter(frozenset(asked.state or ()), asked.district, asked.group, asked.q)
        page = page_of(cameras, wanted, cursor=asked.cursor, limit=asked.limit, now=time.monotonic())
        items: list[Any] = page.items
        if chosen is not None:
            items = [{name: getattr(view, name) for name in chosen} for view in page.items]
        answer = {"total": page.total, "next": page.next, "items": items, "notices": notices()}
        return json_response(answer)

    @router.get(
        "/cameras/{camera_id}",
        response_model=CameraDetailView,
        responses=answer("The camera.", DETAIL) | errors({404: UNKNOWN.format("gate-9")}),
        operation_id="get_camera",
        summary="One camera",
    )
    async def get_camera(camera_id: CameraId) -> Response:
        """As in the list, with its masks and what its producer has counted."""
        if not cameras.knows(camera_id):
            sentence = REMOVED if cameras.removed_lately(camera_id) else UNKNOWN
            return problem(404, "not_found", sentence.format(camera_id))
        return json_response(cameras.detail(camera_id, time.monotonic()))

    return router
