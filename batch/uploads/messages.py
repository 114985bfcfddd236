"""What a gateway and the process that computes one of its jobs say to each other: JSON, a line for each message."""

import msgspec
from msgspec import Struct

from batch.video.settings import VideoSettings


class Arrived(Struct, frozen=True, tag="arrived"):
    """A file is there, or the beginning of a video that can be read while it grows. `path` is relative to the folder of
    inputs, `stamp` (nanoseconds) tells it from an earlier one of that name."""

    path: str
    size: int
    stamp: int
    kind: str
    finished: bool


class Finished(Struct, frozen=True, tag="finished"):
    """All of a video is there that arrived before."""

    path: str


class Withdrawn(Struct, frozen=True, tag="withdrawn"):
    """The rest of a video will not come; `why` is a sentence."""

    path: str
    why: str


class Complete(Struct, frozen=True, tag="complete"):
    """No more files come."""


class Stop(Struct, frozen=True, tag="stop"):
    """Finish what is under way, and end. `for_good`: nobody goes on with the job."""

    for_good: bool = False


Order = Arrived | Finished | Withdrawn | Complete | Stop


class JobFigures(Struct, frozen=True, kw_only=True):
    """How far a job is, by its books. `reasons` counts failed items; quantiles are seconds from sending to answer.

    Pictures of videos: `decoded`, of which `skipped` (too many, or still), `reused` (known from before), `computed`.
    """

    items: int = 0
    ok: int = 0
    failed: int = 0
    retried: int = 0
    rate: float = 0.0
    eta: float | None = None
    note: str | None = None
    videos: int = 0
    decoded: int = 0
    skipped: int = 0
    reused: int = 0
    computed: int = 0
    reasons: dict[str, int] = {}
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


class Told(Struct, frozen=True, tag="told"):
    """How far it is."""

    figures: JobFigures


class Over(Struct, frozen=True, tag="over"):
    """The last word. `done`: all is settled, and what is kept is in the store of objects; `error`: why it
    cannot go on."""

    figures: JobFigures
    done: bool = False
    error: str | None = None


JobWord = Told | Over


class JobOrder(Struct, frozen=True, kw_only=True):
    """The first line that the process reads: what it is to compute, and how.

    folder: of the job. objects, key_file: of the store of objects, as the settings are written. settings: how
    videos are looked at. retried: items that were sent again in earlier runs. gateway: what the one that has it
    is called.
    """

    job_id: str
    folder: str
    objects: str
    settings: VideoSettings
    keep_videos: bool
    key_file: str | None = None
    retried: int = 0
    gateway: str = ""


_encoder = msgspec.json.Encoder()
_orders: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
_words: msgspec.json.Decoder[JobWord] = msgspec.json.Decoder(JobWord)


def line(message: Order | JobWord | JobOrder) -> bytes:
    """A message as a line."""
    return _encoder.encode(message) + b"\n"


def parse_order(text: bytes) -> Order:
    """Read a line of the gateway. Raises ValueError."""
    return _orders.decode(text)


def parse_job_word(text: bytes) -> JobWord:
    """Read a line of the process. Raises ValueError."""
    return _words.decode(text)
