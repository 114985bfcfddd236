"""deploy/compose.ha.yml: three brokers with their own data, and nobody declares a queue before all three are there."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from broker.sockets import LOOK_SECONDS, MISSED_HEARTBEATS
from broker.urls import HEARTBEAT_SECONDS

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


def test_members_pause_when_they_see_none_of_the_others() -> None:
    """A node that lists itself would never pause; one that knows but one of the others would pause with a majority."""
    config = (ROOT / "deploy/rabbitmq/cluster.conf").read_text()
    assert "cluster_partition_handling = pause_if_all_down" in config
    assert "cluster_partition_handling.pause_if_all_down.recover = autoheal" in config
    for own in MEMBERS:
        folder = f"{ROOT}/deploy/rabbitmq"
        command = [f"{folder}/others", f"{folder}/cluster.conf", f"rabbit@{own}"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        assert told == [
            f"cluster_partition_handling.pause_if_all_down.nodes.{number} = rabbit@{name}"
            for number, name in enumerate((each for each in MEMBERS if each != own), 1)
        ]
        advanced = "./deploy/rabbitmq/cluster-advanced.config:/etc/rabbitmq/advanced.config:ro"
        assert advanced in SERVICES[own]["volumes"]


def test_silence_is_noticed_by_brokers_and_clients_in_the_same_time() -> None:
    """Clients that leave a frozen node must find the others able to work, and be there within 15 seconds."""
    config = (ROOT / "deploy/rabbitmq/cluster.conf").read_text()
    (tick,) = re.findall(r"^net_ticktime = (\d+)$", config, re.MULTILINE)
    client = MISSED_HEARTBEATS * HEARTBEAT_SECONDS + LOOK_SECONDS
    assert max(1.25 * int(tick), client) <= 10
