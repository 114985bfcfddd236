"""GET /api/attendance, who is here; and POST /api/presence, where other applications have their people counted too."""

import asyncio
import math
import time
from typing import Any, Literal

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from contract.api.attendance import (
    AttendancePointView,
    AttendanceView,
    AttendanceWindowView,
    DeviceCountsView,
)
from contract.json import decode
from gateway.attendance.headcount import Headcount
from gateway.attendance.identities import Visitor
from gateway.attendance.notes import PING, agent_of
from gateway.attendance.register import AttendanceRegister
from gateway.attendance_figures import DEVICES, Attendance, Device
from gateway.http.documentation import answer, errors
from gateway.http.problems import json_response, problem
from gateway.security.access import identity_of
from gateway.security.allowance import Allowance

PINGS_PER_SECOND, PINGS_AT_ONCE = 50.0, 500.0
"""Of one token's session; a token has four times as much."""
MAX_ID = 128
COUNTS = {"all": 3, "ios": 0, "android": 0, "web_pc": 2, "web_mobile": 1, "other": 0, "bot": 0}
EXAMPLE: dict[str, Any] = {
    "time": 1795216000.2,
    "shared": None,
    "trouble": "",
    "windows": [
        {"name": name, "minutes": minutes, "users": COUNTS, "sessions": COUNTS}
        for name, minutes in (("peak", 1), ("session", 5), ("limit", 30))
    ],
    "series": [{"time": 1795215960.0, "users": 3, "sessions": 3}],
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {
                        "id": {"type": "string", "minLength": 1, "maxLength": MAX_ID},
                        "device": {"type": ["string", "null"], "enum": [*DEVICES, None]},
                    },
                }
            }
        },
    }
}
SAY = f'send {{"id": "..."}} with 1 to {MAX_ID} characters, and perhaps "device", one of {", ".join(DEVICES)}'

OFTEN = f"this token pings more often than {PINGS_PER_SECOND:.0f} times a second: wait"


class _Ping(msgspec.Struct):
    id: str
    device: Device | None = None


_ping = msgspec.json.Decoder(_Ping)


def attendance_router(register: AttendanceRegister, headcount: Headcount) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["Cluster"])
    allowance = Allowance(PINGS_PER_SECOND, PINGS_AT_ONCE)

    @router.get(
        "/api/attendance",
        response_model=AttendanceView,
        responses=answer("Users and sessions.", EXAMPLE),
        operation_id="get_attendance",
        summary="Who is watching",
    )
    async def attendance() -> Response:
        """Different users (tokens) and sessions (user, address and user agent) over three windows, by device."""
        return json_response(_view(await asyncio.to_thread(headcount.now), headcount))

    @router.post(
        PING,
        status_code=204,
        response_class=Response,
        openapi_extra=BODY,
        responses=errors({400: SAY, 429: OFTEN}),
        operation_id="ping_presence",
        summary="Have somebody counted",
    )
    async def ping(request: Request) -> Response:
        """Count somebody who uses another application as a session, for this minute: send it every minute, with an id
        of your own that says nothing of the person. Any token may; it is not kept, only a hash that ends with the day.
        """
        identity = identity_of(request.scope)
        wait = allowance.book(identity.holders, 1, time.monotonic())
        if wait:
            return problem(429, "too_many_requests", OFTEN, {"Retry-After": str(math.ceil(wait))})
        try:
            given = decode(_ping, await request.body())
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return problem(400, "bad_data", SAY)
        if not 1 <= len(given.id) <= MAX_ID:
            return problem(400, "bad_data", SAY)
        # As a place of its own kind: no id is anybody's address. Without a user: the token is the application's.
        place = f"{identity.token_id} {given.id}"
        register.see(Visitor("", place, agent_of(request.scope), given.device or ""))
        return Response(status_code=204)

    return router


def _view(attendance: Attendance, headcount: Headcount) -> AttendanceView:
    names: tuple[Literal["peak", "session", "limit"], ...] = ("peak", "session", "limit")
    windows = [
        AttendanceWindowView(
            name,
            minutes,
            DeviceCountsView(**attendance.counts[name]["users"]),
            DeviceCountsView(**attendance.counts[name]["sessions"]),
        )
        for name, minutes in zip(names, attendance.windows, strict=True)
    ]
    series = [AttendancePointView(*point) for point in list(headcount.series)]
    return AttendanceView(attendance.time, attendance.shared, attendance.trouble, windows, series)
