"""deploy/alertmanager on a real Alertmanager: who is told what, and how often."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.alertmanager import Webhook, alertmanager, configured, post, webhook
from tests.helpers.components import require
from tests.helpers.eventually import eventually
from tests.helpers.prometheus import real_prometheus

pytestmark = pytest.mark.integration

CAMERAS = 1000


@pytest.fixture(scope="module")
def heard() -> Iterator[Webhook]:
    with webhook() as kept:
        yield kept


@pytest.fixture(scope="module")
def running(heard: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), heard.url) as url:
        yield url


def alert(name: str, severity: str, *, over: bool = False, **labels: str) -> dict[str, Any]:
    """As Prometheus sends it: one that has waited already would be told without its group. `over`: it has ended."""
    now = datetime.now(UTC)
    return {
        "labels": {"alertname": f"Framefleet{name}", "severity": severity, **labels},
        "annotations": {"summary": "told", "description": "x" * 300},
        "startsAt": (now - timedelta(seconds=1) if over else now).isoformat(),
        "endsAt": (now if over else now + timedelta(minutes=5)).isoformat(),
    }


def about(heard: Webhook, receiver: str, name: str) -> list[dict[str, Any]]:
    """The messages about one alert to a receiver."""
    wanted = f"Framefleet{name}"
    return [each for each in heard.of(receiver) if each["groupLabels"]["alertname"] == wanted]


def names(heard: Webhook) -> set[str]:
    """Whatever anybody was told of, in groups or one by one."""
    return {each["labels"]["alertname"] for _, message in list(heard.told) for each in message["alerts"]}


def test_amtool_takes_it(tmp_path: Path) -> None:
    file = configured(tmp_path, "http://127.0.0.1:9")
    done = subprocess.run(
        [require("amtool"), "check-config", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_thousand_cameras_are_one_message(running: str, heard: Webhook) -> None:
    """And so is their end."""
    cameras = [f"gate-{number}" for number in range(CAMERAS)]
    post(running, [alert("CameraDown", "warning", camera_id=camera) for camera in cameras])
    eventually("the team is told", lambda: about(heard, "team", "CameraDown"))
    (message,) = about(heard, "team", "CameraDown")
    assert message["status"] == "firing"
    assert len(message["alerts"]) + message["truncatedAlerts"] == CAMERAS
    assert len(message["alerts"]) == 50  # what a chat can bear
    post(running, [alert("CameraDown", "warning", over=True, camera_id=camera) for camera in cameras])
    eventually("the team is told of the end", lambda: len(about(heard, "team", "CameraDown")) > 1)
    _, end = about(heard, "team", "CameraDown")
    assert end["status"] == "resolved"
    assert len(end["alerts"]) + end["truncatedAlerts"] == CAMERAS


def test_what_follows_from_a_cause_is_not_told(running: str, heard: Webhook) -> None:
    """Neither to the team nor to the pager; what has nothing to do with the cause is."""
    post(running, [alert("NoWorkers", "critical")])
    eventually("the pager rings", lambda: about(heard, "pager", "NoWorkers"))
    post(
        running,
        [
            alert("QueueGrowing", "warning", queue="frame_queue"),
            alert("QueueNearlyFull", "critical", queue="frame_queue"),
            alert("AvailabilityBurning", "critical", sloth_slo="availability"),
            alert("HistoryBroken", "critical", instance="gateway:8020"),
            alert("TokensGuessed", "warning", instance="gateway:8020"),
        ],
    )
    eventually("the pager rings again", lambda: about(heard, "pager", "HistoryBroken"))
    eventually("the team is told", lambda: about(heard, "team", "TokensGuessed"))
    consequences = {
        f"Framefleet{name}" for name in ("QueueGrowing", "QueueNearlyFull", "AvailabilityBurning")
    }
    assert not names(heard) & consequences


def test_a_page_has_its_ticket_with_it(running: str, heard: Webhook) -> None:
    both = [alert("PaintBurning", severity, sloth_slo="paint") for severity in ("critical", "warning")]
    post(running, [*both, alert("CanaryBurning", "warning", sloth_slo="canary")])
    # That NoWorkers of the test before holds both back would hide a mistake here.
    post(running, [alert("NoWorkers", "critical", over=True)])
    eventually("the pager rings", lambda: about(heard, "pager", "PaintBurning"))
    eventually("a ticket without a page comes", lambda: about(heard, "team", "CanaryBurning"))
    assert about(heard, "team", "PaintBurning") == []


def test_the_watchdog_is_heard_again_and_again_and_what_is_for_information_never(
    running: str, heard: Webhook
) -> None:
    post(running, [alert("Watchdog", "info"), alert("TracesDropped", "info")])
    eventually("the watchdog barks", lambda: len(heard.of("watchdog")) >= 3)
    assert {each["groupLabels"]["alertname"] for each in heard.of("watchdog")} == {"FramefleetWatchdog"}
    assert not about(heard, "team", "Watchdog") + about(heard, "pager", "Watchdog")
    assert "FramefleetTracesDropped" not in names(heard)


def test_prometheus_finds_it_by_the_mounted_file_and_hands_its_alerts_on(
    running: str, heard: Webhook, tmp_path: Path
) -> None:
    targets = tmp_path / "alertmanagers.yml"
    targets.write_text(f"- targets: [{running.removeprefix('http://')}]\n")
    with real_prometheus(tmp_path, scraped=False, alertmanagers=targets):
        eventually("what fires in Prometheus is told", lambda: "AlwaysFiring" in names(heard), 20)
