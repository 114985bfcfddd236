"""GET /api/cameras: the cameras, a page at a time, with what is asked of each."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from contract.api.cameras import CamerasView
from contract.status import CameraState
from gateway.cameras.cameras import Cameras
from gateway.cameras.listing import FIELDS, CameraFilter, chosen_fields, page_of
from gateway.http.documented import answers, errors
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
        }
    ],
}
SPARSE: dict[str, Any] = {
    "total": 1,
    "next": None,
    "items": [{"camera_id": "gate-3", "state": "live", "name": "Gate 3, left"}],
}
RESPONSES = answers("The page.", {"limit=1": EXAMPLE, "fields=state,name": SPARSE})


def cameras_router(cameras: Cameras) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/api", tags=["Cameras"])

    @router.get(
        "/cameras",
        response_model=CamerasView,
        responses=RESPONSES | errors({422: "fields: there is no field stat: did you mean state?"}),
        operation_id="list_cameras",
        summary="List cameras",
    )
    async def list_cameras(
        limit: Annotated[int, Query(ge=1, le=1_000, description="how many at most", examples=[100])] = 100,
        cursor: Annotated[
            str,
            Query(max_length=200, description="`next` of the page before; empty: the first page"),
        ] = "",
        state: Annotated[
            list[CameraState] | None, Query(description="only cameras in this state; may be repeated")
        ] = None,
        district: Annotated[
            str, Query(max_length=100, description="only of this district", examples=["North"])
        ] = "",
        group: Annotated[
            str, Query(max_length=100, description="only of this group", examples=["gates"])
        ] = "",
        q: Annotated[
            str,
            Query(
                max_length=100,
                description="part of the id, name, location, group or district, in any case",
                examples=["gate"],
            ),
        ] = "",
        fields: Annotated[
            str,
            Query(
                max_length=500,
                description=f"only these fields of each, comma-separated: {', '.join(FIELDS)}; "
                "`camera_id` always comes",
                json_schema_extra={"pattern": FIELDS_PATTERN},
                examples=["state,name"],
            ),
        ] = "",
    ) -> Response:
        """Cameras by id, a page at a time; all filters must fit. `total` counts every page.

        A cursor stays valid while cameras come and go.
        """
        try:
            chosen = chosen_fields(fields) if fields else None
        except ValueError as error:
            return problem(422, "bad_data", f"fields: {error}")
        wanted = CameraFilter(frozenset(state or ()), district, group, q)
        page = page_of(cameras, wanted, cursor=cursor, limit=limit, now=time.monotonic())
        if chosen is None:
            return json_response(page)
        items = [{name: getattr(view, name) for name in chosen} for view in page.items]
        return json_response({"total": page.total, "next": page.next, "items": items})

    return router
