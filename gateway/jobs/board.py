"""The jobs whose clients are heard, and which of them stand still. Pure; `now` is monotonic seconds.

A client's process ends with its job, sooner than Prometheus would look at it: it tells the gateways, and these count.
Those of command lines, of programs and of other gateways are listed, too, until they have been silent for a while.
"""

from dataclasses import dataclass

from contract.jobs import JobStatus
from contract.status import LOST_AFTER_SECONDS
from gateway.metrics import FRAME_OUTCOMES, JOB_STATES, LOST, RUNNING, STALLED, GatewayMetrics

STALLED_SECONDS = 120.0
"""A job that has items under way, and of which none was settled for so long, stands still."""
FORGET_SECONDS = 3600.0
"""So long a job is known whose client is gone without a word: it counts as `lost`, until somebody goes on with it."""
SHOWN_SECONDS = 300.0
"""So long a job is listed that has ended, or whose client is silent."""
MAX_SHOWN = 200
MAX_JOBS = 10_000


@dataclass(slots=True)
class HeardJob:
    """What a job's client said last, and when; `moved`: when an item was settled last."""

    status: JobStatus
    heard: float
    moved: float

    @property
    def over(self) -> bool:
        """Its client has ended in order."""
        return self.status.state in ("done", "interrupted")

    def state(self, now: float) -> str:
        """One of JOB_STATES; what it said itself once it is over."""
        if self.over:
            return self.status.state
        if now - self.heard > LOST_AFTER_SECONDS:
            return LOST
        still = now - self.moved > STALLED_SECONDS and self.waiting > 0
        return STALLED if still else RUNNING

    @property
    def kept_seconds(self) -> float:
        """How long it is known after its client's last word."""
        return SHOWN_SECONDS if self.over else FORGET_SECONDS

    @property
    def waiting(self) -> int:
        """Items that are not settled."""
        return max(0, self.status.items - self.status.ok - self.status.failed)


class JobBoard:
    """Hears the clients of jobs, and tells the metrics of all together: no series for each.

    `gateway_id` is this gateway's: its own jobs are listed elsewhere.
    """

    def __init__(self, metrics: GatewayMetrics, gateway_id: str = "") -> None:
        self._metrics = metrics
        self._gateway_id = gateway_id
        self._jobs: dict[str, HeardJob] = {}
        self._counted: dict[str, tuple[float, JobStatus]] = {}

    def heard(self, status: JobStatus, now: float) -> None:
        """Take a client's word."""
        self._count(status, now)
        known = self._jobs.pop(status.job_id, None)
        if len(self._jobs) >= MAX_JOBS:
            del self._jobs[next(iter(self._jobs))]  # the one that was silent longest
        moved = known is None or _settled(known.status) != _settled(status)
        self._jobs[status.job_id] = HeardJob(status, now, now if known is None or moved else known.moved)

    def tick(self, now: float) -> None:
        """Forget jobs that are over, or whose clients went long ago, and count the others."""
        for job_id in [name for name, job in self._jobs.items() if now - job.heard > job.kept_seconds]:
            del self._jobs[job_id]
        for job_id in [name for name, (at, _) in self._counted.items() if now - at > FORGET_SECONDS]:
            del self._counted[job_id]
        states = [job.state(now) for job in self._jobs.values()]
        for state in JOB_STATES:
            self._metrics.jobs.labels(state).set(states.count(state))
        waiting = (job.waiting for job in self._jobs.values() if job.state(now) in (RUNNING, STALLED))
        self._metrics.job_items_waiting.set(sum(waiting))

    def shown(self, now: float) -> list[HeardJob]:
        """The jobs that others run, those that began last first."""
        found = [
            job
            for job in self._jobs.values()
            if self._is_others(job.status) and now - job.heard <= SHOWN_SECONDS
        ]
        found.sort(key=lambda job: job.status.since, reverse=True)
        return found[:MAX_SHOWN]

    def _is_others(self, status: JobStatus) -> bool:
        return not status.uploaded or status.gateway not in ("", self._gateway_id)

    def _count(self, status: JobStatus, now: float) -> None:
        """Count what the job's client did since its last word; of a run that is heard in its midst, from here on."""
        last = self._counted.pop(status.job_id, None)
        if len(self._counted) >= MAX_JOBS:
            del self._counted[next(iter(self._counted))]
        self._counted[status.job_id] = now, status
        before = last[1] if last is not None and last[1].since == status.since else None
        if before is None and status.time - status.since > LOST_AFTER_SECONDS:
            return

        def grown(name: str) -> int:
            count: int = getattr(status, name)
            return max(0, count - (getattr(before, name) if before is not None else 0))

        hits = grown("hits")
        self._metrics.job_lookups.labels("hit").inc(hits)
        self._metrics.job_lookups.labels("miss").inc(max(0, grown("lookups") - hits))
        for outcome in FRAME_OUTCOMES:
            self._metrics.job_frames.labels(outcome).inc(grown(outcome))
        self._metrics.job_windows.inc(grown("windows"))


def _settled(status: JobStatus) -> tuple[float, int]:
    return status.since, status.ok + status.failed
