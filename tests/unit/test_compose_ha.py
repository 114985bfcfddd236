"""deploy/compose.ha.yml: three brokers with their own data, and nobody declares a queue before all three are there."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
HA: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.ha.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = HA["services"]
BASE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
MEMBERS = ["rabbitmq", "rabbitmq-2", "rabbitmq-3"]
PYTHON = ["cv-worker", "producer", "gateway"]


def test_services_wait_for_three_members_and_know_all_of_them() -> None:
    for name in PYTHON:
        assert SERVICES[name]["depends_on"] == {
            member: {"condition": "service_healthy"} for member in MEMBERS
        }
        assert SERVICES[name]["environment"]["AMQP_HOSTS"].split() == MEMBERS


def test_members_wait_for_nobody() -> None:
    """After a power cut a member starts only beside the others: waiting for one of them would be for ever."""
    assert all("depends_on" not in SERVICES[name] for name in MEMBERS)


def test_members_have_their_own_name_and_data_and_share_the_cookie() -> None:
    for name in MEMBERS[1:]:
        assert SERVICES[name]["hostname"] == name
        assert f"{name}-data:/var/lib/rabbitmq" in SERVICES[name]["volumes"]
        assert f"{name}-data" in HA["volumes"]
        assert SERVICES[name]["mem_limit"] == BASE["services"]["rabbitmq"]["mem_limit"]
    for name in MEMBERS:
        assert "cluster-cookie:/run/framefleet-cluster" in SERVICES[name]["volumes"]
    for name in PYTHON:  # whoever has the cookie commands the brokers
        assert "volumes" not in SERVICES[name]
    assert [SERVICES[name]["environment"]["FRAMEFLEET_MEMBER"] for name in MEMBERS] == [
        "first",
        "further",
        "further",
    ]


def test_members_are_the_cluster_and_are_scraped() -> None:
    config = (ROOT / "deploy/rabbitmq/cluster.conf").read_text()
    assert re.findall(r"= rabbit@(\S+)", config) == MEMBERS
    (group,) = yaml.safe_load((ROOT / "deploy/prometheus/members/rabbitmq.yml").read_text())
    assert group["targets"] == [f"{name}:15692" for name in MEMBERS[1:]]
    assert (
        "./deploy/prometheus/members:/etc/prometheus/deploy/prometheus/members:ro"
        in (SERVICES["prometheus"]["volumes"])
    )
