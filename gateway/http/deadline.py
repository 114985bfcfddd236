"""No request keeps a handler for ever: what has not begun to answer in time is ended, with a sentence."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.problems import problem

DEADLINE_SECONDS = 30.0
"""Longer than anything here takes: a look at a long dead-letter queue is bounded at 27 s."""


PATIENT = "framefleet.patient"
"""Set by a route whose body may take long as long as it goes on."""


class Deadline:
    """An ASGI middleware. An answer that has begun may take as long as its reader does (exports, WebSockets),
    and a body that a route has patience with (`PATIENT`) as long as it goes on."""

    def __init__(self, app: ASGIApp, seconds: float = DEADLINE_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reading = begun = False

        async def receiving() -> Message:
            nonlocal reading
            reading = True
            message = await receive()
            reading = False
            if not begun and scope.get(PATIENT):
                timeout.reschedule(asyncio.get_running_loop().time() + self._seconds)
            return message

        async def sending(message: Message) -> None:
            nonlocal begun
            if not begun:
                begun = True
                timeout.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self._seconds) as timeout:
                await self._app(scope, receiving, sending)
        except TimeoutError:
            if begun or not timeout.expired():
                raise
            refusal = (
                problem(408, "timeout", f"the body did not arrive within {self._seconds:g} s")
                if reading
                else problem(504, "timeout", f"no answer within {self._seconds:g} s: ask for less")
            )
            refusal.headers["Connection"] = "close"
            await refusal(scope, receive, send)
