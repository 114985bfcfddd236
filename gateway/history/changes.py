"""What operators change in the history, by the recorder's thread: the database has one writer."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from gateway.history.readers import HistoryRefusal
from gateway.history.recorder import Recorder

T = TypeVar("T")

PATIENCE_SECONDS = 10.0


async def change(recorder: Recorder, deed: Callable[[Connection], T]) -> T:
    """Return what `deed` returns, once it is kept. Raises HistoryRefusal."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await recorder.change(deed)
    except TimeoutError:
        raise HistoryRefusal(
            "slow",
            f"the history has not answered within {PATIENCE_SECONDS:g} s, and may still do what was asked: look again",
            5,
        ) from None
    except Exception as error:
        raise HistoryRefusal("unavailable", f"nothing was changed: {recorder.why(error)}", 5) from None
