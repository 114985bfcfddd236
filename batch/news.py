"""What a running job says of itself: to whoever waits for it, and to the gateways."""

import asyncio
import socket
import time
from collections.abc import Callable
from itertools import islice

from batch.courtesy import Courtesy
from batch.feed import Feed
from batch.footage import Footage
from batch.job import Job
from batch.known import KnownResults
from batch.progress import Pace, Progress
from batch.store import State
from broker import Link, Message, Outcome, Publisher, QueueDepth
from contract.jobs import MAX_NOTE, MAX_REASONS, JobState, JobStatus
from contract.status import HEARTBEAT_SECONDS, encode_status, status_routing_key
from contract.topology import STATUS_EXCHANGE, Lane
from runtime.version import VERSION

TELL_SECONDS = 0.2
START_SECONDS = 2.0
"""So long nothing is said of a connection that is not there yet."""
UNSERVED_SECONDS = 3.0
"""A lane is unserved when nobody has consumed it for so long: a worker that reconnects is back before."""
REST = 20.0
"""So many times as long as it took, reasons are not looked up again."""
TROUBLES = {
    Outcome.REJECTED: "the lane is full: waiting for room",
    Outcome.QUEUE_DOWN: "the lane's queue is down: `framefleet queues check` says why",
    Outcome.BLOCKED: "RabbitMQ has raised an alarm and takes nothing: waiting",
    Outcome.UNROUTABLE: "the lane's queue is missing: it is declared again",
}


class News:
    """Progress and heartbeats. `quiet_since`: from when on nothing has waited in the lane, which somebody serves."""

    def __init__(
        self,
        job: Job,
        lane: Lane,
        publisher: Publisher,
        depth: QueueDepth,
        link: Link,
        feed: Feed,
        footage: Footage,
        known: KnownResults | None,
        courtesy: Courtesy,
        told: Callable[[Progress], None],
        *,
        uploaded: bool,
        gateway: str,
    ) -> None:
        self._job = job
        self._lane = lane
        self._publisher = publisher
        self._depth = depth
        self._link = link
        self._feed = feed
        self._footage = footage
        self._known = known
        self._courtesy = courtesy
        self._told = told
        self._uploaded = uploaded
        self._gateway = gateway
        self._reasons: dict[str, int] = {}
        self._reasons_of = 0
        self._reasons_rest = float("-inf")
        self._since = time.time()
        self._began = time.monotonic()
        self._pace = Pace()
        self._outstanding: Callable[[], int] = lambda: 0
        self._said = float("-inf")
        self._served = time.monotonic()
        self.quiet_since: float | None = None
        self.retries = 0
        self.trouble: Outcome | None = None
        self.state: JobState = "running"

    async def keep_telling(self, outstanding: Callable[[], int]) -> None:
        """Tell for ever; `outstanding` counts the items under way."""
        self._outstanding = outstanding
        while True:
            self._look(time.monotonic())
            self.tell()
            if time.monotonic() - self._said >= HEARTBEAT_SECONDS:
                self.say()
            await asyncio.sleep(TELL_SECONDS)

    def tell(self) -> None:
        """Tell whoever waits for the job how far it is."""
        self._told(self._progress())

    def say(self) -> None:
        """Say to the gateways how far the job is."""
        self._said = time.monotonic()
        counts = self._job.store.counts()
        lookups, hits = self._lookups()
        frames = self._footage.frames
        progress = self._progress()
        status = JobStatus(
            job_id=self._job.job_id,
            state=self.state,
            items=sum(counts.values()),
            listed=self._feed.listed,
            ok=counts[State.OK],
            failed=counts[State.FAILED],
            outstanding=self._outstanding(),
            retries=self.retries,
            since=self._since,
            time=time.time(),
            version=VERSION,
            host=socket.gethostname(),
            lookups=lookups,
            hits=hits,
            analysed=frames["analysed"],
            still=frames["still"],
            repeated=frames["repeated"],
            thinned=frames["thinned"],
            windows=self._footage.windows,
            rate=round(progress.rate, 3),
            reasons=self._reasons_now(counts[State.FAILED]),
            note=progress.note[:MAX_NOTE] if progress.note else None,
            uploaded=self._uploaded,
            gateway=self._gateway,
        )
        self._publisher.publish(
            Message(
                STATUS_EXCHANGE,
                status_routing_key(status),
                encode_status(status),
                persistent=False,
                mandatory=False,
            )
        )

    def _reasons_now(self, failed: int) -> dict[str, int]:
        """Why items failed; looked up again when more have, and not often where that takes long."""
        now = time.monotonic()
        if failed != self._reasons_of and now >= self._reasons_rest:
            self._reasons = dict(islice(self._job.store.reasons().items(), MAX_REASONS))
            self._reasons_of = failed
            self._reasons_rest = time.monotonic() + REST * (time.monotonic() - now)
        return self._reasons

    def _look(self, now: float) -> None:
        """See whether the lane is served, and whether anything waits there."""
        queue = self._lane.queue
        served = self._depth.consumers.get(queue, 0) > 0
        if served or queue not in self._depth.consumers:
            self._served = now
        if served and self._depth.messages.get(queue, 1) == 0:
            self.quiet_since = now if self.quiet_since is None else self.quiet_since
        else:
            self.quiet_since = None

    @property
    def unserved(self) -> bool:
        """Nobody works on the lane."""
        return time.monotonic() - self._served > UNSERVED_SECONDS

    def _progress(self) -> Progress:
        counts, now = self._job.store.counts(), time.monotonic()
        settled = counts[State.OK] + counts[State.FAILED]
        return Progress(
            job_id=self._job.job_id,
            items=sum(counts.values()),
            listed=self._feed.listed,
            ok=counts[State.OK],
            failed=counts[State.FAILED],
            outstanding=self._outstanding(),
            retries=self.retries,
            rate=self._pace.sample(now, settled),
            seconds=now - self._began,
            note=self._note(),
            known=self._lookups()[1],
        )

    def _lookups(self) -> tuple[int, int]:
        """How many pictures were looked up, and how many were known."""
        if self._known is None:
            return 0, 0
        counts = self._known.counts
        return counts.asked, counts.hits

    def _note(self) -> str | None:
        """What the job waits for, in a sentence; None while all goes on."""
        if (missing := self._link.missing()) and time.monotonic() - self._began > START_SECONDS:
            return missing[0]
        if self.trouble is not None:
            return TROUBLES.get(self.trouble, "RabbitMQ has not taken an item: trying again")
        if self.unserved:
            return f"nobody works on the lane {self._lane.value}"
        if self._courtesy.stands_back:
            return "live frames wait: it gives way to them"
        return None
