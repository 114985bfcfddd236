"""The area `prometheus`: whether it answers, whom it does not reach, its rules, and its own health."""

from collections import Counter
from typing import Any

from cli.doctor.errors import NoAnswer
from cli.doctor.finding import Findings
from cli.doctor.http import ask, shown
from cli.doctor.place import Place
from cli.doctor.promql import data_of

JOBS = {
    "cv-worker": "workers",
    "gateway": "the gateway",
    "rabbitmq": "RabbitMQ",
    "rabbitmq-queues": "the queues",
}
"""Jobs without which alerts and figures are missing, and of what."""
LOOK = "natively .run/logs/prometheus.log, with Compose docker compose logs prometheus"
MOST_NAMED = 5


def check(place: Place, findings: Findings) -> None:
    """Note what Prometheus says of itself, its targets and its rules."""
    if not place.prometheus:
        if not place.native or place.supervisor is not None:
            findings.error(
                "address", "no Prometheus is known: nothing is measured, no alert fires", "set PROMETHEUS_URL"
            )
        return
    where = shown(place.prometheus)
    try:
        version = data_of(place.prometheus, "status/buildinfo").get("version")
        findings.ok("version", f"{where} is Prometheus {version}")
        _health(place.prometheus, findings)
        judge_targets(data_of(place.prometheus, "targets?state=active"), findings)
        judge_rules(data_of(place.prometheus, "rules?type=alert"), findings)
    except NoAnswer as why:
        process = place.process("prometheus")
        if process is None:
            todo = f"start it (`make up` does, docker compose up -d prometheus); {LOOK}"
            findings.error("answer", f"{where} {why}", todo)
        else:  # one that runs is not to be started
            words = f"{where} {why}; its process is there (pid {process.pid})"
            findings.error(
                "answer", words, f"see processes: is it stopped? Else it is slow, or starts: {LOOK}"
            )
    except (AttributeError, KeyError, TypeError, ValueError):
        findings.error(
            "answer", f"{where} answers, but not as Prometheus does", "is another program at that address?"
        )


def _health(url: str, findings: Findings) -> None:
    ready = ask(f"{url.rstrip('/')}/-/ready")
    if ready.status != 200:
        findings.warning(
            "ready",
            f"it is not ready ({ready.text()[:80].strip()})",
            "wait: after a hard stop it reads its log first",
        )
    runtime = data_of(url, "status/runtimeinfo")
    if not runtime.get("reloadConfigSuccess", True):
        findings.error(
            "configuration",
            "its configuration was refused, an older one is in force",
            "promtool check config prometheus.yml",
        )
    if corrupt := int(runtime.get("corruptionCount", 0)):
        findings.warning(
            "storage",
            f"its data was damaged {corrupt} times",
            "look at the disk (dmesg, SMART); what was damaged is left out",
        )


def judge_targets(data: Any, findings: Findings) -> None:
    """Note whom it cannot read, and which jobs have nobody."""
    targets = data["activeTargets"]
    down = [each for each in targets if each["health"] == "down"]
    for each in down[:MOST_NAMED]:
        findings.error(
            f"target {each['labels'].get('job', '')}",
            f"{each['labels'].get('instance', '')} is not read: {each.get('lastError') or 'no reason given'}",
            "start that process; if it runs, its metrics port is not reached from Prometheus",
        )
    if len(down) > MOST_NAMED:
        findings.error("targets", f"{len(down) - MOST_NAMED} more are not read", "see above")
    jobs = Counter(each["labels"].get("job", "") for each in targets)
    for job, what in JOBS.items():
        if not jobs[job]:
            findings.warning(
                f"job {job}",
                f"nobody is read for {job}: figures and alerts of {what} are missing",
                "take the job over from prometheus.yml of this version, and start what it reads",
            )
    findings.ok("targets", f"{len(targets) - len(down)} of {len(targets)} are read")


def judge_rules(data: Any, findings: Findings) -> None:
    """Note rules that cannot be evaluated; with none at all nothing would ever fire."""
    rules = [rule for group in data["groups"] for rule in group["rules"]]
    if not rules:
        findings.error(
            "rules",
            "it has no alert rules: nothing fires, whatever happens",
            "rule_files: deploy/prometheus/rules/*.yml",
        )
        return
    bad = [rule for rule in rules if rule.get("health") == "err"]
    for rule in bad[:MOST_NAMED]:
        findings.error(
            f"rule {rule.get('name', '')}",
            f"it cannot be evaluated: {rule.get('lastError') or 'no reason given'}",
            "several targets with the same labels, most often; or a rule of another version: deploy/prometheus/rules/",
        )
    findings.ok("rules", f"{len(rules) - len(bad)} of {len(rules)} alert rules work")
