"""Grafana's dashboards: what the code makes of them, held by a linter that is shown to complain."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.boards.__main__ import BOARDS, FOLDER, text
from tests.helpers.board_lint import complaints, expressions, metrics, refused, shown
from tests.helpers.components import require
from tests.helpers.exported import exported

ROOT = Path(__file__).parents[2]
EXCLUSIONS = yaml.safe_load((FOLDER / ".lint").read_text())["exclusions"]
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
SLOTH = {f"slo:sli_error:ratio_rate{window}" for window in WINDOWS} | {
    f"slo:{name}:ratio"
    for name in ("objective", "error_budget", "current_burn_rate", "period_error_budget_remaining")
}
OTHERS = ("rabbitmq_", "node_", "process_", "python_", "prometheus_")
"""Prefixes of what is not ours: RabbitMQ's, node exporter's, prometheus_client's and Prometheus's own."""


def board(name: str) -> dict[str, Any]:
    return copy.deepcopy(next(each for each in BOARDS if each["uid"] == f"framefleet-{name}"))


def test_the_files_are_what_the_code_makes() -> None:
    files = {file.name: file.read_text() for file in FOLDER.glob("*.json")}
    assert files == {f"{each['uid']}.json": text(each) for each in BOARDS}, "python -m deploy.grafana.boards"


def test_there_are_seven_and_each_leads_to_the_others() -> None:
    assert {each["uid"] for each in BOARDS} == {
        f"framefleet-{name}"
        for name in ("overview", "workers", "cameras", "broker", "gateway", "jobs", "objectives")
    }
    for each in BOARDS:
        (link,) = each["links"]
        assert link["type"] == "dashboards"
        assert set(link["tags"]) <= set(each["tags"])


@pytest.mark.parametrize("each", BOARDS, ids=lambda each: each["uid"])
def test_the_linter_has_no_complaints(each: dict[str, Any]) -> None:
    assert complaints(each, EXCLUSIONS) == []


def test_every_exclusion_is_needed() -> None:
    rules = {rule for each in BOARDS for rule in (words.split(":")[0] for words in complaints(each, {}))}
    assert rules == set(EXCLUSIONS)


def test_promtool_parses_every_expression(tmp_path: Path) -> None:
    require("promtool")
    named = [(f"{each['uid']}: {title}", expr) for each in BOARDS for title, expr in expressions(each)]
    assert refused(named, tmp_path) == ""
    assert f'"expression:{len(named)}"' in refused([*named, ("a broken one", "sum(rate(up[5m])")], tmp_path)


def test_every_metric_exists() -> None:
    used = {name for each in BOARDS for _, expr in expressions(each) for name in metrics(expr)}
    ours = {name for name in used if not name.startswith(OTHERS)}
    assert ours <= exported() | SLOTH | {"up", "ALERTS"}
    assert used >= SLOTH
    for promised in ("cv_frames_processed_total", "cv_processing_seconds_bucket", "cv_frames_failed_total"):
        assert promised in used


def test_every_runbook_is_of_an_alert() -> None:
    rules = "".join(file.read_text() for file in (ROOT / "deploy/prometheus/rules").glob("*.yml"))
    alerts = {name.removeprefix("Framefleet") for name in re.findall(r"alert: (\w+)", rules)}
    named = {
        name
        for each in BOARDS
        for panel in shown(each)
        for name in re.findall(r"docs/runbooks/Framefleet(\w+)\.md", panel["description"])
    }
    assert named <= alerts
    assert len(named) > 20


def first(name: str, kind: str = "timeseries") -> tuple[dict[str, Any], dict[str, Any]]:
    """A board, and its first panel of that kind."""
    whole = board(name)
    return whole, next(panel for panel in whole["panels"] if panel["type"] == kind)


def asking(expression: str) -> Callable[[dict[str, Any]], None]:
    """A change that makes a panel ask for that."""

    def change(panel: dict[str, Any]) -> None:
        panel["targets"][0]["expr"] = expression

    return change


ON = 'job=~"$job",instance=~"$instance"'
SPOILT: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("panel-title-description-rule", lambda panel: panel.update(description="")),
    ("panel-title-description-rule", lambda panel: panel.update(title="")),
    ("panel-units-rule", lambda panel: panel["fieldConfig"]["defaults"].pop("unit")),
    ("panel-units-rule", lambda panel: panel["fieldConfig"]["defaults"].update(unit="sec")),
    (
        "panel-datasource-rule",
        lambda panel: panel.update(datasource={"type": "prometheus", "uid": "framefleet"}),
    ),
    ("panel-datasource-rule", lambda panel: panel["targets"][0].update(datasource=None)),
    ("panel-no-targets-rule", lambda panel: panel.update(targets=[])),
    ("panel-place-rule", lambda panel: panel["gridPos"].update(x=17)),
    ("panel-place-rule", lambda panel: panel["gridPos"].update(y=0)),
    ("panel-id-rule", lambda panel: panel.update(id=1)),
    ("target-ref-rule", lambda panel: panel["targets"].append(panel["targets"][0])),
    ("target-legend-rule", lambda panel: panel["targets"][0].update(legendFormat="")),
    ("target-rate-interval-rule", asking(f"rate(cv_x_total{{{ON}}}[5m])")),
    ("target-promql-rule", asking(f'cv_x{{{ON},node_id="$nodes"}}')),
    ("target-job-rule", asking('cv_x{instance=~"$instance"}')),
    ("target-selector-rule", asking("sum by (node_id) (cv_x)")),
    ("target-selector-rule", asking("rate(cv_x_total[$__rate_interval])")),
    ("target-instance-rule", asking('cv_x{job=~"$job"}')),
    ("target-counter-agg-rule", asking(f"cv_x_total{{{ON}}}")),
    ("target-counter-agg-rule", asking(f"sum(cv_x_seconds_bucket{{{ON}}})")),
]


@pytest.mark.parametrize(("rule", "spoil"), SPOILT)
def test_it_complains_of_a_panel(rule: str, spoil: Callable[[dict[str, Any]], None]) -> None:
    whole, panel = first("overview")
    spoil(panel)
    assert rule in {words.split(":")[0] for words in complaints(whole, EXCLUSIONS)}


def test_it_complains_of_a_board() -> None:
    whole = board("overview")
    whole["editable"] = True
    whole["templating"]["list"] = [
        each | {"refresh": 1, "allValue": "", "query": {"query": "query_result(up)"}}
        for each in whole["templating"]["list"]
        if each["name"] == "job"
    ]
    assert {words.split(":")[0] for words in complaints(whole, {})} >= {
        "template-datasource-rule",
        "template-instance-rule",
        "template-label-promql-rule",
        "template-on-time-change-reload-rule",
        "uneditable-dashboard-rule",
    }


def test_files_have_no_address_of_their_own_machine() -> None:
    for file in FOLDER.glob("*.json"):
        assert "://" not in file.read_text()
        assert json.loads(file.read_text())["version"] == 1
