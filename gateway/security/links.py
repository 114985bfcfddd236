"""POST /api/links: another ready link."""

import time
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from contract.api.service import LinkView
from contract.json import decode
from gateway.addresses import is_loopback
from gateway.http.documentation import answer, errors
from gateway.http.problems import json_response, problem
from gateway.security.access import address_of, identity_of, is_secure
from gateway.security.auth import Authenticator
from gateway.tokens.roles import ROLES, Role
from runtime.logs import get_logger

log = get_logger("gateway")

WHERE = "authentication is off: there is nothing to sign in to"


class _Wanted(msgspec.Struct):
    role: Role | None = None


_wanted = msgspec.json.Decoder(_Wanted)

BODY: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"role": {"type": ["string", "null"], "enum": [*ROLES, None]}},
                }
            }
        }
    }
}
ROLE = f'send {{"role": "..."}} with one of {", ".join(ROLES)}, or nothing'
EXAMPLE = {"link": "http://127.0.0.1:8080/?code=c3RvcC1yZWFkaW5nLXRoaXM", "expires": 1795302400.0}
RESPONSES = answer("The link.", EXAMPLE) | errors({400: ROLE, 409: WHERE})


def links_router(authenticator: Authenticator, public_url: str, published_url: str = "") -> APIRouter:
    """The route. `public_url`: how browsers reach us; where it is empty, the address that was asked, or
    `published_url` if the asker is in our own container, whose addresses nobody outside can use.
    """
    router = APIRouter(tags=["Session"])

    @router.post(
        "/api/links",
        response_model=LinkView,
        responses=RESPONSES,
        openapi_extra=BODY,
        operation_id="new_link",
        summary="Make a ready link",
    )
    async def new_link(
        request: Request,
        role: Annotated[
            Role | None, Query(description="of whom the link signs in; by default operator")
        ] = None,
    ) -> Response:
        """It signs in one browser, once, within a day. `role` in the query, or in a JSON body."""
        if not authenticator.required:
            return problem(409, "not_needed", WHERE)
        body = await request.body()
        try:
            told = decode(_wanted, body).role if body else None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return problem(400, "bad_data", ROLE)
        wanted = role or told or "operator"
        identity = identity_of(request.scope)
        code, expires = authenticator.new_code(identity, wanted, time.time())
        await authenticator.settled(code)
        log.info("link made", role=wanted, name=identity.name, address=address_of(request.scope))
        scheme = "https" if is_secure(request.scope) else "http"
        inside = is_loopback(address_of(request.scope))
        base = (
            public_url or (published_url if inside else "") or f"{scheme}://{request.headers.get('host', '')}"
        )
        return json_response(LinkView(ready_link(base, code), expires))

    return router


def ready_link(base: str, code: str) -> str:
    """The address that signs a browser in."""
    return f"{base}/?code={code}"
