"""GET /api/dlq and below it: the dead letters, in groups and one by one. Operators only."""

import re
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.responses import Response

from broker import BrokerError
from broker.errors import Busy
from contract.api.dead_letters import (
    DeadLetterDetailView,
    DeadLetterGroupsView,
    DeadLettersView,
    LetterHeaderView,
    LetterPictureView,
)
from contract.errors import PictureError
from contract.letter_picture import LetterPicture, ShownPicture, letter_picture, shown_picture
from gateway.dead_letters.groups import FINAL, groups_view
from gateway.dead_letters.messages import LetterMessage, LetterMessages
from gateway.dead_letters.parameters import ID_PATTERN, DeadLetterParameters, GroupParameters
from gateway.dead_letters.reader import DeadLetterReader, cursor_of
from gateway.http.documentation import answer, errors
from gateway.http.problems import json_response
from gateway.reasons import meaning

MAX_HEADERS = 100
MAX_VALUE = 2_000
NO_PAGE = "default-src 'none'; sandbox"
"""Whatever the bytes are, a browser that is led to them runs nothing."""
T = TypeVar("T")

LETTER: dict[str, Any] = {
    "dead_letter_id": "3f7a0c52b1d9",
    "reason": "not_an_image",
    "error": "the frame is neither JPEG nor PNG",
    "origin": "frame_queue",
    "node_id": "a1b2c3",
    "time": 1795215990.1,
    "attempts": 1,
    "camera_id": "gate-3",
    "frame_id": "gate-3:1795210000000:4711",
    "timestamp": 1795215990.0,
    "content_type": "application/json",
    "size": 51,
    "deaths": [],
    "sender": None,
}
PAGE = {"total": 1, "matching": 1, "complete": True, "time": 1795216000.2, "next": None, "items": [LETTER]}
MEANING = {
    "final": True,
    "meaning": "its picture is neither JPEG nor PNG, or does not decode",
    "remedy": "Look at it, and mend what sends it.",
}
GROUPS: dict[str, Any] = {
    "total": 12,
    "looked": 12,
    "most": 10_000,
    "complete": True,
    "time": 1795216000.2,
    "left_out": 0,
    "items": [
        {
            "group_id": "5d41c7e0ab12",
            "reason": "not_an_image",
            "origin": "frame_queue",
            "sender": None,
            "camera_id": "gate-3",
            "count": 12,
            "size": 612,
            "first": 1795215900.1,
            "last": 1795215990.1,
            "error": "the frame is neither JPEG nor PNG",
            **MEANING,
        }
    ],
}
DETAIL: dict[str, Any] = {
    "letter": LETTER,
    "headers": [{"name": "x-framefleet-reason", "text": "not_an_image"}],
    "headers_left_out": 0,
    "picture": None,
    "no_picture": "its image is neither JPEG nor PNG",
    **MEANING,
}
AWAY = errors({503: "RabbitMQ cannot be reached: Connection refused"})
GONE = errors({404: "there is no dead letter 3f7a0c52b1d9 any more: it was replayed, purged or pushed out"})
LetterId = Annotated[
    str, Path(pattern=ID_PATTERN, description="the dead letter's id", examples=["3f7a0c52b1d9"])
]


