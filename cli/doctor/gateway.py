"""The area `gateway`: whether it is ready, whether our token is good, which alerts fire, which tokens end."""

import time
from collections.abc import Mapping
from typing import Any

from cli.doctor.errors import NoAnswer
from cli.doctor.finding import Findings
from cli.doctor.http import HttpAnswer, ask, shown
from cli.doctor.place import Place
from gateway.errors import BrokenTokens
from gateway.tokens.file import read_tokens

DAY = 86_400.0
SOON_DAYS = 14
MOST_ALERTS = 10
ALERTS_SECONDS = 4.0
"""The gateway itself waits three for a Prometheus that stands still, and then says so."""
ABOUT = ("camera_id", "node_id", "queue")
"""The labels that say by themselves what an alert is about."""
LOOK = "natively .run/logs/gateway.log, with Compose docker compose logs gateway"


def check(place: Place, findings: Findings) -> None:
    """Note what the gateway answers."""
    _tokens(place, findings)
    if not place.gateway:
        return
    where = shown(place.gateway)
    answers = False
    try:
        _ready(where, ask(f"{place.gateway}/readyz"), findings)
        answers = True
        session = ask(f"{place.gateway}/api/session", token=place.token)
        if session.status in (401, 403):
            findings.error(
                "token",
                f"{where} does not know the token of this {'checkout' if place.native else 'container'}",
                "is another gateway at that address? Else start the system again: it writes the token that it uses",
            )
            return
        if session.status == 429:
            findings.warning(
                "token", "too many wrong tokens from this address", "wait for a minute, then look again"
            )
            return
        findings.ok("token", f"good, role {_field(session.json(), 'role')}")
    except NoAnswer as why:
        _silent(place, f"{where} {why}", findings, answers=answers)
        return
    try:
        judge_alerts(
            ask(f"{place.gateway}/api/alerts", token=place.token, seconds=ALERTS_SECONDS).json(), findings
        )
    except NoAnswer as why:
        findings.unknown(
            "alerts",
            f"not known: {where}/api/alerts {why}; the gateway runs, and answers /readyz",
            "see prometheus, whom it asks: one that stands still holds this answer up, and no other",
        )


def _silent(place: Place, found: str, findings: Findings, *, answers: bool) -> None:
    """Note a gateway that does not answer. One that runs is not to be started: it is slow, or stopped."""
    process = place.process("gateway")
    if answers:
        findings.error("answer", f"{found}; it runs, and answers /readyz", f"it is slow; why: {LOOK}")
    elif process is not None:
        words = f"{found}; its process is there (pid {process.pid})"
        findings.error("answer", words, f"see processes: is it stopped? Else it is slow, or starts: {LOOK}")
    else:
        findings.error("answer", found, f"start it, or see what has its port (see ports); {LOOK}")


def _ready(where: str, answer: HttpAnswer, findings: Findings) -> None:
    said = answer.json()
    if answer.status == 200 and _field(said, "status") == "ready":
        findings.ok("ready", f"{where} is ready")
        return
    missing = said.get("missing") if isinstance(said, dict) else None
    if answer.status != 503 or not isinstance(missing, list):
        raise NoAnswer(f"answers with status {answer.status}, but is not a gateway")
    for sentence in missing[:MOST_ALERTS]:
        findings.error("ready", f"it lacks: {sentence}", f"mend what it names; {LOOK}")


def judge_alerts(said: Any, findings: Findings) -> None:
    """Note the alerts that fire. Raises NoAnswer."""
    try:
        if said["source"] != "prometheus":
            findings.unknown(
                "alerts", f"not known: {said['error']}", "see prometheus; PROMETHEUS_URL of the gateway"
            )
            return
        # `info` is not trouble: the dead-man's switch always fires.
        firing = [each for each in said["items"] if each["state"] == "firing" and each["severity"] != "info"]
        loud = [each for each in firing if not each.get("silenced_by")]
        for each in loud[:MOST_ALERTS]:
            note = findings.error if each["severity"] == "critical" else findings.warning
            note(f"alert {each['name']}", f"{each['summary']}{_about(each)}", _todo(each))
        if len(loud) > MOST_ALERTS:
            findings.warning("alerts", f"{len(loud) - MOST_ALERTS} more fire", "see the dashboard")
        if silenced := sorted({str(each["name"]) for each in firing if each.get("silenced_by")}):
            findings.ok("silenced", f"they fire, and somebody has silenced them: {', '.join(silenced)}")
        if not loud:
            findings.ok("alerts", "none fires" if not firing else "none fires that is not silenced")
    except (KeyError, TypeError):
        raise NoAnswer("answers, but not as this version's gateway does") from None


def _about(alert: Mapping[str, Any]) -> str:
    """What an alert is about, by its labels: several of a rule have the same summary."""
    labels = alert.get("labels") or {}
    names = [str(labels[name]) for name in ABOUT if labels.get(name)]
    if not names and labels.get("instance"):
        names = [f"{labels.get('job', 'process')} at {labels['instance']}"]
    return f" ({', '.join(names)})" if names else ""


def _todo(alert: Mapping[str, Any]) -> str:
    return str(
        alert.get("runbook") or alert.get("description") or "its rule names no runbook: see its expression"
    )


def _tokens(place: Place, findings: Findings) -> None:
    if place.tokens is None:
        return
    try:
        entries = read_tokens(place.tokens)
    except BrokenTokens as error:
        findings.error(
            "tokens", str(error), "as it says; the tokens of before stay in force until the gateway ends"
        )
        return
    except OSError as error:
        findings.unknown(
            "tokens", f"{place.tokens}: {(error.strerror or '').lower()}", "run this as the gateway's user"
        )
        return
    now = time.time()
    valid = [each for each in entries if each.state(now) == "valid"]
    for each in valid:
        if each.expires is not None and each.expires - now < SOON_DAYS * DAY:
            findings.warning(
                "tokens",
                f"the token {each.name} ends in {(each.expires - now) / DAY:.1f} days",
                "framefleet tokens add makes another; revoke this one then",
            )
    if place.gateway:
        findings.ok("tokens", f"{len(valid)} besides the main one")


def _field(said: Any, name: str) -> Any:
    return said.get(name) if isinstance(said, dict) else None
