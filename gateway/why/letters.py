"""The dead letters' word on a frame: one look for all who ask, for which nobody waits long."""

import asyncio
import contextlib
from collections.abc import Collection

from broker import BrokerError
from contract.api.why import WitnessView
from contract.dead_letters import DeadLetter
from gateway.dead_letters.reader import DeadLetterReader, DeadLetterSnapshot

PATIENCE_SECONDS = 4.0
"""A look may take twenty; it goes on, and the next who asks has its answer."""


class LetterSearch:
    """Finds the dead letters of a frame."""

    def __init__(self, reader: DeadLetterReader) -> None:
        self._reader = reader
        self._look: asyncio.Task[DeadLetterSnapshot] | None = None

    async def find(self, ids: Collection[str]) -> tuple[list[DeadLetter], WitnessView]:
        """The dead letters with one of these ids, a frame's or their own, newest first; and what the look says."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._reader.read())
            self._look.add_done_callback(lambda look: look.cancelled() or look.exception())  # whoever waited
        look = self._look
        done, _ = await asyncio.wait({look}, timeout=PATIENCE_SECONDS)
        if not done:
            words = "they are still being looked through: ask again in some seconds"
            return [], WitnessView("dead_letters", "unavailable", words)
        try:
            seen = look.result()
        except BrokerError as error:
            return [], WitnessView("dead_letters", "unavailable", f"they cannot be looked at: {error}")
        letters = [each for each in seen.letters if each.frame_id in ids or each.dead_letter_id in ids]
        return letters, _words(seen, letters)

    async def stop(self) -> None:
        """End a look that is under way."""
        if self._look is not None:
            self._look.cancel()
            with contextlib.suppress(asyncio.CancelledError, BrokerError):
                await self._look


def _words(seen: DeadLetterSnapshot, letters: list[DeadLetter]) -> WitnessView:
    looked = f"{len(seen.letters):,} of {seen.total:,}" if not seen.complete else f"{len(seen.letters):,}"
    if not letters:
        return WitnessView("dead_letters", "nothing", f"none of the {looked} dead letters is of this frame")
    count = "one" if len(letters) == 1 else f"{len(letters):,}"
    names = ", ".join(letter.dead_letter_id for letter in letters[:3])
    return WitnessView("dead_letters", "found", f"{count} of the {looked} dead letters: {names}")
