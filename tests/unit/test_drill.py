"""The fire drill's alerts are alerts, and their runbooks can be read by it."""

import re

import pytest

from cli.layout import CHECKOUT
from tests.faults.drill.alerts import FiringAlerts, also_fires
from tests.faults.drill.faults import FAULTS

RULES = "".join(file.read_text() for file in (CHECKOUT / "deploy/prometheus/rules").glob("*.yml"))
NAMES = set(re.findall(r"alert: (\w+)", RULES))


@pytest.mark.parametrize("alert", [fault.alert for fault in FAULTS if fault.alert])
def test_each_is_a_rule_and_its_runbook_names_what_else_fires(alert: str) -> None:
    assert alert in NAMES
    assert also_fires(alert)
    assert also_fires(alert) <= NAMES


def test_what_fires_has_a_beginning_and_an_end() -> None:
    alerts = FiringAlerts("http://127.0.0.1:1")
    alerts._look({"A", "B"})
    alerts._look({"B"})
    alerts._look({"A", "B"})
    assert [(each.name, each.end is None) for each in alerts.seen] == [("A", False), ("B", True), ("A", True)]
    assert [each.name for each in alerts.now] == ["B", "A"]
    assert len(FAULTS) == 12
