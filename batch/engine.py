"""Runs a job: a window of items is under way, each until its answer is in the books. All on one event loop.

An item's way: read, entered with its digest, sent, confirmed by the broker, answered, entered, acknowledged.
Whatever dies in between, the next run goes on: what the broker keeps is waited for, what it does not keep is
sent.
"""

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from batch import reasons
from batch.arrivals import Arrivals
from batch.cache.levels import CacheLevels
from batch.courtesy import LOOK_SECONDS, Courtesy
from batch.errors import BatchError
from batch.feed import Feed, Loaded
from batch.footage import Footage
from batch.inputs.kinds import VIDEO
from batch.job import Job
from batch.kept_frames import FrameKeeper, KeptFrame
from batch.known import KnownResults
from batch.news import News
from batch.progress import Progress
from batch.report import BatchReport, sum_up
from batch.store import Answer, Item, State
from batch.tasks import answered, digest_of, item_task, to_answer
from broker import AsyncioLoop, Delivery, Link, Message, Outcome, aio, from_body
from broker.backoff import compute_backoff
from broker.session import session
from contract.jobs import answers_queue
from contract.result import Result, parse_reply
from contract.status import parse_status
from contract.topology import STATUS_EXCHANGE, TASK_QUEUE, Lane, Topology
from runtime.logs import get_logger

log = get_logger("batch")

CONCURRENCY = 10
ATTEMPTS = 3
PATIENCE_SECONDS = 150.0
"""An item without an answer for so long, while nothing waits in its lane, is sent again: longer than a worker's
own further attempts take (1, 10 and 60 seconds later)."""
LONGEST_PAUSE = 30.0
DRAIN_SECONDS = 10.0
"""After an interruption so long is waited for what is under way. The broker keeps what is not answered by then."""
REMOTE_PATIENCE_SECONDS = 900.0
"""A remote worker puts a throttled item off for minutes, and a second call would be paid for, too."""
READ_AHEAD = 4
PREFETCH = 1_000
DELETE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """How a job is run. `concurrency`: items under way at once. `patience` in seconds. `kept`: what was
    computed before, which the job closes when it ends; None: everything is sent. `arrivals`: its inputs arrive
    while it runs. `frames` keeps pictures of its videos. `share`: of its speed, while live frames wait.
    `gateway`: the one whose job it is."""

    concurrency: int = CONCURRENCY
    lane: Lane = Lane.BATCH
    patience: float = PATIENCE_SECONDS
    retry_failed: bool = False
    kept: CacheLevels | None = None
    arrivals: Arrivals | None = None
    frames: FrameKeeper | None = None
    share: float = 1.0
    gateway: str = ""


