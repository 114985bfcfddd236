"""All routes of the history."""

from fastapi import APIRouter

from gateway.dead_letters.reader import DeadLetterReader
from gateway.history.activity_api import activity_router
from gateway.history.events_api import events_router
from gateway.history.exports_api import exports_router
from gateway.history.frames_api import frames_router
from gateway.history.readers import Readers


def history_router(readers: Readers, dead_letters: DeadLetterReader, gap: float, prefix: str) -> APIRouter:
    """Exports first: their path would be taken for an event's."""
    router = APIRouter()
    router.include_router(exports_router(readers, gap, prefix))
    router.include_router(events_router(readers, gap, prefix))
    router.include_router(activity_router(readers))
    router.include_router(frames_router(readers, dead_letters))
    return router
