"""Writes changes of cameras' states into the history, every few seconds, between two batches of results."""

import asyncio
from functools import partial

from gateway.history import states
from gateway.history.recorder import Recorder
from gateway.history.states import StateLog
from runtime.logs import get_logger

log = get_logger("history")

PAUSE_SECONDS = 1.0


async def keep_states(state_log: StateLog, recorder: Recorder) -> None:
    """Write what `state_log` has, until cancelled. What could not be written is tried again."""
    refused = False
    while True:
        await asyncio.sleep(PAUSE_SECONDS)
        changes = state_log.take()
        if not changes:
            continue
        try:
            await recorder.change(partial(states.add, changes=changes))
        except Exception as error:
            state_log.back(changes)
            if not refused:
                log.warning("cameras' states could not be written", reason=recorder.why(error))
            refused = True
        else:
            refused = False
