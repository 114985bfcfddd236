"""Asks everybody who may know of a frame, each within its budget, and has the answers judged."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

from contract.api.why import WhyView, WitnessView
from contract.dead_letters import DeadLetter
from contract.senders import Sender
from gateway.cameras.cameras import Cameras
from gateway.cameras.repeats import RepeatedIds
from gateway.errors import Unstorable
from gateway.history.readers import HistoryRefusal, Readers
from gateway.history.rows import row_of
from gateway.queues import Queues
from gateway.security.auth import Identity
from gateway.security.holders import Holders
from gateway.tokens.roles import needed_role, suffices
from gateway.why.drops import DropRecords
from gateway.why.evidence import Evidence
from gateway.why.frame_ids import NumberedFrame, Span, candidates, span
from gateway.why.kept import KeptFrames, look, pictured
from gateway.why.letters import LetterSearch
from gateway.why.surroundings import camera_word, queues_word
from gateway.why.verdict import judge

NOT_FOR_VIEWERS = WitnessView(
    "dead_letters", "not_asked", "they are told to operators: ask with an operator's token"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """`trouble` says why results cannot be recorded, `days` how long they are kept."""

    readers: Readers
    letters: LetterSearch
    drops: DropRecords
    cameras: Cameras
    queues: Queues
    repeats: RepeatedIds
    senders: Callable[[], Sequence[Sender]]
    trouble: Callable[[], str]
    days: float
    prefix: str

    async def ask(self, identity: Identity, frame_id: str) -> WhyView:
        """Say what became of the frame. Raises HistoryRefusal when too much is being asked."""
        ids = candidates(frame_id, self.senders())
        numbered = NumberedFrame.read(ids[0])
        (kept, history), (letters, found) = await asyncio.gather(
            self._kept(identity.holders, ids, numbered), self._letters(identity, ids)
        )
        if isinstance(kept, HistoryRefusal):
            raise kept
        row, recorded, neighbours = kept.row, True, list(kept.neighbours)
        if row is None:
            live = self._live(ids)
            row, recorded = live, live is None
            neighbours += self._newest(numbered)
        evidence = Evidence(
            asked=ids[0],
            row=row,
            recorded=recorded,
            begin=kept.begin,
            numbered=numbered,
            span=Span() if numbered is None else span(numbered, neighbours),
            letters=letters,
            repeated=next(filter(None, map(self.repeats.find, ids)), None),
            history=history,
            dead_letters=found,
        )
        around = [] if evidence.known else await self._around(evidence)
        return judge(evidence, around, self.days, self.prefix, "" if evidence.known else self._advice(ids[0]))

    async def pictured(self, identity: Identity, event_id: int) -> str | None:
        """The id of the frame that an event's picture is of; None if there is none. Raises HistoryRefusal."""
        return await self.readers.ask(identity.holders, "why", partial(pictured, event_id=event_id))

    async def _kept(
        self, holders: Holders, ids: list[str], numbered: NumberedFrame | None
    ) -> tuple[KeptFrames | HistoryRefusal, WitnessView]:
        try:
            kept = await self.readers.ask(holders, "why", partial(look, ids=ids, numbered=numbered))
        except HistoryRefusal as error:
            said = WitnessView("history", "unavailable", str(error.detail))
            return KeptFrames(None) if error.reason == "unavailable" else error, said
        if kept.row is None:
            return kept, WitnessView("history", "nothing", "no result of this frame is kept")
        return kept, WitnessView("history", "found", "its result is kept")

    async def _letters(self, identity: Identity, ids: list[str]) -> tuple[list[DeadLetter], WitnessView]:
        if not suffices(identity.role, needed_role("GET", "/api/dlq")):
            return [], NOT_FOR_VIEWERS
        return await self.letters.find(ids)

    def _live(self, ids: Sequence[str]) -> Any | None:
        """The frame as the newest of its camera, whose result may not be recorded yet, as the history would have it."""
        for camera in self.cameras.known():
            if camera.result is not None and camera.result.frame_id in ids:
                try:
                    return SimpleNamespace(**row_of(camera.result, time.time()))
                except Unstorable:
                    return None
        return None

    def _newest(self, numbered: NumberedFrame | None) -> list[tuple[str, float]]:
        """The newest frame of the camera, in the form of its neighbours."""
        if numbered is None:
            return []
        found = [each.result for each in self.cameras.known() if each.camera_id == numbered.camera_id]
        return [
            (result.frame_id, result.original_timestamp)
            for result in found
            if result is not None and result.frame_id.startswith(f"{numbered.camera_id}:{numbered.taken_up}:")
        ]

    async def _around(self, evidence: Evidence) -> list[WitnessView]:
        waiting = self.queues.depth.messages | self.queues.of_senders.messages
        consumers = self.queues.depth.consumers | self.queues.of_senders.consumers
        return [
            camera_word(self.cameras, evidence.camera_id, time.monotonic()),
            queues_word(waiting, consumers, self.trouble()),
            await self._dropped(evidence),
        ]

    async def _dropped(self, evidence: Evidence) -> WitnessView:
        numbered, between, now = evidence.numbered, evidence.span, time.time()
        if numbered is None:
            words = "the id is none of our producers', who count what they drop"
            return WitnessView("metrics", "not_asked", words)
        if evidence.outlived:
            return WitnessView("metrics", "not_asked", "nothing tells when the frame was captured")
        since = numbered.begin if between.before is None else between.before
        until = now if between.after is None else between.after
        return await self.drops.ask(numbered.camera_id, min(since, now), until, now)

    def _advice(self, given: str) -> str:
        """What the id may be instead."""
        if self.cameras.knows(given):
            return f"{given} is a camera: the id of one of its frames looks like {given}:1795210000000:4711."
        if re.fullmatch(r"\d{1,9}", given):
            return f"If {given} is an event: /api/events/{given}/why, or the event's page, has its picture's frame."
        return ""
