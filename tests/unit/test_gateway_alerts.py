"""Alerts as the gateway tells of them: what they are about, what silences them, what to do."""

import tomllib
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.alerts import runbooks
from gateway.alerts.alertmanager import Alertmanager, Held, Matcher, Silence
from gateway.alerts.board import AlertBoard
from gateway.errors import AlertmanagerError, PrometheusError
from gateway.prometheus.client import Alert, AlertRule, Prometheus, RuleGroup

WATCHDOG = Alert("firing", {"alertname": "FramefleetWatchdog", "severity": "info"})


def down(camera_id: str, **more: str) -> Alert:
    labels = {"alertname": "FramefleetCameraDown", "severity": "warning", "camera_id": camera_id, **more}
    return Alert(
        "firing", labels, {"summary": "A camera sends no frames"}, "2026-11-30T10:00:00.123456789Z", "1e+00"
    )


class Asked:
    """A Prometheus and an Alertmanager that say what the test wants."""

    def __init__(self, *alerts: Alert) -> None:
        self.answer: list[Alert] | PrometheusError = list(alerts)
        self.held: list[Held] | AlertmanagerError = []

    async def alerts(self) -> list[Alert]:
        if isinstance(self.answer, PrometheusError):
            raise self.answer
        return self.answer

    async def alert_rules(self) -> list[RuleGroup]:
        rule = AlertRule(
            "FramefleetNoWorkers",
            "absent(up)",
            30.0,
            "odd",
            {"severity": "critical"},
            lastEvaluation="0001-01-01T00:00:00Z",
        )
        return [RuleGroup("workers", [rule])]

    async def silences(self) -> list[Silence]:
        matchers = [Matcher("camera_id", "gate-.*", isRegex=True), Matcher("severity", "info", isEqual=False)]
        return [Silence("s1", matchers, "new cables", "kim", "2026-11-30T10:00:00Z", "2026-11-30T14:00:00Z")]

    async def silenced(self) -> list[Held]:
        if isinstance(self.held, AlertmanagerError):
            raise self.held
        return self.held

    def board(self, *, silences: bool = False) -> AlertBoard:
        return AlertBoard(cast(Prometheus, self), cast(Alertmanager, self) if silences else None)


async def test_what_an_alert_is_about() -> None:
    told = await Asked(WATCHDOG, down("gate-3", job="producer")).board().alerts()
    alert = told.items[0]
    assert (alert.name, alert.labels, alert.value) == (
        "FramefleetCameraDown",
        {"camera_id": "gate-3", "job": "producer"},
        1.0,
    )
    assert alert.since == 1796032800.123456
    assert (told.source, told.evaluated, told.error, told.since) == ("prometheus", True, None, None)


async def test_of_a_thousand_cameras_each_is_named() -> None:
    told = await Asked(*(down(f"c-{number}", job="producer") for number in range(1000))).board().alerts()
    assert {item.labels["camera_id"] for item in told.items} == {f"c-{number}" for number in range(1000)}
    assert sum("job" in item.labels for item in told.items) == 10


async def test_a_prometheus_that_evaluates_nothing_is_told() -> None:
    told = await Asked().board().alerts()
    assert (told.items, told.error, told.evaluated) == ([], None, False)


async def test_since_when_nothing_is_known() -> None:
    asked = Asked(WATCHDOG)
    asked.answer = PrometheusError(502, "unavailable", "Prometheus cannot be reached: Connection refused")
    board = asked.board()
    told = await board.alerts()
    assert (told.source, told.error) == ("none", str(asked.answer))
    assert told.since is not None
    assert (await board.alerts()).since == told.since
    nobody = await AlertBoard(None, None).alerts()
    assert (nobody.since, nobody.error) == (None, "no Prometheus is set up: PROMETHEUS_URL is empty")


async def test_what_is_silenced_in_spite_of_external_labels() -> None:
    asked = Asked(down("gate-1"), down("yard-1"))
    labels = {**down("gate-1").labels, "cluster": "north"}
    asked.held = [Held(labels), Held({"alertname": "Another"})]
    asked.held[0].status.silencedBy = ["s1"]
    told = await asked.board(silences=True).alerts()
    assert [(item.labels["camera_id"], item.silenced_by) for item in told.items] == [
        ("gate-1", ["s1"]),
        ("yard-1", []),
    ]
    (silence,) = told.silences
    assert silence.matchers == ["camera_id=~gate-.*", "severity!=info"]
    assert (silence.comment, silence.created_by, silence.ends) == ("new cables", "kim", 1796047200.0)
    assert told.silences_error is None


async def test_without_an_answer_of_alertmanager_alerts_are_told_all_the_same() -> None:
    asked = Asked(down("gate-1"))
    asked.held = AlertmanagerError("Alertmanager cannot be reached: ClientConnectorError")
    told = await asked.board(silences=True).alerts()
    assert (len(told.items), told.silences, told.silences_error) == (1, [], str(asked.held))
    assert "ALERTMANAGER_URL" in str((await asked.board().alerts()).silences_error)


async def test_rules() -> None:
    (rule,) = (await Asked().board().rules()).items
    assert (rule.group, rule.name, rule.severity, rule.expression) == (
        "workers",
        "FramefleetNoWorkers",
        "critical",
        "absent(up)",
    )
    assert (rule.state, rule.evaluated, rule.error) == ("unknown", None, None)


@pytest.mark.parametrize(
    "name",
    ["", "FramefleetNothing", "../alerts", "index.md", "FramefleetNoWorkers.md", "a" * 101, "\0", "x/y"],
)
def test_no_other_file_is_a_runbook(name: str) -> None:
    with pytest.raises(runbooks.NoRunbook):
        runbooks.runbook(name)


def test_a_runbook_is_found_in_a_checkout_and_beside_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runbooks.runbook("FramefleetNoWorkers").startswith("# FramefleetNoWorkers\n")
    (tmp_path / "FramefleetOther.md").write_text("# Other", encoding="utf-8")
    monkeypatch.setattr(runbooks, "FOLDERS", (tmp_path,))
    assert runbooks.runbook("FramefleetOther") == "# Other"


def test_wheel_and_image_have_the_runbooks() -> None:
    root = Path(__file__).resolve().parents[2]
    project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"docs/runbooks": "gateway/alerts/texts"}
    assert "COPY docs/runbooks gateway/alerts/texts\n" in (root / "deploy/Dockerfile").read_text()
    assert "!docs\n" in (root / ".dockerignore").read_text()
    assert runbooks.FOLDERS[0] == root / "gateway/alerts/texts"
