"""Producers as the gateway hears them, and which one's word on a camera counts. Pure: `now` is monotonic seconds.

The latest heartbeat of a producer names all cameras that it serves: that is its claim on them. Producers that share
cameras hand them over within about ten seconds (`producer/cluster/sharing.py`); until then a camera may have no claim,
and while producers cannot hear each other it may have several.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from contract.status import LOST_AFTER_SECONDS, CameraFileTrouble, CameraReport, ProducerEnd

HAND_OVER_SECONDS = 15.0
"""Members of a sharing take a dead one's cameras over after 10 s; this leaves them time to be heard."""
MAX_PRODUCERS = 1_000
UNKNOWN = 0.0
"""When a producer started of which only changes of cameras were heard so far."""


@dataclass(slots=True, eq=False)
class KnownProducer:
    """One process; two of the same name are told apart by `since`, when they started (Unix seconds)."""

    producer_id: str
    since: float
    heard: float
    heard_wall: float
    end: ProducerEnd | None = None
    """Why it stopped, if it said that it did."""
    offer: str = ""
    file: CameraFileTrouble | None = None
    """What is wrong in its file of cameras."""
    reports: dict[str, CameraReport] = field(default_factory=dict)
    """Its claims, and its word on each."""

    @property
    def stopped(self) -> bool:
        """Whether it said goodbye."""
        return self.end is not None

    @property
    def retired(self) -> bool:
        """Whether it stopped because it was meant to: nobody is to miss what it served."""
        return self.end is not None and self.end != "failed"

    def alive(self, now: float) -> bool:
        """Whether its word still counts."""
        return not self.stopped and now - self.heard <= LOST_AFTER_SECONDS


class Producers:
    """All that were heard of, at most 1,000."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, float], KnownProducer] = {}
        self._by_name: dict[str, KnownProducer] = {}

    def heard(self, producer_id: str, since: float | None, now: float, wall: float) -> KnownProducer:
        """Note that a producer spoke. `since` is None where the message does not tell: the last of that name."""
        known = self._by_name.get(producer_id)
        if since is None:
            since = known.since if known is not None else UNKNOWN
        elif known is not None and known.since == UNKNOWN:
            del self._all[producer_id, UNKNOWN]
            known.since = since
            self._all[producer_id, since] = known
        producer = self._all.get((producer_id, since))
        if producer is None:
            if len(self._all) >= MAX_PRODUCERS:
                self._drop(min(self._all.values(), key=lambda each: each.heard))
            producer = self._all[producer_id, since] = KnownProducer(producer_id, since, now, wall)
        if known is None or since >= known.since:
            self._by_name[producer_id] = producer
        producer.heard, producer.heard_wall, producer.end = now, wall, None
        return producer

    def takers(self, lost: KnownProducer, now: float) -> bool:
        """Whether somebody may take over what `lost` served: a living member of the sharing that it was in."""
        return lost.offer != "" and any(
            each is not lost and each.offer != "" and each.alive(now) for each in self._all.values()
        )

    def undecided(self, remover: KnownProducer, now: float) -> bool:
        """Whether a living producer shares other cameras than `remover`: it may not have read the same file yet."""
        return remover.offer != "" and any(
            each.offer not in ("", remover.offer) and each.alive(now) for each in self._all.values()
        )

    def file_troubles(self, now: float) -> list[CameraFileTrouble]:
        """What is wrong in the files of those that live."""
        return [each.file for each in self._all.values() if each.file is not None and each.alive(now)]

    def succeeded(self, lost: KnownProducer, now: float) -> bool:
        """Whether a later process of the same name lives."""
        last = self._by_name.get(lost.producer_id)
        return last is not None and last.since > lost.since and last.alive(now)

    def remote(self, camera_id: str, now: float) -> bool:
        """Whether one that lives says that the camera's frames may go to a remote model."""
        found = (each.reports.get(camera_id) for each in self._all.values() if each.alive(now))
        return any(report is not None and report.remote for report in found)

    def tidy(self, now: float, after: float) -> None:
        """Forget those that were not heard for `after` seconds."""
        for producer in [each for each in self._all.values() if now - each.heard > after]:
            self._drop(producer)

    def _drop(self, producer: KnownProducer) -> None:
        del self._all[producer.producer_id, producer.since]
        if self._by_name.get(producer.producer_id) is producer:
            del self._by_name[producer.producer_id]


def spokesman(
    claims: Iterable[KnownProducer], camera_id: str, incumbent: KnownProducer | None, now: float
) -> KnownProducer | None:
    """Whose word on the camera counts: one that lives, has it live, had it before, or else took it up last."""
    return max(
        claims,
        key=lambda each: (
            each.alive(now),
            each.reports[camera_id].state == "live",
            each is incumbent,
            each.reports[camera_id].since,
        ),
        default=None,
    )
