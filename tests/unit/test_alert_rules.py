"""The alert rules, run by promtool on series that should and should not fire them."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
TESTS = sorted((ROOT / "deploy/prometheus/tests").glob("*.yml"))


def promtool(*arguments: str | Path) -> str:
    """What promtool prints; the test fails with it if promtool is not satisfied."""
    program = shutil.which("promtool")
    if program is None:
        pytest.fail("promtool is missing: sudo apt-get install prometheus (`make test` does it)")
    done = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    return output


def alerts() -> dict[str, dict[str, Any]]:
    """Every alert of every file, by name."""
    found: dict[str, dict[str, Any]] = {}
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                assert rule["alert"] not in found, f"{rule['alert']} is there twice"
                found[rule["alert"]] = rule
    return found


def expectations(name: str) -> list[bool]:
    """Whether each of promtool's test cases for this alert expects it to fire."""
    cases = [
        case
        for file in TESTS
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    return [bool(case["exp_alerts"]) for case in cases if case["alertname"] == name]


def test_prometheus_accepts_configuration_and_rules() -> None:
    output = promtool("check", "config", "prometheus.yml")
    assert f"{len(RULES)} rule files found" in output


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_alerts_fire_when_they_should_and_only_then(file: Path) -> None:
    promtool("test", "rules", file)


@pytest.mark.parametrize("name", sorted(alerts()))
def test_every_alert_is_tested_both_ways(name: str) -> None:
    assert set(expectations(name)) == {True, False}


@pytest.mark.parametrize(("name", "rule"), sorted(alerts().items()))
def test_every_alert_says_how_bad_it_is_and_what_to_do(name: str, rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    assert len(rule["annotations"]["description"]) > 80


def test_limits_are_those_of_the_topology() -> None:
    """The rules state numbers, since PromQL cannot ask for a queue's limit: they must follow the contract."""
    from contract.topology import DEAD_LETTER_QUEUE, RESULT_QUEUE, TOPOLOGY

    limits = {queue.name: int(queue.arguments["x-max-length"]) for queue in TOPOLOGY.queues}
    rules = alerts()
    assert f"> {limits[DEAD_LETTER_QUEUE] // 2}\n" in rules["DeadLettersHalfFull"]["expr"] + "\n"
    assert f"> {limits[RESULT_QUEUE] // 2}\n" in rules["ResultQueueHalfFull"]["expr"] + "\n"
    nearly = rules["QueueNearlyFull"]["expr"]
    assert f"> {limits['frame_queue'] * 8 // 10}\n" in nearly
    assert f"> {limits['frame_queue.batch'] * 8 // 10}\n" in nearly
    assert limits["frame_queue.gpu"] == limits["frame_queue"]
