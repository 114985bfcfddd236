"""docs/metrics.md has every metric that there is, as it is."""

import re
from pathlib import Path

import pytest
import yaml

from cli import metrics_page
from cli.metrics_page import REGISTRIES, MetricRow, query, rows
from tests.helpers.processes import ROOT
from tests.unit.test_alert_rules import promtool

PAGE = (ROOT / "docs/metrics.md").read_text()
EXAMPLES = ROOT / "dashboard/src/explore/metrics.gen.json"
ALL = [row for service in REGISTRIES for row in rows(service)]
PROMISED = {
    "cv_processing_seconds": ("histogram", ("node_id",)),
    "cv_frames_processed_total": ("counter", ("node_id",)),
    "cv_frames_failed_total": ("counter", ("node_id", "reason")),
}
"""What users' dashboards and alerts rely on (DESIGN.md, §7)."""
BEFORE = re.compile(r"(cv|producer|gateway|process|python|probe)_")
"""The prefixes of metrics that were there before there was one for all, and of what libraries tell."""


def test_the_page_is_made_from_the_registries() -> None:
    assert metrics_page.text() == PAGE, "python -m cli.metrics_page > docs/metrics.md"


def test_the_explorers_examples_are_the_pages() -> None:
    made = "python -m cli.metrics_page --json > dashboard/src/explore/metrics.gen.json"
    assert metrics_page.examples() == EXAMPLES.read_text(), made


@pytest.mark.parametrize("service", REGISTRIES)
def test_every_metric_has_its_meaning_and_stands_once(service: str) -> None:
    found = rows(service)
    assert [row for row in found if not row.meaning] == []
    assert len({row.name for row in found}) == len(found) > 30


def test_promised_names_stay() -> None:
    worker = {row.name: (row.type, row.labels) for row in rows("worker")}
    assert PROMISED.items() <= worker.items()


def test_labels_are_few_and_camera_labels_where_cameras_are_known() -> None:
    assert [row for row in ALL if {"frame_id", "le", "path"} & set(row.labels)] == []
    of_cameras = [row for row in ALL if "camera_id" in row.labels]
    assert of_cameras
    assert [row for row in of_cameras if row.type == "histogram"] == []
    assert [row for row in rows("worker") if "camera_id" in row.labels] == []


def test_names_tell_their_type_and_new_ones_their_house() -> None:
    wrong: list[MetricRow] = []
    for row in ALL:
        ours = row.name.startswith("framefleet_") or BEFORE.match(row.name)
        counted = row.type != "counter" or row.name.endswith("_total")
        if not ours or not counted or re.search(r"_(ms|milliseconds|kb|mb|minutes)(_|$)", row.name):
            wrong.append(row)
    assert wrong == []


def test_every_example_is_a_query_that_prometheus_reads(tmp_path: Path) -> None:
    rules = [{"record": f"example:{n}", "expr": query(row)} for n, row in enumerate(ALL)]
    file = tmp_path / "examples.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "examples", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", file)
    assert set(metrics_page.QUERIES) <= {row.name for row in ALL}  # none is left of a metric that is gone