def dead_letters_router(reader: DeadLetterReader, messages: LetterMessages) -> APIRouter:
    """The routes that change nothing."""
    router = APIRouter(prefix="/api/dlq", tags=["Cluster"])

    @router.get(
        "",
        response_model=DeadLettersView,
        responses=answer("The page.", PAGE) | AWAY,
        operation_id="list_dead_letters",
        summary="List dead letters",
    )
    async def dead_letters(asked: Annotated[DeadLetterParameters, Query()]) -> Response:
        """Frames that could not be computed, newest first, a page at a time, as they were at `time`; operators only.
        `total` counts the queues as they are now, `matching` what fits the filters, and `complete` is false while not
        all have been looked at.
        """
        look = await told(reader.read())
        matching = asked.selection().of(look.letters)
        rest = [letter for letter in matching if not asked.cursor or cursor_of(letter) < asked.cursor]
        page = rest[: asked.limit]
        following = cursor_of(page[-1]) if len(rest) > asked.limit else None
        view = {
            "total": look.total,
            "matching": len(matching),
            "complete": look.complete,
            "time": look.time,
            "next": following,
            "items": page,
        }
        return json_response(view)

    @router.get(
        "/groups",
        response_model=DeadLetterGroupsView,
        responses=answer("The groups, largest first.", GROUPS) | AWAY,
        operation_id="list_dead_letter_groups",
        summary="Dead letters in groups",
    )
    async def groups(asked: Annotated[GroupParameters, Query()]) -> Response:
        """Dead letters by reason, queue, sender and camera, with what the reason means and what to do."""
        look = await told(reader.read())
        return json_response(groups_view(look, asked.selection().of(look.letters), asked.limit))

    async def message_of(dead_letter_id: str) -> LetterMessage:
        message = await told(messages.get(dead_letter_id))
        if message is None:
            raise HTTPException(
                404,
                f"there is no dead letter {dead_letter_id} any more: it was replayed, purged or pushed out",
            )
        return message

    @router.get(
        "/letters/{dead_letter_id}",
        response_model=DeadLetterDetailView,
        responses=answer("The letter.", DETAIL) | AWAY | GONE,
        operation_id="get_dead_letter",
        summary="One dead letter with its headers",
    )
    async def one(dead_letter_id: LetterId) -> Response:
        """Everything about one, its headers as text. The whole queue is gone through for it: this may take seconds."""
        return json_response(_detail(await message_of(dead_letter_id)))

    @router.get(
        "/letters/{dead_letter_id}/picture",
        response_class=Response,
        responses={
            200: {"content": {"image/jpeg": {}, "image/png": {}}, "description": "The picture"},
            **AWAY,
            **errors({404: "it has no picture: its image is neither JPEG nor PNG"}),
        },
        operation_id="get_dead_letter_picture",
        summary="A dead letter's picture",
    )
    async def picture(dead_letter_id: LetterId) -> Response:
        """The JPEG or PNG of the task and nothing besides, of at most 50 megapixels; damaged ones as far as they go."""
        try:
            shown = _shown(await message_of(dead_letter_id))
        except PictureError as error:
            raise HTTPException(404, f"it has no picture: {error}") from None
        suffix = ".png" if shown.content_type == "image/png" else ".jpg"
        return Response(
            shown.content,
            media_type=shown.content_type,
            headers=_apart(f'inline; filename="dead-letter-{dead_letter_id}{suffix}"'),
        )

    @router.get(
        "/letters/{dead_letter_id}/body",
        response_class=Response,
        responses={
            200: {"content": {"application/octet-stream": {}}, "description": "A download"},
            **AWAY,
            **GONE,
        },
        operation_id="get_dead_letter_body",
        summary="A dead letter's message body",
    )
    async def body(dead_letter_id: LetterId) -> Response:
        """The message's body, byte for byte as it was sent."""
        message = await message_of(dead_letter_id)
        return Response(
            message.body,
            media_type="application/octet-stream",
            headers=_apart(f'attachment; filename="dead-letter-{dead_letter_id}.bin"'),
        )

    return router


async def told(question: Awaitable[T]) -> T:
    """The answer, or 503 with what the broker said."""
    try:
        return await question
    except BrokerError as error:
        seconds = "5" if isinstance(error, Busy) else "10"
        raise HTTPException(503, str(error), {"Retry-After": seconds}) from None


def _detail(message: LetterMessage) -> DeadLetterDetailView:
    letter = message.letter
    about = meaning(letter.reason)
    headers = sorted(message.headers.items())
    picture, why_not = None, ""
    try:
        shown = _shown(message)
        picture = LetterPictureView(
            shown.width, shown.height, len(shown.content), shown.content_type, shown.damage
        )
    except PictureError as error:
        why_not = str(error)
    return DeadLetterDetailView(
        letter=letter,  # type: ignore[arg-type]  # its fields are those of the view
        headers=[LetterHeaderView(_plain(name), _plain(str(value))) for name, value in headers[:MAX_HEADERS]],
        headers_left_out=max(0, len(headers) - MAX_HEADERS),
        picture=picture,
        no_picture=why_not,
        final=letter.reason in FINAL,
        meaning=about.words,
        remedy=about.remedy,
    )


def _shown(message: LetterMessage) -> ShownPicture:
    found: LetterPicture = letter_picture(
        message.body,
        content_type=message.content_type,
        headers=message.headers,
        message_id=message.message_id,
    )
    return shown_picture(found)


def _plain(text: str) -> str:
    """Text of a stranger: without what is not printed, and bounded."""
    cut = text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}… ({len(text):,} characters)"
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "\ufffd", cut)


def _apart(disposition: str) -> dict[str, str]:
    return {"Content-Disposition": disposition, "Content-Security-Policy": NO_PAGE}
