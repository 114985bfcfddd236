"""The examples that can be judged without running them; the others: tests/integration/test_examples.py."""

from pathlib import Path

import yaml

from producer.catalogue.file.reader import read_cameras

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def test_the_cameras_are_read_without_a_complaint() -> None:
    file = read_cameras((EXAMPLES / "cameras.yaml").read_bytes(), {"CAMERA_GATE_PASSWORD": "p@ss/word"})
    assert file.problems == ()
    assert list(file.cameras) == ["gate-3", "quay", "lobby", "yard-ptz", "archive"]


def test_alertmanager_names_only_alerts_that_there_are() -> None:
    rules = "".join(path.read_text() for path in (ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
    document = yaml.safe_load((EXAMPLES / "alertmanager" / "alertmanager.yml").read_text())
    named = set()
    for rule in document["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            assert matcher.startswith("alertname")
            named |= set(matcher.partition("=")[2].lstrip("~").strip('"').split("|"))
    assert {name for name in named if f"alert: {name}\n" not in rules} == set()
    receivers = {receiver["name"] for receiver in document["receivers"]}
    assert {
        document["route"]["receiver"],
        *(route["receiver"] for route in document["route"]["routes"]),
    } <= receivers
