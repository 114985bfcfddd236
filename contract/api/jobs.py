"""Jobs that the gateway takes uploads for: what they are asked to do, how far they are, and what came of each
input.

Progress is asked for again (GET /api/jobs/{job_id}, once a second while it runs): it is kept ready, an answer
costs one look into a table. The WebSocket has nothing of jobs: it is for what must be seen within a tenth of a
second.
"""

from dataclasses import dataclass
from typing import Literal

JobViewState = Literal["uploading", "running", "paused", "done", "cancelled", "failed", "lost"]
ItemViewState = Literal["waiting", "sent", "ok", "failed"]
ClientJobState = Literal["running", "stalled", "lost", "done", "interrupted"]
UploadState = Literal["receiving", "complete"]
ResultFormat = Literal["ndjson", "csv", "coco"]


@dataclass(slots=True, frozen=True)
class UploadView:
    """A file that is sent: `offset` of its `size` bytes have come. `note` says what it waits for, if it does: a
    video with its index at its end is read when all of it is there."""

    upload_id: str
    name: str
    size: int
    offset: int
    state: UploadState
    note: str | None


@dataclass(slots=True, frozen=True)
class JobUploadsView:
    """A job's uploads, complete or not, in the order in which they began. `next` is the cursor of the next page; null:
    there is none."""

    uploads: list[UploadView]
    next: str | None


@dataclass(slots=True, frozen=True)
class JobSettingsView:
    """How a job looks at its inputs: at a picture of a video `every` so many seconds (0: at all), in windows of
    fixed length or by scenes; `skip` leaves out pictures that show nothing new. `lane` computes them."""

    every: float
    windows: Literal["fixed", "scene"]
    skip: bool
    lane: Literal["batch"]


@dataclass(slots=True, frozen=True)
class JobFramesView:
    """The pictures of a job's videos: of those `decoded`, `skipped` were left out (too many a second, or
    still), `reused` show what an earlier one shows, and `computed` went to a worker."""

    decoded: int
    skipped: int
    reused: int
    computed: int


@dataclass(slots=True, frozen=True)
class JobFailureView:
    """Items that failed for one `reason`. `what_to_do` is a sentence for whoever sent them."""

    reason: str
    count: int
    what_to_do: str


@dataclass(slots=True, frozen=True)
class JobLatencyView:
    """Seconds from sending an item to its answer, below which half, 95 % and 99 % are; null while there is
    none."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(slots=True, frozen=True)
class JobView:
    """A job. `state` is `uploading` until it is said that no more uploads come, though its work has begun
    before, and `running` until all is settled; `failed`: it cannot go on, `note` says why; `lost`: its books
    are gone.

    `note` says what it waits for, if it does. `items` counts pictures, videos and those of their pictures that
    are analysed; `rate` is items settled a second lately, `eta_seconds` is null while nobody can tell, `bytes`
    are those of its uploads. `uploads` are those that are not complete yet, at most a hundred; `files` counts
    those that are.
    """

    job_id: str
    name: str
    state: JobViewState
    note: str | None
    complete: bool
    settings: JobSettingsView
    created: float
    started: float | None
    ended: float | None
    by: str | None
    items: int
    ok: int
    failed: int
    retried: int
    rate: float
    eta_seconds: float | None
    bytes: int
    files: int
    videos: int
    frames: JobFramesView
    failures: list[JobFailureView]
    latency: JobLatencyView
    uploads: list[UploadView]


@dataclass(slots=True, frozen=True)
class JobsView:
    """Jobs, newest first. `next` is the cursor of the next page; null: there is none."""

    items: list[JobView]
    next: str | None


@dataclass(slots=True, frozen=True)
class ClientJobFailureView:
    """Items that failed for one `reason`; the command says of each what was wrong."""

    reason: str
    count: int


@dataclass(slots=True, frozen=True)
class ClientJobView:
    """A job of `framefleet batch`, of a program or of another `gateway`, on the machine `host`, as its client tells it:
    this gateway has no part in it. `lost`: the client is silent; `stalled`: items are under way, and none was settled
    for two minutes. `started` is when this run of it began, `heard` when its client was heard last. `listed`: `items`
    are all that there will be; other figures are as of the gateway's own jobs."""

    job_id: str
    host: str
    gateway: str | None
    state: ClientJobState
    note: str | None
    started: float
    heard: float
    items: int
    listed: bool
    ok: int
    failed: int
    retried: int
    rate: float
    eta_seconds: float | None
    failures: list[ClientJobFailureView]


@dataclass(slots=True, frozen=True)
class ClientJobsView:
    """Jobs whose clients were heard within five minutes, those that began last first, 200 at most."""

    items: list[ClientJobView]


@dataclass(slots=True, frozen=True)
class JobItemView:
    """An input of a job. `detections` counts what was found: of a video, the stretches in which anything was.
    `seconds` are those from sending it to its answer, of a video its length."""

    number: int
    name: str
    kind: Literal["picture", "video"]
    state: ItemViewState
    reason: str | None
    error: str | None
    detections: int
    seconds: float | None
    size: int | None


@dataclass(slots=True, frozen=True)
class JobItemsView:
    """Inputs of a job, in the order in which they came. `next` is the cursor of the next page; null: there is
    none."""

    items: list[JobItemView]
    next: str | None


@dataclass(slots=True, frozen=True)
class PresenceView:
    """A stretch of a video in which faces were found, in seconds of the video: how many at once at most, how
    sure the best is (0-1), and `best_time`, whose picture shows it."""

    time: float
    until: float
    faces: int
    confidence: float
    best_time: float


@dataclass(slots=True, frozen=True)
class WindowView:
    """A stretch of a video that was analysed as one: of its `samples` so many were `analysed`."""

    number: int
    time: float
    until: float
    samples: int
    analysed: int


@dataclass(slots=True, frozen=True)
class SkippedView:
    """A stretch of a video of a second or more that showed nothing new."""

    time: float
    until: float


@dataclass(slots=True, frozen=True)
class JobTimelineView:
    """What is known of a video so far; `state` as of the item. `seconds` is how far it was read. Windows are
    known once it was read to its end. `pictures` are the times of which GET …/picture?time= has one: the best
    of each second in which something was found, and until then the first of all."""

    number: int
    name: str
    state: ItemViewState
    seconds: float
    presences: list[PresenceView]
    windows: list[WindowView]
    skipped: list[SkippedView]
    pictures: list[float]
