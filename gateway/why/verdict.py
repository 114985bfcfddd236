"""The verdict on a frame, from what was found out about it. Pure."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from contract.api.history import HopView
from contract.api.why import ReferenceView, Verdict, WhyView, WitnessView
from contract.dead_letters import DeadLetter
from gateway.history.hops import hop_of_letter, hops_of_result
from gateway.reasons import meaning
from gateway.times import written
from gateway.why.evidence import Evidence

REPEATED, TOO_OLD, NOT_SEEN, NO_HISTORY = "frame_id_repeated", "too_old", "not_seen", "history_unavailable"
OWN_IDS = "Give every frame of every camera an id of its own: docs/integrate.md."
WAIT = (
    "Ask again in some seconds. If it stays unknown, look whether RabbitMQ confirmed it to its sender "
    "(docs/integrate.md)."
)
KEEPS = "Results are kept for {days:g} days at most (GATEWAY_HISTORY_DAYS, GATEWAY_HISTORY_ROWS)."
AROUND_SECONDS = 60.0


def judge(
    evidence: Evidence, around: Sequence[WitnessView], days: float, prefix: str, advice: str = ""
) -> WhyView:
    """Say what became of the frame. `around`: what was asked of its surroundings, because nobody has seen it; `days`
    that results are kept; `prefix` of the gateway's addresses; `advice` for an id that may be something else's."""
    verdict, words, reason, remedy = _judged(evidence, around, days)
    known = evidence.row if evidence.row is not None else next(iter(evidence.letters), None)
    return WhyView(
        frame_id=evidence.asked if known is None or known.frame_id is None else known.frame_id,
        camera_id=evidence.camera_id,
        verdict=verdict,
        words=words,
        reason=reason,
        remedy=" ".join(filter(None, [advice, remedy])) or None,
        hops=_hops(evidence),
        witnesses=[evidence.history, evidence.dead_letters, *around],
        links=_links(evidence, prefix),
    )


_Judged = tuple[Verdict, str, str | None, str | None]


def _judged(evidence: Evidence, around: Sequence[WitnessView], days: float) -> _Judged:
    if others := _others(evidence):
        return "repeated", others, REPEATED, OWN_IDS
    if evidence.row is not None:
        return _of_result(evidence.row, evidence)
    if evidence.letters:
        return _of_letter(evidence.letters[0])
    return _unseen(evidence, around, days)


def _others(evidence: Evidence) -> str:
    """What tells that several frames have the id; empty if nothing does."""
    row, repeated = evidence.row, evidence.repeated
    kept = "" if row is None else f": only the first result is kept, of {row.camera_id}, {_how(row)}"
    if repeated is not None:
        count = max(repeated.live, repeated.history)
        results = "result of another frame" if count == 1 else "results of other frames"
        return (
            f"Several frames have this id. {count:,} {results} came with it, the last of {repeated.last} at "
            f"{written(repeated.time)}{kept}."
        )
    frames = {(each.camera_id, each.timestamp) for each in evidence.letters if each.timestamp is not None}
    if row is not None:
        frames.add((row.camera_id, row.original_timestamp))
    if len(frames) <= 1:
        return ""
    letter = evidence.letters[0]
    return (
        f"{len(frames)} frames have this id, captured at different times or by different cameras: the newest dead "
        f"letter ({letter.reason}) is of {letter.camera_id}{kept}."
    )


def _how(row: object) -> str:
    return "which was computed" if getattr(row, "status", "") == "ok" else "which was not computed"


def _of_result(row: Any, evidence: Evidence) -> _Judged:
    if row.status == "expired":
        means = meaning(row.reason)
        age = max(0.0, row.queue_seconds)
        words = f"It was not computed: {means.words}. Worker {row.node_id} found it {age:.3g} s old."
        return "expired", words, row.reason, means.remedy
    age = max(0.0, row.queue_seconds) + max(0.0, row.processing_seconds)
    found = "1 detection" if row.faces == 1 else f"{row.faces:,} detections"
    words = f"Worker {row.node_id} computed it {age:.3g} s after its capture: {found} by {row.model}."
    if evidence.letters:
        words += f" Before that it was a dead letter ({evidence.letters[0].reason}), which is still kept."
    if not evidence.recorded:
        words += " Its result has just come, and is not recorded yet."
    return "computed", words, None, None


def _of_letter(letter: DeadLetter) -> _Judged:
    means = meaning(letter.reason)
    by = f" by worker {letter.node_id}" if letter.node_id else ""
    tried = (
        f" after {letter.attempts} attempts" if letter.attempts is not None and letter.attempts > 1 else ""
    )
    said = f" ({letter.error})" if letter.error else ""
    when = "" if letter.time is None else f" at {written(letter.time)}"
    words = f"It was not computed: {means.words}{said}. It was put among the dead letters{by}{tried}{when}."
    return "dead_lettered", words, letter.reason, means.remedy


def _unseen(evidence: Evidence, around: Sequence[WitnessView], days: float) -> _Judged:
    if evidence.history.state == "unavailable":
        words = f"What became of it cannot be said: {evidence.history.words}."
        return "unknown", words, NO_HISTORY, "See /readyz for what the history lacks, then ask again."
    kept = "" if evidence.begin is None else f", which is of {written(evidence.begin)}"
    older = f"older than the oldest result{kept}: nothing of that time is kept."
    if evidence.outlived:
        return "unknown", f"It is {older}", TOO_OLD, KEEPS.format(days=days)
    dropped = next((each.words for each in around if each.place == "metrics" and each.state == "found"), "")
    words = "Nobody has seen it: it still waits or is being computed, or it was never confirmed to its sender"
    words += "." if evidence.numbered is not None else f", or it is {older}"
    if dropped:
        words += f" It may be one of those dropped before they were sent: {dropped}."
    if evidence.dead_letters.state != "nothing":
        words += f" The dead letters do not tell: {evidence.dead_letters.words}."
    return "unknown", words, NOT_SEEN, WAIT


def _hops(evidence: Evidence) -> list[HopView]:
    hops: list[HopView] = []
    if evidence.row is not None:
        hops = hops_of_result(evidence.row)
        if not evidence.recorded:
            hops = [hop for hop in hops if hop.hop != "recorded"]
    for letter in evidence.letters[:1]:
        if not hops and letter.timestamp is not None:
            hops.append(HopView("captured", letter.timestamp, 0.0))
        hops.append(hop_of_letter(letter))
    return hops


def _links(evidence: Evidence, prefix: str) -> list[ReferenceView]:
    links = []
    row, letter, camera_id = evidence.row, next(iter(evidence.letters), None), evidence.camera_id
    if row is not None and evidence.recorded:
        links.append(ReferenceView("Result", f"{prefix}/api/frames/{quote(row.frame_id, safe=':')}"))
    if letter is not None:
        asked = urlencode({"reason": letter.reason, **({"camera": camera_id} if camera_id else {})})
        links.append(ReferenceView("Dead letters like it", f"{prefix}/api/dlq?{asked}"))
    if camera_id is not None:
        links.append(ReferenceView("Live camera", f"{prefix}/?{urlencode({'camera': camera_id})}"))
    captured = row.original_timestamp if row is not None else letter.timestamp if letter is not None else None
    if camera_id is not None and captured is not None and (span := _span(captured)):
        asked = urlencode({"camera": camera_id, **span}, safe=":")
        links.append(ReferenceView("Events then", f"{prefix}/events?{asked}"))
    return links


def _span(captured: float) -> dict[str, str]:
    begin, end = (written(captured + sign * AROUND_SECONDS) for sign in (-1, 1))
    if not (begin.endswith(" UTC") and end.endswith(" UTC")):
        return {}
    return {"from": _address(begin), "to": _address(end)}


def _address(moment: str) -> str:
    return moment.removesuffix(" UTC").replace(" ", "T") + "Z"
