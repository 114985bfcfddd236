"""Replays and purges: proposed with what they will do, confirmed, followed to their end, and written down.

One runs at a time. It acts on the letters that were there when it was proposed and on none that came since. Where the
broker is lost in the middle it waits and goes on; a letter that was published before its removal was heard is published
twice then, which its frame_id tells.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from broker import BrokerError, Outcome, dead_letters
from broker.backoff import compute_backoff
from broker.dead_letters import LetterJob, Replay
from contract.api.dead_letters import DeadLetterOperationView, OperationKind, OperationState
from contract.dead_letters import DeadLetter
from contract.senders import Sender
from contract.topology import Lane
from gateway.dead_letters.forecast import Consumers, forecast_purge, forecast_replay
from gateway.dead_letters.reader import DeadLetterReader, DeadLetterSnapshot
from gateway.dead_letters.records import OperationRecords
from gateway.dead_letters.selection import LetterSelection
from gateway.errors import CannotKeep, NoSuchOperation, NothingMatches, OperationUnderWay
from runtime.logs import get_logger

log = get_logger("gateway")

CLIENT = "gateway dlq change"
PROPOSAL_SECONDS = 600.0
MAX_PROPOSALS = 20
REMEMBERED = 10
"""Operations of which it is known which letters they were: for those that die again."""
PATIENCE_SECONDS = 300.0
"""So long an operation waits for a broker that is away, since its last letter."""
SAVE_SECONDS = 5.0
PASSING = frozenset({Outcome.DISCONNECTED, Outcome.TIMED_OUT, Outcome.BLOCKED})
"""What may be over soon; a full queue is its operator's to empty."""

FrameKey = tuple[str | None, str | None, str | None, int]


def frame_key(letter: DeadLetter) -> FrameKey:
    """What a frame keeps when it dies again: its id, or what it looks like."""
    if letter.frame_id is not None:
        return letter.sender, letter.frame_id, None, 0
    return letter.sender, None, letter.content_type, letter.size


class Operation:
    """One replay or purge. `view` is what is told of it, and written down."""

    def __init__(
        self,
        view: DeadLetterOperationView,
        letters: Sequence[DeadLetter],
        known: frozenset[str],
        lane: Lane | None,
    ) -> None:
        self.view = view
        self.letters = letters
        self.keys = frozenset(map(frame_key, letters))
        self.stopping = asyncio.Event()
        self.moved = time.monotonic()
        self.how: LetterJob | None = None
        self._lane = lane
        self._known = known  # all that were dead letters before
        self._earlier: set[str] = set()  # changed in earlier attempts
        self._changed: set[str] = set()

    @property
    def ids(self) -> list[str]:
        return [letter.dead_letter_id for letter in self.letters]

    def attempt(self, senders: dict[str, Sender]) -> LetterJob:
        """Begin once more, with what is left."""
        self._earlier |= self._changed
        if self.view.kind == "purge":
            self.how = LetterJob(client=CLIENT, changed=self._letter_changed)
        else:
            self.how = Replay(
                client=CLIENT,
                changed=self._letter_changed,
                lane=self._lane,
                fresh=self.view.fresh,
                senders=senders,
            )
        self.how.stopped = self.stopping.is_set()
        return self.how

    def stop(self) -> None:
        """Begin with no further letter."""
        self.stopping.set()
        if self.how is not None:
            self.how.stopped = True

    def died_again(self, look: DeadLetterSnapshot) -> int:
        """How many of its frames are dead letters that were none of those before."""
        return sum(
            each.dead_letter_id not in self._known and frame_key(each) in self.keys for each in look.letters
        )

    def _letter_changed(self, letter: DeadLetter) -> None:
        self.moved = time.monotonic()
        self._changed.add(letter.dead_letter_id)
        if letter.dead_letter_id not in self._earlier:
            self.view = replace(self.view, done=self.view.done + 1)