class Engine:
    """One run of a job. `told` hears of its progress several times a second."""

    def __init__(
        self,
        job: Job,
        urls: Sequence[str],
        options: Options,
        told: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self._job = job
        self._urls = urls
        self._options = options
        self._feed = Feed(job, options.arrivals)
        self._footage = Footage(job, options.arrivals)
        self._to_read: asyncio.Queue[Item | None] = asyncio.Queue(READ_AHEAD)
        self._known = (
            None
            if options.kept is None
            else KnownResults(options.kept, options.lane, job.wish.model, self._takers)
        )
        self._answers: dict[int, asyncio.Future[None]] = {}
        self._sent_at: dict[int, float] = {}
        self._ready: asyncio.Queue[Loaded | None] = asyncio.Queue(READ_AHEAD)
        self._subscribed = asyncio.Event()
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopping = asyncio.Event()
        self._for_good = False
        self._sent_bytes = 0
        self._link = link = Link(AsyncioLoop(), urls, f"framefleet batch {job.job_id}", on_fatal=self._fail)
        self._publisher = link.publisher(window=2 * options.concurrency + 10)
        self._queue = answers_queue(job.job_id)
        link.consume(
            self._queue.name,
            self._heard,
            prefetch=PREFETCH,
            on_subscribed=lambda _name: self._subscribed.set(),
            needed=True,
            declared=Topology((), (self._queue,)),
        )
        self._depth = link.depth([options.lane.queue, TASK_QUEUE], every=LOOK_SECONDS)
        self._courtesy = Courtesy(options.share if options.lane is Lane.BATCH else 1.0)
        if self._known is not None:
            link.listen(STATUS_EXCHANGE, "node.*", from_body(parse_status), self._known.heard)
        self._news = News(
            job,
            options.lane,
            self._publisher,
            self._depth,
            link,
            self._feed,
            self._footage,
            self._known,
            self._courtesy,
            told,
            uploaded=options.arrivals is not None,
            gateway=options.gateway,
        )

    # --- life ---------------------------------------------------------------------------------------------

    def stop(self, *, for_good: bool = False) -> None:
        """Send no more; what is under way is waited for. `for_good`: nobody goes on with the job."""
        self._for_good = self._for_good or for_good
        self._stopping.set()
        self._feed.stop()
        self._footage.stop()
        self._news.state = "draining"

    async def run(self) -> BatchReport:
        """Work until all is settled, or `stop`. Raises BatchError."""
        began, store = time.monotonic(), self._job.store
        if self._options.retry_failed:
            store.retry_failed()
        before = store.counts()
        self._link.start()
        try:
            await self._until_broken(self._work())
        except (sqlite3.Error, OSError) as error:
            raise BatchError(f"the job's books in {self._job.folder} cannot be kept: {error}") from error
        finally:
            left = store.counts()
            finished = self._feed.listed and not left[State.WAITING] and not left[State.SENT]
            self._news.state = "done" if finished else "interrupted"
            self._news.say()
            self._news.tell()
            await self._feed.close()
            await self._footage.close()
            with suppress(TimeoutError):
                await self._link.stop()
            if self._known is not None:
                await self._known.close()
        if finished or self._for_good:
            await self._delete_queue()
        after = store.counts()
        settled = after[State.OK] + after[State.FAILED] - before[State.OK] - before[State.FAILED]
        return sum_up(
            self._job.job_id,
            store,
            finished=finished,
            retries=self._news.retries,
            seconds=time.monotonic() - began,
            settled=settled,
            sent_bytes=self._sent_bytes,
            left_out=self._feed.left_out,
        )

    async def _work(self) -> None:
        under_way = [Loaded(item) for item in self._job.store.open_items(State.SENT, most=1_000_000)]
        for each in under_way:
            self._begin(each.item)
        telling = asyncio.create_task(self._news.keep_telling(lambda: len(self._answers)))
        looking = asyncio.create_task(self._look_about())
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._feed.find_all())
                await self._first(self._subscribed, self._stopping)
                group.create_task(self._fill(under_way, group.create_task(self._read_videos())))
                for _ in range(self._options.concurrency):
                    group.create_task(self._slot())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the others were cancelled because of it
        finally:
            for task in (telling, looking):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _look_about(self) -> None:
        """Look for ever whether live frames wait: more than one for each worker, which has one in its hands."""
        while True:
            waiting = self._depth.messages.get(TASK_QUEUE, 0)
            workers = self._depth.consumers.get(TASK_QUEUE, 0)
            self._courtesy.look(time.monotonic(), waits=waiting > workers > 0)
            await asyncio.sleep(LOOK_SECONDS)

    async def _until_broken(self, work: Coroutine[Any, Any, None]) -> None:
        """Work, unless something that waiting cannot help ends it, or draining takes too long."""
        task = asyncio.create_task(work)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            waiting: set[asyncio.Future[Any]] = {task, self._broken, stopping}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done() and not task.done():
                await asyncio.wait(
                    {task, self._broken},
                    timeout=0 if self._news.unserved else DRAIN_SECONDS,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            if self._broken.done():
                self._broken.result()
            if task.done():
                task.result()
        finally:
            stopping.cancel()
            task.cancel()
            await asyncio.wait({task, stopping})

    @staticmethod
    async def _first(*events: asyncio.Event) -> None:
        """Wait for one of these."""
        waiting = [asyncio.create_task(event.wait()) for event in events]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    # --- the window -----------------------------------------------------------------------------------------

    async def _fill(self, under_way: list[Loaded], reading: "asyncio.Task[None]") -> None:
        """Put into the window what the broker has from an earlier run, and then what waits."""
        for each in under_way:
            await self._ready.put(each)
        async for loaded in self._feed.waiting(self._answers):
            if self._stopping.is_set():
                break
            if loaded.item.kind == VIDEO:
                self._expect(loaded.item.number)
                await self._to_read.put(loaded.item)
            else:
                await self._hand_on(loaded)
        await self._to_read.put(None)
        await reading
        for _ in range(self._options.concurrency):
            await self._ready.put(None)

    async def _read_videos(self) -> None:
        """Read one video after the other, beside the pictures."""
        while (item := await self._to_read.get()) is not None:
            async for loaded in self._footage.samples(item):
                if self._stopping.is_set():
                    break
                if loaded.item.number not in self._answers:
                    await self._hand_on(loaded)
            self._done_with(self._footage.look(item.number))

    async def _hand_on(self, loaded: Loaded) -> None:
        self._begin(loaded.item)
        await self._ready.put(loaded)

    async def _slot(self) -> None:
        """One place in the window: takes an item after the other."""
        while (loaded := await self._ready.get()) is not None:
            if self._sent_before(loaded) or not self._stopping.is_set():
                await self._finish(loaded)
            self._keep_frame(loaded)
            self._answers.pop(loaded.item.number, None)
            self._sent_at.pop(loaded.item.number, None)
            self._done_with(self._footage.ended(loaded.item))

    def _keep_frame(self, loaded: Loaded) -> None:
        """Keep a video's picture, if such are kept and it is settled and worth it."""
        video, frames = loaded.item.video, self._options.frames
        if frames is None or video is None or not loaded.picture:
            return
        sample = self._job.store.videos.settled(loaded.item.number)
        if sample is not None and sample.ok:
            found = json.loads(sample.detections)
            best = max((each["confidence"] for each in found), default=0.0)
            frames.offer(video, KeptFrame(sample.frame, sample.time), loaded.picture, len(found), best)

    @property
    def frames_under_way(self) -> Counter[str]:
        """The pictures so far of the videos that are being read: analysed, still, repeated."""
        return self._footage.under_way

    def _takers(self) -> int | None:
        """How many workers take from the lane; None while that is not known."""
        return self._depth.consumers.get(self._options.lane.queue)

    def _begin(self, item: Item) -> None:
        self._expect(item.number)
        self._footage.began(item)

    def _done_with(self, video: int | None) -> None:
        if video is not None:
            self._answers.pop(video, None)

    def _sent_before(self, loaded: Loaded) -> bool:
        """It is in the broker's hands from an earlier run."""
        return not loaded.picture and loaded.unreadable is None

    async def _finish(self, loaded: Loaded) -> None:
        """Send the item until it is answered, or has been sent too often."""
        item, answer = loaded.item, self._answers[loaded.item.number]
        if self._sent_before(loaded):
            if await self._answered(answer):
                return
            self._news.retries += 1
            if item.video is not None:
                self._send_again(item)
                return
            loaded = await self._feed.load(item)
        if answer.done():  # to what an earlier run had sent, without knowing that it had arrived
            return
        if loaded.unreadable is not None:
            self._settle(
                item, Answer(ok=False, reason=loaded.unreadable.reason, error=loaded.unreadable.error)
            )
            return
        digest = digest_of(loaded.picture)
        if self._known is not None and (known := await self._known.lookup(digest)) is not None:
            if not answer.done():
                self._settle(item, known)
            return
        message = item_task(
            self._job.job_id, item.number, digest, loaded.picture, self._options.lane, self._job.wish.model
        )
        self._sent_bytes += len(loaded.picture)
        for attempt in range(ATTEMPTS):
            if attempt:
                self._news.retries += 1
                await asyncio.sleep(compute_backoff(attempt, cap=LONGEST_PAUSE))
            async with self._courtesy.turn(self._stopping.is_set):
                if self._stopping.is_set() and not attempt:
                    return  # it waits for the next run
                self._job.store.claim(item.number, digest, len(loaded.picture))
                self._sent_at[item.number] = time.monotonic()
                if not await self._send(item, message, answer) or await self._answered(answer):
                    return
            answer = self._expect(item.number)
        self._give_up(item)

    def _send_again(self, item: Item) -> None:
        """A sample's picture is to be had from its video, which is read again."""
        if item.attempts < ATTEMPTS:
            self._job.store.unsend(item.number)
        else:
            self._give_up(item)

    def _give_up(self, item: Item) -> None:
        said = f"it was sent {ATTEMPTS} times and never answered: `framefleet dlq list` says whether workers died of it"
        self._settle(item, Answer(ok=False, reason=reasons.NO_ANSWER, error=said))

    async def _send(self, item: Item, message: Message, answer: "asyncio.Future[None]") -> bool:
        """Publish until the broker keeps it; returns whether its answer is to be waited for."""
        attempt = 0
        while True:
            outcome = await aio.publish(self._publisher, message)
            if answer.done():  # of what was sent before, and not known to have arrived
                return False
            if outcome is Outcome.CONFIRMED:
                self._news.trouble = None
                self._job.store.sent(item.number)
                return True
            if outcome is Outcome.REFUSED:
                said = "RabbitMQ refuses it as it is, by a limit of its own"
                self._settle(item, Answer(ok=False, reason=reasons.REFUSED, error=said))
                return False
            self._news.trouble = outcome
            self._news.retries += 1
            if self._stopping.is_set() and outcome is not Outcome.TIMED_OUT:
                return False  # it waits for the next run
            await asyncio.sleep(compute_backoff(attempt, cap=LONGEST_PAUSE))
            attempt += 1

    async def _answered(self, answer: "asyncio.Future[None]") -> bool:
        """Wait for an answer; returns False once it is overdue although nothing waits in the lane."""
        since = time.monotonic()
        while not answer.done():
            await asyncio.wait({answer}, timeout=1.0)
            quiet = self._news.quiet_since
            now = time.monotonic()
            if quiet is not None and now - max(since, quiet) > self._options.patience:
                return answer.done()
        answer.result()
        return True

    def _expect(self, number: int) -> "asyncio.Future[None]":
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        return answer

    # --- answers --------------------------------------------------------------------------------------------

    def _heard(self, delivery: Delivery) -> None:
        """Enter an answer, then acknowledge it. What answers nothing of ours, or comes twice, is let go."""
        found = answered(self._job.job_id, delivery.correlation_id)
        try:
            if found is not None:
                self._enter(*found, delivery.body)
        except sqlite3.Error as error:  # it stays where it is, for the next run
            self._fail(f"the job's books in {self._job.folder} cannot be kept: {error}")
            return
        delivery.ack()

    def _enter(self, number: int, digest: str, body: bytes) -> None:
        sent = self._sent_at.get(number)
        try:
            reply = parse_reply(body)
            answer = to_answer(reply, None if sent is None else time.monotonic() - sent)
        except ValueError as error:
            log.warning("an answer could not be read", error=str(error)[:200])
            return
        if answer is None:
            return  # too old to be computed, says a worker: it is sent again when its patience is over
        if sent is not None:
            self._courtesy.answered()
        if self._job.store.settle(number, answer, digest) and self._known is not None:
            whole = self._job.store.digest(number)
            if whole is not None and isinstance(reply, Result):
                self._known.keep(whole, reply, fresh=sent is not None)
        waiter = self._answers.get(number)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _settle(self, item: Item, answer: Answer) -> None:
        self._job.store.settle(item.number, answer)

    def _fail(self, reason: str) -> None:
        if not self._broken.done():
            self._broken.set_exception(BatchError(reason))

    async def _delete_queue(self) -> None:
        """Leave nothing on the broker; where that fails, the queue ends by itself in a week."""
        with suppress(Exception):
            async with (
                asyncio.timeout(DELETE_SECONDS),
                session(self._urls, "framefleet batch") as opened,
                opened.channel() as channel,
            ):
                await channel.delete(self._queue.name)
