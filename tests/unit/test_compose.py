"""docker-compose.yml keeps its promises: what is reachable, what is waited for, what runs as whom."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
PYTHON = ("cv-worker", "producer", "gateway")


def default(text: str) -> str:
    """`text` as Compose reads it without a .env file: every ${NAME:-default} is its default."""
    while (filled := re.sub(r"\$\{\w+:-([^${}]*)\}", r"\1", text)) != text:
        text = filled
    assert "${" not in text, f"{text} has no default"
    return text


def seconds(text: str) -> float:
    assert text.endswith("s"), text
    return float(text.removesuffix("s"))


def stage(name: str) -> str:
    """The lines of the Dockerfile's stage `name`."""
    found = re.search(rf"^FROM \S+ AS {name}$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found, f"deploy/Dockerfile has no stage {name}"
    return found[1]


def test_services() -> None:
    assert set(SERVICES) == {"rabbitmq", "producer", "cv-worker", "gateway", "prometheus"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_checked_bounded_and_restarted(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"  # exec form: no shell needed, none to swallow signals
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]
    assert service["restart"] == "unless-stopped"
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", ["cv-worker", "producer", "gateway", "prometheus"])
def test_everybody_waits_for_a_healthy_broker_and_writes_to_volumes_only(name: str) -> None:
    assert SERVICES[name]["depends_on"]["rabbitmq"] == {"condition": "service_healthy"}
    assert SERVICES[name]["read_only"] is True


def test_only_this_machine_is_listened_on_by_default() -> None:
    published = [default(port) for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 4
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_only_the_gateway_can_be_opened_to_others() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:" if name != "gateway" else "${GATEWAY_BIND:-127.0.0.1}:")
    assert SERVICES["gateway"]["environment"]["GATEWAY_AUTH"] == "on"


def test_workers_can_be_scaled() -> None:
    assert "container_name" not in SERVICES["cv-worker"]
    assert "ports" not in SERVICES["cv-worker"]
    assert "hostname" not in SERVICES["cv-worker"]  # the container's own is the node_id


def test_the_broker_keeps_its_name_and_its_data() -> None:
    assert SERVICES["rabbitmq"]["hostname"] == "rabbitmq"
    assert "rabbitmq-data:/var/lib/rabbitmq" in SERVICES["rabbitmq"]["volumes"]


def test_a_worker_has_longer_to_stop_than_it_takes_to_finish() -> None:
    worker = SERVICES["cv-worker"]
    grace = float(default(str(worker["environment"]["WORKER_GRACE_SECONDS"])))
    assert seconds(worker["stop_grace_period"]) >= grace + 5


def test_the_broker_reckons_with_the_memory_that_it_has() -> None:
    config = (ROOT / "deploy/rabbitmq/container.conf").read_text()
    stated = re.search(r"^total_memory_available_override_value = (\d+)MB$", config, re.MULTILINE)
    assert stated
    assert SERVICES["rabbitmq"]["mem_limit"] == f"{stated[1]}m"


@pytest.mark.parametrize("name", ["rabbitmq", *PYTHON])
def test_images_are_not_root_and_start_in_exec_form(name: str) -> None:
    build = SERVICES[name]["build"]
    assert (build["dockerfile"], build["target"]) == ("deploy/Dockerfile", name)
    lines = stage(name)
    assert re.search(r"^USER (framefleet|rabbitmq)$", lines, re.MULTILINE)
    assert re.search(r"^CMD \[", lines, re.MULTILINE)
    for script in ("deploy/entrypoint.sh", "deploy/rabbitmq/entrypoint.sh"):
        assert (ROOT / script).read_text().rstrip().splitlines()[-1].startswith("exec ")
    assert not re.search(r"^(ENTRYPOINT|CMD) [^\[]", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("name", PYTHON)
def test_images_hold_locked_dependencies_and_their_own_package_only(name: str) -> None:
    package = name.removeprefix("cv-")
    assert f"requirements/{package}.txt" in stage(f"{name}-dependencies")
    assert "--require-hashes" in stage("python-dependencies")
    copied = re.findall(r"^COPY (\w+) \w+$", stage("service") + stage(name), re.MULTILINE)
    assert sorted(copied) == sorted(["contract", "broker", "runtime", package])


def test_named_volumes_are_declared() -> None:
    mounted = {
        default(volume).split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    assert {name for name in mounted if not name.startswith(".")} == set(COMPOSE["volumes"])


def test_the_example_explains_every_variable_and_no_other() -> None:
    used = set(re.findall(r"\$\{(\w+)", TEXT))
    explained = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert used == explained


def test_the_example_shows_the_defaults() -> None:
    lines = set(re.findall(r"^#([A-Z_]+=\S+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    folders = {"MODEL_DIR", "FOOTAGE_DIR", "CAMERAS_DIR"}  # without one, an empty volume
    defaults = dict(re.findall(r"\$\{(\w+):-(\w+)\}", TEXT))
    assert {f"{name}={value}" for name, value in defaults.items() if name not in folders} <= lines
