"""deploy/compose.monitoring.yml and what it mounts: reachable from this machine only, and signed in by the token."""

import re
from pathlib import Path
from typing import Any

import yaml

from deploy.grafana.boards.__main__ import BOARDS
from tests.helpers.board_lint import expressions, metrics

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/grafana"
TEXT = (ROOT / "deploy/compose.monitoring.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
GRAFANA: dict[str, Any] = COMPOSE["services"]["grafana"]
(SOURCE,) = yaml.safe_load((FOLDER / "provisioning/datasources/framefleet.yml").read_text())["datasources"]
NODE: dict[str, Any] = COMPOSE["services"]["node-exporter"]


def test_it_is_bounded_checked_and_on_this_machine_only() -> None:
    assert GRAFANA["ports"] == ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"]
    assert GRAFANA["cap_drop"] == ["ALL"]
    assert GRAFANA["read_only"] is True
    assert GRAFANA["mem_limit"]
    assert GRAFANA["healthcheck"]["test"][0] == "CMD"
    assert GRAFANA["depends_on"] == {"gateway": {"condition": "service_healthy"}}
    assert GRAFANA["logging"]["options"]["max-size"]


def test_nothing_starts_with_a_password_that_everybody_knows() -> None:
    for name in ("FRAMEFLEET_TOKEN", "GF_SECURITY_ADMIN_PASSWORD"):
        assert ":?set " in GRAFANA["environment"][name]


def test_what_is_mounted_is_there() -> None:
    mounted = dict(volume.split(":")[:2] for volume in GRAFANA["volumes"])
    assert mounted.pop("grafana-data") == "/var/lib/grafana"
    assert "grafana-data" in COMPOSE["volumes"]
    for here in mounted:
        assert (ROOT / here).is_dir(), here
    (provider,) = yaml.safe_load((FOLDER / "provisioning/dashboards/framefleet.yml").read_text())["providers"]
    assert provider["options"]["path"] in mounted.values()


def test_the_data_source_is_the_gateway_s_proxy_with_the_token_as_password() -> None:
    assert (SOURCE["type"], SOURCE["access"]) == ("prometheus", "proxy")
    assert SOURCE["url"].endswith("/api/prometheus")
    assert SOURCE["basicAuth"] is True
    used = set(re.findall(r"\$(\w+)", SOURCE["url"] + SOURCE["secureJsonData"]["basicAuthPassword"]))
    assert used == {"FRAMEFLEET_URL", "FRAMEFLEET_TOKEN"}
    assert used <= set(GRAFANA["environment"])


def test_the_boards_begin_with_this_data_source() -> None:
    for each in BOARDS:
        (source,) = (one for one in each["templating"]["list"] if one["name"] == "datasource")
        assert (source["query"], source["current"]["value"]) == (SOURCE["type"], SOURCE["uid"])


def test_the_machine_is_looked_at_and_nothing_listens_for_it() -> None:
    assert "ports" not in NODE
    assert "network_mode" not in NODE
    (mounted,) = NODE["volumes"]
    assert (mounted["source"], mounted["read_only"]) == ("/", True)
    assert NODE["read_only"] is True
    assert NODE["cap_drop"] == ["ALL"]
    assert NODE["mem_limit"]


def test_prometheus_asks_the_machine_where_the_file_is_mounted() -> None:
    jobs = {
        job["job_name"]: job
        for job in yaml.safe_load((ROOT / "prometheus.yml").read_text())["scrape_configs"]
    }
    ((file,),) = (each["files"] for each in jobs["node"]["file_sd_configs"])
    ((here, there, mode),) = (volume.split(":") for volume in COMPOSE["services"]["prometheus"]["volumes"])
    assert (there, mode) == (f"/etc/prometheus/{file}", "ro")
    (target,) = yaml.safe_load((ROOT / here).read_text())[0]["targets"]
    assert target == "node-exporter:9100"
    # Without the file: no target that could be down.
    assert list(jobs["node"]) == [
        "job_name",
        "file_sd_configs",
    ]
    base = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["prometheus"]
    assert not any("node.yml" in volume for volume in base["volumes"])
    # The folder that is watched exists.
    assert any(there.rpartition("/")[0] in volume for volume in base["volumes"])


def test_every_program_of_the_exporter_is_named() -> None:
    """With its defaults it would open files of the machine that it has no business with."""
    assert "--collector.disable-defaults" in NODE["command"]
    panels = {name for each in BOARDS for _, expr in expressions(each) for name in metrics(expr)}
    assert {name.split("_")[1] for name in panels if name.startswith("node_")} == {
        "cpu",
        "memory",
        "filesystem",
        "disk",
    }
    for collector in ("cpu", "meminfo", "filesystem", "diskstats"):
        assert f"--collector.{collector}" in NODE["command"]
