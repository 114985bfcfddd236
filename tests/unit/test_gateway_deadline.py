"""A handler that does not begin to answer is ended; an answer that has begun may take its time."""

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.http.deadline import PATIENT, Deadline

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}


async def answered(app: Any, scope: Scope = SCOPE, *, body_comes: bool = True) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        if not body_comes:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await Deadline(app, seconds=0.02)(scope, receive, send)
    return sent


async def hangs(_scope: Scope, receive: Receive, _send: Send) -> None:
    await receive()
    await asyncio.Event().wait()


async def takes_its_time(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a body that comes in pieces, and has patience with it."""
    scope[PATIENT] = True
    for _ in range(6):
        await asyncio.sleep(0.01)
        await receive()
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def streams(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.sleep(0.06)
    await send({"type": "http.response.body", "body": b"late but fine"})


async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise TimeoutError("of its own")


@pytest.mark.parametrize(
    ("body_comes", "status", "part"), [(True, 504, "no answer"), (False, 408, "the body")]
)
async def test_who_does_not_begin_in_time_is_ended_with_a_sentence(
    body_comes: bool, status: int, part: str
) -> None:
    start, body = await answered(hangs, body_comes=body_comes)
    assert start["status"] == status
    assert (b"connection", b"close") in start["headers"]
    assert part in json.loads(body["body"])["error"]


async def test_a_body_that_a_route_has_patience_with_may_take_as_long_as_it_goes_on() -> None:
    start, _ = await answered(takes_its_time, dict(SCOPE))
    assert start["status"] == 204


async def test_an_answer_that_has_begun_may_take_its_time() -> None:
    assert [message.get("body") for message in await answered(streams)] == [None, b"late but fine"]


async def test_a_handler_s_own_timeout_is_its_own() -> None:
    with pytest.raises(TimeoutError, match="of its own"):
        await answered(fails)