class Operations:
    """Belongs to the event loop. `consumers` tells how many take frames from a queue."""

    def __init__(
        self,
        urls: Sequence[str],
        reader: DeadLetterReader,
        records: OperationRecords,
        senders: Callable[[], Sequence[Sender]],
        consumers: Consumers,
    ) -> None:
        self._urls = urls
        self._reader = reader
        self._records = records
        self._senders = senders
        self._consumers = consumers
        self._proposals: dict[str, Operation] = {}
        self._remembered: dict[str, Operation] = {}
        self._running: Operation | None = None
        self._task: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    async def propose(
        self, kind: OperationKind, meant: LetterSelection, *, lane: Lane | None, fresh: bool, by: str | None
    ) -> DeadLetterOperationView:
        """Say what it would do, and to how many; nothing is changed. Raises NothingMatches, BrokerError."""
        look = await self._reader.read()
        letters = meant.of(look.letters)
        if not letters:
            raise NothingMatches(
                f"none of the {len(look.letters):,} dead letters that were looked at matches: they are gone already"
            )
        if kind == "replay":
            said = forecast_replay(letters, lane, self._by_name(), self._consumers, fresh=fresh)
        else:
            said = forecast_purge(letters)
        view = DeadLetterOperationView(
            operation_id=secrets.token_hex(6),
            kind=kind,
            state="proposed",
            summary=said.summary,
            notes=said.notes,
            count=len(letters),
            size=sum(letter.size for letter in letters),
            queues=said.queues,
            lane=None if lane is None else lane.value,
            fresh=fresh,
            by=by,
            address="",
            created=time.time(),
        )
        known = frozenset(letter.dead_letter_id for letter in look.letters)
        self._proposals[view.operation_id] = Operation(view, letters, known, lane)
        while len(self._proposals) > MAX_PROPOSALS:
            del self._proposals[next(iter(self._proposals))]
        return view

    async def confirm(self, operation_id: str, *, by: str | None, address: str) -> DeadLetterOperationView:
        """Begin, once it is written down who did. Raises NoSuchOperation, OperationUnderWay, CannotKeep."""
        operation = self._proposals.get(operation_id)
        if operation is None or time.time() - operation.view.created > PROPOSAL_SECONDS:
            raise NoSuchOperation(
                f"there is no proposal {operation_id}: it was confirmed already, or is older than ten minutes: "
                "ask for it again"
            )
        if self._running is not None:
            now = self._running.view
            raise OperationUnderWay(
                f"{now.summary} by {now.by or 'somebody'} is under way, {now.done:,} of {now.count:,} so far: "
                "wait, or stop it"
            )
        del self._proposals[operation_id]
        self._running = operation
        operation.view = replace(operation.view, state="running", by=by, address=address, started=time.time())
        try:
            await self._write(operation)
        except OSError as error:
            self._running = None
            self._proposals[operation_id] = operation
            self._records.drop(operation_id)
            raise CannotKeep(error.strerror or str(error)) from None
        log.info(
            "dead letters: confirmed",
            operation=operation_id,
            kind=operation.view.kind,
            summary=operation.view.summary,
            count=operation.view.count,
            name=by,
            address=address,
        )
        self._remember(operation)
        operation.moved = time.monotonic()
        self._task = asyncio.create_task(self._run(operation))
        return operation.view

    def stop(self, operation_id: str, *, by: str | None, address: str) -> DeadLetterOperationView:
        """Begin with no further letter of a running operation; forget a proposed one. Raises NoSuchOperation."""
        if proposal := self._proposals.pop(operation_id, None):
            return replace(proposal.view, state="stopped", ended=time.time())
        running = self._running
        if running is None or running.view.operation_id != operation_id:
            raise NoSuchOperation(f"the operation {operation_id} is over, or there is none")
        running.stop()
        running.view = replace(running.view, trouble=f"stopped by {by or 'somebody'}")
        log.info("dead letters: stopped", operation=operation_id, name=by, address=address)
        return running.view

    def views(self, look: DeadLetterSnapshot | None) -> list[DeadLetterOperationView]:
        """Newest first. `look` tells which letters died again."""
        views = []
        for record in self._records.all:
            operation = self._remembered.get(record.operation_id)
            view = record if operation is None else operation.view
            if operation is not None and look is not None and view.kind == "replay":
                view = replace(view, died_again=operation.died_again(look))
            views.append(view)
        return views

    async def close(self) -> None:
        """Finish what is under way and begin nothing more."""
        if self._running is not None:
            self._running.stop()
            self._running.view = replace(self._running.view, trouble="the gateway was ended")
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._task, 5.0)

    # --- running -----------------------------------------------------------------------------------------------

    async def _run(self, operation: Operation) -> None:
        saving = asyncio.create_task(self._save_now_and_then(operation))
        state: OperationState
        try:
            async with self._reader.queues:
                state, trouble = await self._attempts(operation)
        except asyncio.CancelledError:
            state, trouble = "interrupted", "the gateway was ended"
        except Exception as error:
            log.exception("a replay or purge of dead letters failed", operation=operation.view.operation_id)
            state, trouble = (
                "failed",
                f"{type(error).__name__}: please report this; the gateway's log has it whole",
            )
        finally:
            saving.cancel()
        view = operation.view
        gone = view.count - view.done if state == "done" else 0
        operation.view = replace(view, state=state, trouble=trouble, ended=time.time(), gone=max(0, gone))
        operation.letters = ()
        self._reader.forget()
        self._running = None
        log.info(
            "dead letters: ended",
            operation=view.operation_id,
            kind=view.kind,
            state=state,
            done=view.done,
            count=view.count,
            gone=gone,
            trouble=trouble or None,
            name=view.by,
        )
        try:
            await self._write(operation)
        except OSError as error:
            log.warning("the end of a replay or purge cannot be written down", error=str(error))

    async def _attempts(self, operation: Operation) -> tuple[OperationState, str]:
        """Go on until it is done, stopped, or hopeless; returns how it ended."""
        failures = 0
        while True:
            before = operation.view.done
            how = operation.attempt(self._by_name())
            trouble, passing = await self._attempt(operation, how)
            if operation.stopping.is_set():
                return "stopped", operation.view.trouble
            if not trouble:
                return "done", ""
            if not passing or time.monotonic() - operation.moved > PATIENCE_SECONDS:
                return "failed", f"{trouble}. The others are still dead letters: replay or purge them again"
            failures = 1 if operation.view.done > before else failures + 1
            operation.view = replace(operation.view, trouble=f"waits and goes on by itself: {trouble}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(operation.stopping.wait(), compute_backoff(failures))
            operation.view = (
                replace(operation.view, trouble="") if not operation.stopping.is_set() else operation.view
            )

    async def _attempt(self, operation: Operation, how: LetterJob) -> tuple[str, bool]:
        """Go once through the queues; returns what went wrong, and whether that may pass."""
        try:
            if isinstance(how, Replay):
                await dead_letters.replay(self._urls, operation.letters, how)
            else:
                await dead_letters.purge(self._urls, operation.letters, how)
        except BrokerError as error:
            return str(error), True
        return how.failure, how.outcome in PASSING

    async def _save_now_and_then(self, operation: Operation) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            with contextlib.suppress(OSError):
                await self._write(operation)

    async def _write(self, operation: Operation) -> None:
        async with self._writing:
            self._records.put(operation.view)
            await asyncio.to_thread(self._records.save, self._records.encoded())

    def _remember(self, operation: Operation) -> None:
        self._remembered[operation.view.operation_id] = operation
        while len(self._remembered) > REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    def _by_name(self) -> dict[str, Sender]:
        return {sender.name: sender for sender in self._senders()}
