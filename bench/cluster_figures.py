"""What two looks at the cluster say of the time between them, and whether that is what was aimed at. Pure."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from bench.cluster_processes import Look
from bench.metrics import Metrics, grown, jain, quantile, under

AGE = "gateway_result_age_seconds"
WANTED = ("replaced", "handed_over")
"""Why frames are dropped that nobody lacks: there is a newer one, or another producer sends it."""


@dataclass(frozen=True)
class Figures:
    """Rates are per second, shares of 1, times in seconds."""

    asked: float
    """Pictures that the cameras were asked for."""
    analysed: float
    replaced: float
    ages: tuple[float, float, float]
    """p50, p95, p99 from capture to gateway."""
    under_half_second: float
    """Share of the frames whose age was that."""
    errors: float
    """Per picture asked for."""
    reasons: dict[str, float]
    """How many errors of each kind."""
    fairness: float
    resident: float
    """Megabytes."""
    cost: dict[str, float]
    """CPU milliseconds per analysed frame, by process."""
    busy: float
    """Cores."""
    others: float
    """Cores that neither the cluster nor the cameras used."""


@dataclass(frozen=True)
class Aim:
    """One sentence, and when it is true."""

    sentence: str
    met: Callable[[Figures], bool]
    shown: Callable[[Figures], str]

    def verdict(self, found: Figures) -> str:
        """The line that is printed."""
        return f"{'met   ' if self.met(found) else 'MISSED'} {self.sentence}: {self.shown(found)}"


AIMS = (
    Aim("at least 150 frames a second analysed", lambda f: f.analysed >= 150, lambda f: f"{f.analysed:.1f}"),
    Aim(
        "95 % of them at the gateway within 500 ms of their capture",
        lambda f: f.under_half_second >= 0.95,
        lambda f: f"{100 * f.under_half_second:.2f} %",
    ),
    Aim("fewer than 0.1 % errors", lambda f: f.errors < 0.001, lambda f: f"{100 * f.errors:.4f} %"),
    Aim("less than 2 GB resident", lambda f: f.resident < 2000, lambda f: f"{f.resident:.0f} MB"),
)


def figures(cameras: int, before: Look, after: Look, resident: float) -> Figures:
    """Of the time between two looks; `resident`: megabytes at most in it."""
    seconds = after.time - before.time
    ages = grown(before.gateway.below(AGE), after.gateway.below(AGE))
    results = ages[float("inf")]
    asked = after.rig.total("rig_answers_total") - before.rig.total("rig_answers_total")
    sent = grown(
        before.producer.by("camera_id", "producer_frames_sent_total"),
        after.producer.by("camera_id", "producer_frames_sent_total"),
    )
    spent = {name: after.cpu[name] - before.cpu[name] for name in after.cpu}
    busy = (os.cpu_count() or 1) - (after.idle - before.idle) / seconds
    expired = sum(map(_expired, after.workers)) - sum(map(_expired, before.workers))
    analysed = results - expired
    reasons = {why: count for why, count in grown(errors(before), errors(after)).items() if count}
    return Figures(
        asked=asked / seconds,
        analysed=analysed / seconds,
        replaced=(_replaced(after.producer) - _replaced(before.producer)) / seconds,
        ages=(quantile(ages, 0.5), quantile(ages, 0.95), quantile(ages, 0.99)),
        under_half_second=under(ages, 0.5),
        errors=sum(reasons.values()) / asked,
        reasons=reasons,
        fairness=jain([*sent.values(), *[0.0] * (cameras - len(sent))]),
        resident=resident,
        cost={name: 1000 * cpu / analysed for name, cpu in spent.items()},
        busy=busy,
        others=max(0.0, busy - sum(spent.values()) / seconds),
    )


def errors(look: Look) -> dict[str, float]:
    """By reason, so far: frames lost although nothing better came instead, and failures of cameras."""
    dropped = look.producer.by("reason", "producer_frames_dropped_total")
    return {
        **{
            f"camera: {why}": n
            for why, n in look.producer.by("reason", "producer_camera_errors_total").items()
        },
        **{f"dropped: {why}": n for why, n in dropped.items() if why not in WANTED},
        "failed": sum(worker.total("cv_frames_failed_total") for worker in look.workers),
        "expired": sum(map(_expired, look.workers)),
        "unreadable": look.gateway.total("gateway_invalid_messages_total"),
    }


def _expired(worker: Metrics) -> float:
    return worker.total("cv_frames_expired_total")


def _replaced(producer: Metrics) -> float:
    return producer.total("producer_frames_dropped_total", reason="replaced")
