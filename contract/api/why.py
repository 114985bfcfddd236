"""Why a frame was computed or not: a verdict, the frame's way, and what each place that was asked said of it."""

from dataclasses import dataclass
from typing import Literal

from contract.api.history import HopView

Verdict = Literal["computed", "expired", "dead_lettered", "retried_waiting", "repeated", "unknown"]
"""`retried_waiting` is known from a worker's log alone: `framefleet why` reads it, the gateway does not."""


@dataclass(slots=True, frozen=True)
class WitnessView:
    """What one place says of the frame. `not_asked`: the words say why it was not; `unavailable`: it did not answer."""

    place: Literal["history", "dead_letters", "camera", "queues", "metrics", "logs"]
    state: Literal["found", "nothing", "unavailable", "not_asked"]
    words: str


@dataclass(slots=True, frozen=True)
class ReferenceView:
    """Where more is to be seen: an address on this gateway."""

    name: str
    href: str


@dataclass(slots=True, frozen=True)
class WhyView:
    """The verdict on a frame, as a word and in `words`. `reason` is the word that metrics and dead letters have for it;
    `remedy` says what to do, null where nothing is to be done. `frame_id` is the one under which it was found.
    """

    frame_id: str
    camera_id: str | None
    verdict: Verdict
    words: str
    reason: str | None
    remedy: str | None
    hops: list[HopView]
    witnesses: list[WitnessView]
    links: list[ReferenceView]
