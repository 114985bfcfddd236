"""All routes of the history."""

from fastapi import APIRouter

from gateway.dead_letters.reader import DeadLetterReader
from gateway.history.activity_api import activity_router
from gateway.history.events_api import events_router
from gateway.history.exports_api import exports_router
from gateway.history.frames_api import frames_router
from gateway.history.history import History
from gateway.history.reviews_api import reviews_router
from gateway.history.states_api import states_router
from gateway.http.routes import take


def history_router(history: History, dead_letters: DeadLetterReader, gap: float, prefix: str) -> APIRouter:
    """Exports and counts first: their paths would be taken for an event's."""
    readers = history.readers
    router = APIRouter()
    take(router, exports_router(readers, gap, prefix))
    take(router, reviews_router(readers, history.recorder, gap, prefix))
    take(router, events_router(readers, gap, prefix))
    take(router, activity_router(readers))
    take(router, frames_router(readers, dead_letters))
    take(router, states_router(readers))
    return router
