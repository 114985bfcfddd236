"""The alert rules, run by promtool on series that should and should not fire them."""

import functools
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from cli import objectives
from gateway.metrics import AGE_BUCKETS
from tests.helpers.exported import exported

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
TESTS = sorted((ROOT / "deploy/prometheus/tests").glob("*.yml"))
BURNING = {f"Framefleet{name.capitalize()}Burning" for name in objectives.read()}
WATCHDOG = "FramefleetWatchdog"
BOARDS = {"overview", "workers", "cameras", "broker", "gateway", "jobs", "objectives"}
OTHERS = ("up", "rabbitmq_", "erlang_", "prometheus_", "process_", "node_")


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


@functools.cache
def rules(kind: str) -> list[dict[str, Any]]:
    """Every rule of every file that is an `alert`, or a `record`."""
    groups = [group for file in RULES for group in yaml.load(file.read_text(), yaml.CSafeLoader)["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def alerts() -> dict[str, dict[str, Any]]:
    """Every alert by name, and by severity where there are two of a name: a page and a ticket."""
    found: dict[str, dict[str, Any]] = {}
    for rule in rules("alert"):
        name = rule["alert"] + (f" {rule['labels']['severity']}" if rule["alert"] in BURNING else "")
        assert name not in found, f"{name} is there twice"
        found[name] = rule
    return found


@functools.cache
def cases() -> list[dict[str, Any]]:
    """Every case of promtool's tests."""
    tests = [test for file in TESTS for test in yaml.load(file.read_text(), yaml.CSafeLoader)["tests"]]
    return [case for test in tests for case in test.get("alert_rule_test", [])]


def expectations(name: str) -> list[bool]:
    """Whether each case for this alert expects it to fire; with this severity, if it has several."""
    alert, *severity = name.split()
    found = [case["exp_alerts"] for case in cases() if case["alertname"] == alert]
    told = [[one["exp_labels"]["severity"] for one in expected] for expected in found]
    return [severity[0] in one if severity else bool(one) for one in told]


def metrics(expression: str) -> set[str]:
    """The names of the metrics that an expression reads."""
    for other in (
        r'"[^"]*"',
        r"\{[^}]*\}",
        r"\[[^\]]*\]",
        r"\b(by|without|on|ignoring|group_left)\s*\([^)]*\)",
        r"#.*",
    ):
        expression = re.sub(other, " ", expression)
    words = re.findall(r"(?<![\w.:])[a-z_][\w:]*\b(?!\s*\()", expression)
    return (
        set(words) - {"and", "or", "unless", "offset", "bool"} - {word for word in words if word[0].isdigit()}
    )


def test_prometheus_accepts_configuration_and_rules() -> None:
    output = promtool("check", "config", "prometheus.yml")
    assert f"{len(RULES)} rule files found" in output


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_alerts_fire_when_they_should_and_only_then(file: Path) -> None:
    promtool("test", "rules", file)


@pytest.mark.parametrize("name", sorted(alerts()))
def test_every_alert_is_tested_both_ways(name: str) -> None:
    assert set(expectations(name)) == ({True} if name == WATCHDOG else {True, False})


@pytest.mark.parametrize("rule", alerts().values(), ids=lambda rule: rule["alert"])
def test_every_alert_keeps_the_conventions(rule: dict[str, Any]) -> None:
    """Those of Prometheus' mixins: an Alertmanager groups by a summary that stays the same, and links lead on."""
    name, annotations = rule["alert"], rule["annotations"]
    assert re.fullmatch(r"Framefleet([A-Z][a-z0-9]+)+", name)
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(annotations) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert not set("{}\n") & set(annotations["summary"])
    assert not annotations["summary"].endswith(".")
    assert len(annotations["description"]) > 80
    assert annotations["runbook_url"] == f"docs/runbooks/{name}.md"
    assert annotations["dashboard_url"].removeprefix("/d/framefleet-") in BOARDS


def test_texts_name_alerts_that_exist() -> None:
    known = {rule["alert"] for rule in rules("alert")}
    texts = [
        file.read_text()
        for file in (*RULES, *TESTS, *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.yml"))
    ]
    named = {name for text in texts for name in re.findall(r"\bFramefleet[A-Z]\w+", text)}
    assert named <= known


@pytest.mark.parametrize(
    "rule", [*rules("alert"), *rules("record")], ids=lambda rule: rule.get("alert", rule.get("record"))
)
def test_every_rule_reads_metrics_that_exist(rule: dict[str, Any]) -> None:
    recorded = {record["record"] for record in rules("record")}
    unknown = metrics(rule["expr"]) - exported() - recorded
    assert {name for name in unknown if not name.startswith(OTHERS)} == set()


def test_names_of_metrics_are_found_in_an_expression() -> None:
    expression = (
        'sum by (x) (rate(a_total{b="c_d"}[5m])) / on (y) group_left (z) e:f:rate5m > 0.1 and g offset 3h'
    )
    assert metrics(expression) == {"a_total", "e:f:rate5m", "g"}


def test_objectives_are_those_of_the_file() -> None:
    assert objectives.TARGET.read_text() == objectives.text(objectives.read()), "run: make objectives"


def test_limits_of_objectives_are_edges_of_the_histogram() -> None:
    """Nothing is counted under an edge that is not there, and every event would be an error."""
    for objective in objectives.read().values():
        for edge in re.findall(r'le="([^"]*)"', objective.errors):
            assert edge in map(str, AGE_BUCKETS)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"objective": 99}, "`float` < 1.0"),
        ({"objective": 0}, "`float` > 0.0"),
        ({"floor": -1}, "`int` >= 0"),
        ({"limit": 1.0}, "unknown field `limit`"),
    ],
)
def test_a_wrong_objective_is_refused(change: dict[str, float], complaint: str, tmp_path: Path) -> None:
    fields = {
        "description": "x",
        "objective": 0.9,
        "total": "x",
        "errors": "x",
        "floor": 1,
        "remedy": "x",
    } | change
    file = tmp_path / "objectives.toml"
    file.write_text("[freshness]\n" + "".join(f"{key} = {value!r}\n" for key, value in fields.items()))
    with pytest.raises(msgspec.ValidationError, match=complaint):
        objectives.read(file)


def test_limits_are_those_of_the_topology() -> None:
    """The rules state numbers, since PromQL cannot ask for a queue's limit: they must follow the contract."""
    from contract.topology import DEAD_LETTER_QUEUE, RESULT_QUEUE, TOPOLOGY

    limits = {queue.name: int(queue.arguments["x-max-length"]) for queue in TOPOLOGY.queues}
    rules = alerts()
    assert f"> {limits[DEAD_LETTER_QUEUE] // 2}\n" in rules["FramefleetDeadLettersHalfFull"]["expr"] + "\n"
    assert f"> {limits[RESULT_QUEUE] // 2}\n" in rules["FramefleetResultQueueHalfFull"]["expr"] + "\n"
    nearly = rules["FramefleetQueueNearlyFull"]["expr"]
    assert f"> {limits['frame_queue'] * 8 // 10}\n" in nearly
    assert f"> {limits['frame_queue.batch'] * 8 // 10}\n" in nearly
    assert limits["frame_queue.gpu"] == limits["frame_queue"]
