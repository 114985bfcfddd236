"""deploy/compose.grafana.yml and what it mounts: reachable from this machine only, and signed in by the token."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/grafana"
TEXT = (ROOT / "deploy/compose.grafana.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
GRAFANA: dict[str, Any] = COMPOSE["services"]["grafana"]
(SOURCE,) = yaml.safe_load((FOLDER / "provisioning/datasources/framefleet.yml").read_text())["datasources"]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboards/framefleet.json").read_text())


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


def test_the_dashboard_asks_this_data_source_and_its_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in DASHBOARD["panels"]:
        assert panel["title"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {SOURCE["uid"]}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
