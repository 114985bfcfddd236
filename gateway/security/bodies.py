"""How much a request may carry: one ASGI middleware before every route, so that a new route cannot forget it."""

import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.problems import problem
from gateway.metrics import GatewayMetrics

KIB = 1024
MAX_BODY_BYTES = 64 * KIB
"""Of what is not named here; nothing that the gateway takes is larger than a PromQL form."""
MAX_BODIES = {"/api/login": 4 * KIB}
MAX_HEAD_BYTES = 32 * KIB
UPLOADS = re.compile(r"/api/jobs/[0-9a-f]{12}/uploads/[0-9a-f]{32}")
"""What goes on from piece to piece to disk, bounded by what was announced (gateway.jobs.uploads)."""


class BoundedBodies:
    """Refuses what announces a body that is too large, and cuts off what grows too large unannounced."""

    def __init__(self, app: ASGIApp, metrics: GatewayMetrics) -> None:
        self._app = app
        self._refused = metrics.refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = MAX_BODIES.get(scope["path"], MAX_BODY_BYTES)
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if sum(len(name) + len(value) for name, value in headers) > MAX_HEAD_BYTES:
            self._refused.labels("too_large").inc()
            await problem(431, "too_large", "the headers are too large")(scope, receive, send)
            return
        if is_upload(scope):
            await self._app(scope, receive, send)
            return
        if any(name == b"content-length" and int(value) > limit for name, value in headers):
            self._refused.labels("too_large").inc()
            await problem(413, "too_large", sentence(limit))(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > limit:
                self._refused.labels("too_large").inc()
                raise HTTPException(413, sentence(limit))  # the application turns it into a problem
            return message

        await self._app(scope, counted, send)


def is_upload(scope: Scope) -> bool:
    """Whether a request's body is a piece of an upload."""
    return scope["method"] == "PATCH" and UPLOADS.fullmatch(scope["path"]) is not None


def sentence(limit: int) -> str:
    """What is said to whom sends too much."""
    return f"the body has more than {limit // KIB} KiB"
