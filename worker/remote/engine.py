"""The remote lane's engine: takes arrivals, calls the endpoint for many at once, and hands the outcomes back.

Where no call may go out (the budget is spent, the endpoint is down, the books are gone) the lane is held: what is at
hand goes back to the queue, and the worker takes no more until the reason has gone. Nothing is lost, and nothing waits
here for longer than the broker bears.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from contract.failures import FailureReason
from contract.remote import DesiredRemote, RemoteReport
from contract.status import CamerasStatus
from runtime.logs import get_logger
from worker.arrival import Arrival, Completion
from worker.processor import Failed, Processed, PutBack
from worker.remote.backoff import backoff
from worker.remote.board import RemoteModel
from worker.remote.budget import cheaper
from worker.remote.cache import Key, OpinionCache
from worker.remote.caller import CallAnswer, OutgoingPicture
from worker.remote.errors import (
    Answered,
    CallFailed,
    Declined,
    EndpointRefuses,
    PictureRefused,
    Throttled,
    TooManyPictures,
)
from worker.remote.frame import Opinion, RemoteFrame, computed, receive
from worker.remote.given import Remote
from worker.remote.held import CallsHeld
from worker.remote.parts import Parts, make_parts
from worker.remote.permission import Permission
from worker.remote.prices import DOLLAR, InvalidPrices
from worker.remote.request import estimated_tokens
from worker.remote.settings import words
from worker.settings import WorkerSettings

log = get_logger("remote")

LINGER_SECONDS = 0.05
"""For several pictures in one request: so long the first waits for others."""
LOOK_SECONDS = 1.0
DENIED_SECONDS = 60.0
"""After an endpoint took no request of ours, until it is asked again."""
PATIENCE_SECONDS = 300.0
"""A frame that is put off for so long goes back to the queue: the broker does not wait for ever for a word on it."""


class RemoteEngine:
    """Calls on its own thread and event loop, on which `completed` hears outcomes and the seconds that they took.

    `held` hears why no call may go out, `released` that they may again, `failed` that the thread cannot go on.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        remote: Remote,
        *,
        completed: Callable[[list[Completion], float], None],
        failed: Callable[[str], None],
        held: Callable[[CallsHeld], None],
        released: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._given = remote
        self._metrics = remote.metrics
        self._completed = completed
        self._failed = failed
        self._on_held = held
        self._on_released = released
        self._permission = Permission(words(settings.remote_cameras))
        self._cache = OpinionCache(settings.cached_results)
        self._models = {
            name: RemoteModel(name, settings.remote_prompt).model
            for name in (settings.remote_model, settings.remote_cheaper_model)
        }
        self._loop = asyncio.new_event_loop()
        self._together = settings.remote_images
        self._waiting: deque[Arrival] = deque()
        self._working: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Event()
        self._interrupted = asyncio.Event()
        self._stopping = asyncio.Event()
        self._hold: CallsHeld | None = None
        self._held_since = 0.0
        self._ending = False
        self._desired = DesiredRemote()
        self._parts: Parts
        self._calls = self._errors = 0
        self.report = RemoteReport(
            endpoint=urlsplit(settings.remote_url).netloc, model=settings.remote_model, state="waiting"
        )
        """How it stands; replaced as a whole, and read by any thread."""
        self._thread = threading.Thread(target=self._run, name="remote", daemon=True)

    # --- the connection's thread --------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, arrival: Arrival) -> None:
        """Have it computed."""
        self._soon(lambda: self._put(arrival))

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Senders share calls as they come: the limits are the endpoint's."""

    def settled(self, arrival: Arrival) -> None:
        """Nothing waits for that here."""

    def hear_cameras(self, status: CamerasStatus) -> None:
        """Take which cameras' frames may leave the house."""
        self._soon(lambda: self._permission.hear(status))

    def hear(self, desired: DesiredRemote) -> None:
        """Take what operators desire of the lane; an older revision than the last one is no news."""
        self._soon(lambda: self._hear(desired))

    def hurry(self) -> None:
        """Finish the calls under way and begin no more: what waits goes back to the queue."""
        self._soon(self._end)

    def stop(self) -> None:
        """End the thread, and wait for it a moment."""
        self._soon(self._stopping.set)
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _soon(self, deed: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(deed)

    # --- the engine's thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._live())
        except Exception as error:
            log.exception("the remote engine crashed")
            self._failed(f"the remote engine crashed: {type(error).__name__}: {error}")

    async def _live(self) -> None:
        given, metrics = self._given, self._metrics
        async with make_parts(self._settings, metrics, self._pause, given.key, given.prices) as parts:
            self._parts = parts
            beside = [asyncio.create_task(self._dispatch()), asyncio.create_task(self._look())]
            stopping = asyncio.create_task(self._stopping.wait())
            done, _ = await asyncio.wait([*beside, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in (*beside, stopping, *self._working):
                task.cancel()
            await asyncio.gather(*beside, *self._working, return_exceptions=True)
            for task in done:
                task.result()

    def _put(self, arrival: Arrival) -> None:
        if self._ending or self._hold is not None:
            self._put_back([arrival])
        else:
            self._waiting.append(arrival)
            self._arrived.set()

    async def _dispatch(self) -> None:
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            if len(self._waiting) < self._together:
                await asyncio.sleep(LINGER_SECONDS)
            ticket = await self._parts.concurrency.take()
            batch = [self._waiting.popleft() for _ in range(min(self._together, len(self._waiting)))]
            if batch:
                self._begin(self._work(batch, ticket))
            else:  # put back meanwhile
                self._parts.concurrency.give_back()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _work(self, batch: Sequence[Arrival], ticket: int) -> None:
        """From arrivals to outcomes; whatever is raised on the way costs these frames alone."""
        left = list(batch)
        try:
            frames: list[RemoteFrame] = []
            for arrival in batch:
                frame = await asyncio.to_thread(self._receive, arrival)
                if isinstance(frame, RemoteFrame) and (known := await self._known(frame)) is None:
                    frames.append(frame)
                else:
                    self._complete(arrival, frame if isinstance(frame, Failed) else known)
                    left.remove(arrival)
            if not frames:
                self._parts.concurrency.give_back()
                return
        except Exception as error:
            self._parts.concurrency.give_back()
            self._broken(left, error)
            return
        await self._guarded(frames, ticket)

    async def _guarded(self, frames: Sequence[RemoteFrame], ticket: int | None) -> None:
        try:
            await self._ask(frames, ticket)
        except Exception as error:
            self._broken([frame.arrival for frame in frames], error)

    def _receive(self, arrival: Arrival) -> RemoteFrame | Failed:
        return receive(arrival, self._permission, self._settings, self._settings.max_pixels, self._given.hide)

    async def _ask(self, frames: Sequence[RemoteFrame], ticket: int | None) -> None:
        """Call until there is an answer, at most so many times, or until the lane is held."""
        attempt = put_off = 0
        began = time.monotonic()
        while True:
            try:
                answer = await self._call(frames, ticket)
            except CallsHeld as held:
                self._held(held, frames)
                return
            except Throttled as error:
                if time.monotonic() - began > PATIENCE_SECONDS:
                    self._put_back([frame.arrival for frame in frames], "throttled")
                    return
                delay = max(error.after or 0.0, backoff(put_off))
                put_off += 1
            except EndpointRefuses as error:
                self._held(CallsHeld("refused", str(error)), frames)
                return
            except (Answered, PictureRefused) as error:
                if len(frames) > 1:  # one of them may be the reason
                    self._learn(error)
                    for frame in frames:
                        self._begin(self._guarded([frame], None))
                    return
                if isinstance(error, PictureRefused | Declined):
                    self._fail(frames, FailureReason.REMOTE_REFUSED, str(error))
                    return
                delay = backoff(attempt)
                attempt += 1
                if self._tired(attempt, frames, error):
                    return
            except CallFailed as error:
                delay = max(getattr(error, "after", None) or 0.0, backoff(attempt))
                attempt += 1
                if self._parts.breaker.open:
                    self._held(CallsHeld("breaker", str(error)), frames)
                    return
                if self._tired(attempt, frames, error):
                    return
            else:
                self._answered(frames, answer)
                return
            ticket = None
            try:
                await self._pause(delay)
            except CallsHeld as held:
                self._held(held, frames)
                return

    def _learn(self, error: CallFailed) -> None:
        if isinstance(error, TooManyPictures) and error.most < self._together:
            log.warning("fewer pictures in a request from now on", most=error.most, reason=str(error))
            self._together = max(1, error.most)

    async def _call(self, frames: Sequence[RemoteFrame], ticket: int | None) -> tuple[str, CallAnswer]:
        concurrency = self._parts.concurrency
        ticket = await concurrency.take() if ticket is None else ticket
        model = self._model(frames)
        outgoing = [
            OutgoingPicture(frame.task.camera_id, frame.task.frame_id, frame.picture) for frame in frames
        ]
        try:
            answer = await self._parts.caller.call(outgoing, model)
        except Throttled:
            self._calls += 1
            concurrency.throttled(ticket)
            raise
        except CallFailed:
            self._calls += 1
            self._errors += 1
            raise
        finally:
            concurrency.give_back()
        self._calls += 1  # one that was held was none
        concurrency.succeeded()
        return model, answer

    def _model(self, frames: Sequence[RemoteFrame]) -> str:
        settings, treasury = self._settings, self._parts.treasury
        if not settings.remote_cheaper_model:
            return settings.remote_model
        # Together in one request they are worth what the most urgent of them is.
        priorities = [frame.arrival.delivery.properties.priority for frame in frames]
        priority = None if None in priorities else max(each for each in priorities if each is not None)
        rules = words(settings.remote_cheaper_when)
        if cheaper(rules, treasury.share, treasury.today, priority):
            return settings.remote_cheaper_model
        return settings.remote_model

    def _answered(self, frames: Sequence[RemoteFrame], answered: tuple[str, CallAnswer]) -> None:
        model, answer = answered
        for frame, seen, cost in zip(frames, answer.seen, answer.costs, strict=True):
            width, height = frame.picture.width, frame.picture.height
            opinion = Opinion(seen.detections(width, height), seen.description, width, height)
            self._keep(self._cache.key(frame.task.image, self._models[model]), opinion)
            seconds = answer.seconds / len(frames)
            outcome = computed(
                frame,
                opinion,
                node_id=self._settings.node_id,
                model=self._models[model],
                cost=cost,
                seconds=seconds,
            )
            self._complete(frame.arrival, outcome, seconds)

    def _keep(self, key: Key, opinion: Opinion) -> None:
        self._cache.put(key, opinion)
        if (shared := self._parts.shared) is not None:
            self._begin(asyncio.to_thread(shared.put, key, opinion))

    async def _known(self, frame: RemoteFrame) -> Processed | None:
        """The result of a picture that was paid for before, by this worker or by another one."""
        shared = self._parts.shared
        for model in filter(None, (self._settings.remote_model, self._settings.remote_cheaper_model)):
            name = self._models[model]
            key = self._cache.key(frame.task.image, name)
            opinion = self._cache.get(key)
            if opinion is None and shared is not None:
                opinion = await asyncio.to_thread(shared.get, key)
                if opinion is not None:
                    self._cache.put(key, opinion)
            if opinion is not None:
                self._metrics.cached()
                return computed(
                    frame, opinion, node_id=self._settings.node_id, model=name, cost=0, seconds=0.0
                )
        return None

    def _tired(self, attempts: int, frames: Sequence[RemoteFrame], error: CallFailed) -> bool:
        """Fail them if there was the last attempt."""
        if attempts <= self._settings.remote_retries:
            return False
        self._fail(frames, FailureReason.REMOTE_ERROR, f"{error} (in attempt {attempts}, the last)")
        return True

    def _fail(self, frames: Sequence[RemoteFrame], reason: FailureReason, sentence: str) -> None:
        for frame in frames:
            self._complete(frame.arrival, Failed(reason, sentence))

    def _broken(self, arrivals: Sequence[Arrival], error: Exception) -> None:
        log.exception("frames could not be computed remotely")
        for arrival in arrivals:
            self._complete(arrival, Failed(FailureReason.WORKER_ERROR, f"{type(error).__name__}: {error}"))

    def _complete(self, arrival: Arrival, outcome: Processed | PutBack | None, seconds: float = 0.0) -> None:
        if outcome is not None:
            share = seconds / self._settings.remote_concurrency  # of the time that all calls together had
            self._completed([Completion(arrival, outcome, time.perf_counter())], share)

    # --- held, and released -------------------------------------------------------------------------------

    async def _pause(self, seconds: float) -> None:
        """Sleep. Raises CallsHeld as soon as nothing may go out any more."""
        try:
            async with asyncio.timeout(seconds):
                await self._interrupted.wait()
        except TimeoutError:
            return
        raise self._hold or CallsHeld("", "the worker ends")

    def _held(self, held: CallsHeld, frames: Sequence[RemoteFrame]) -> None:
        if held.by and self._hold is None and not self._ending:
            log.warning("the remote lane is paused", by=held.by, reason=held.reason)
            self._hold, self._held_since = held, time.monotonic()
            self._interrupted.set()
            self._on_held(held)
            self._put_back_waiting()
            self._note()
        self._put_back([frame.arrival for frame in frames])

    def _release(self) -> None:
        log.info("the remote lane goes on")
        self._hold = None
        if not self._ending:
            self._interrupted.clear()
        self._on_released()
        self._note()

    def _put_back_waiting(self) -> None:
        waiting, self._waiting = list(self._waiting), deque()
        self._put_back(waiting)

    def _put_back(self, arrivals: Sequence[Arrival], by: str = "") -> None:
        for arrival in arrivals:
            self._metrics.put_back(by or ("" if self._hold is None else self._hold.by) or "ending")
            self._complete(arrival, PutBack())

    def _end(self) -> None:
        self._ending = True
        self._interrupted.set()
        self._put_back_waiting()

    def _hear(self, desired: DesiredRemote) -> None:
        if desired.revision > self._desired.revision:
            self._desired = desired
            self._parts.treasury.allow(desired.raises)

    async def _look(self) -> None:
        """See once a second how it stands, and whether the reason for holding the lane has gone."""
        while True:
            try:
                await self._parts.treasury.look()
            except CallsHeld as held:
                self._held(held, [])
            else:
                if self._desired.paused:
                    self._held(CallsHeld("operator", "an operator has paused the remote lane"), [])
                if self._hold is not None and await self._over(self._hold):
                    self._release()
            self._note()
            await asyncio.sleep(LOOK_SECONDS)

    async def _over(self, hold: CallsHeld) -> bool:
        match hold.by:
            case "budget":
                # While calls are under way, what is reserved for them may be set free: no reason to go on.
                return not self._working and await self._parts.treasury.has_room()
            case "operator":
                return not self._desired.paused
            case "breaker":
                return self._parts.breaker.wait == 0
            case "refused":
                return time.monotonic() - self._held_since > DENIED_SECONDS
            case _:
                return self._audited()  # the books have just been read

    def _audited(self) -> bool:
        try:
            self._parts.audit.check(time.time())
        except OSError:
            return False
        return True

    def _frame_most(self) -> float:
        settings = self._settings
        largest = (settings.remote_max_side, settings.remote_max_side)
        try:
            price = self._parts.treasury.price(settings.remote_model)
        except InvalidPrices:
            return self.report.frame_most
        tokens = estimated_tokens(settings.remote_prompt, [largest])
        return price.cost(tokens, settings.remote_max_tokens) / DOLLAR

    def _note(self) -> None:
        parts, hold = self._parts, self._hold
        self.report = RemoteReport(
            endpoint=self.report.endpoint,
            model=self.report.model,
            state="open" if hold is None else "held",
            held_by="" if hold is None else hold.by,
            reason="" if hold is None else hold.reason,
            concurrency=parts.concurrency.limit,
            calls=self._calls,
            errors=self._errors,
            day=parts.treasury.day,
            month=parts.treasury.month,
            books=parts.treasury.books,
            frame_most=self._frame_most(),
            prices_changed=parts.treasury.prices_changed,
            warned=parts.treasury.warned,
            revision=self._desired.revision,
        )
        self._metrics.report(self.report)
