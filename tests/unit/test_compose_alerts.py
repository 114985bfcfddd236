"""deploy/compose.alerts.yml: Alertmanager on this machine only, found by Prometheus through a file that it mounts."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.alerts.yml").read_text())
BASE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
ALERTMANAGER: dict[str, Any] = COMPOSE["services"]["alertmanager"]
FOLDER = "/etc/prometheus/deploy/prometheus/alertmanagers:ro"


def targets(folder: str) -> list[str]:
    (file,) = (ROOT / folder).glob("*.yml")
    return [target for group in yaml.safe_load(file.read_text()) for target in group["targets"]]


def test_it_is_bounded_checked_and_on_this_machine_only() -> None:
    assert ALERTMANAGER["ports"] == ["127.0.0.1:${ALERTMANAGER_PORT:-9093}:9093"]
    assert ALERTMANAGER["cap_drop"] == ["ALL"]
    assert ALERTMANAGER["read_only"] is True
    assert ALERTMANAGER["mem_limit"]
    assert ALERTMANAGER["healthcheck"]["test"][0] == "CMD"
    assert ALERTMANAGER["logging"]["options"]["max-size"]
    assert "--cluster.listen-address=" in ALERTMANAGER["command"]  # one alone: no port for others of its kind


def test_prometheus_is_told_of_it_by_this_file_and_else_of_nobody() -> None:
    assert COMPOSE["services"]["prometheus"] == {"volumes": [f"./deploy/prometheus/alertmanagers:{FOLDER}"]}
    assert f"./deploy/prometheus/no-alertmanagers:{FOLDER}" in BASE["services"]["prometheus"]["volumes"]
    assert targets("deploy/prometheus/alertmanagers") == ["alertmanager:9093"]
    assert targets("deploy/prometheus/no-alertmanagers") == []
    (found,) = yaml.safe_load((ROOT / "prometheus.yml").read_text())["alerting"]["alertmanagers"]
    assert found == {"file_sd_configs": [{"files": ["deploy/prometheus/alertmanagers/*.yml"]}]}


def test_addresses_of_receivers_are_in_a_mounted_folder_and_never_in_git() -> None:
    (urls,) = (volume for volume in ALERTMANAGER["volumes"] if isinstance(volume, dict))
    assert urls["source"] == "${ALERT_URLS_DIR:-./deploy/alertmanager/urls}"
    assert urls["read_only"] is True
    assert urls["bind"] == {"create_host_path": False}
    route = yaml.safe_load((ROOT / "deploy/alertmanager/alertmanager.yml").read_text())
    files = [hook["url_file"] for each in route["receivers"] for hook in each.get("webhook_configs", [])]
    assert files == [f"{urls['target']}/{name}" for name in ("team", "pager", "watchdog")]
    ignored = (ROOT / "deploy/alertmanager/urls/.gitignore").read_text().splitlines()
    assert ignored == ["*", "!.gitignore", "!README.md"]
