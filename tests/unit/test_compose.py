"""docker-compose.yml keeps its promises: what is reachable, what is waited for, what runs as whom."""

import hashlib
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import env_example
from gateway.settings import GatewaySettings
from producer.settings import ProducerSettings
from runtime.settings import ServiceSettings, environment_names, misspelt
from worker.settings import WorkerSettings

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
    assert set(SERVICES) == {"rabbitmq", "producer", "cv-worker", "cv-worker-batch", "gateway", "prometheus"}


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
    grace = float(worker["environment"]["WORKER_GRACE_SECONDS"])
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
    script = (ROOT / "deploy/rabbitmq/entrypoint.sh").read_text()
    assert script.rstrip().splitlines()[-1].startswith("exec ")  # of ours: tests/unit/test_entrypoint.py
    assert not re.search(r"^(ENTRYPOINT|CMD) [^\[]", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("name", PYTHON)
def test_images_hold_locked_dependencies_and_their_own_package_only(name: str) -> None:
    package = name.removeprefix("cv-")
    assert f"requirements/{package}.txt" in stage(f"{name}-dependencies")
    # The operator's command is in all of them. It plans for producers and workers, and does so in the producer's image.
    beside = ["cli", "worker"] if name == "producer" else ["cli"]
    assert "--require-hashes" in stage("python-dependencies")
    copied = re.findall(r"^COPY (\w+) \w+$", stage("service") + stage(name), re.MULTILINE)
    assert sorted(copied) == sorted(["contract", "broker", "runtime", "batch", package, *beside])


def test_images_can_be_pinned_in_one_place() -> None:
    """The names are those of the Dockerfile, and every build of every Compose file takes them."""
    given = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", DOCKERFILE, re.MULTILINE))
    assert set(given) == {"PYTHON_IMAGE", "NODE_IMAGE", "RABBITMQ_IMAGE"}
    assert "@" not in "".join(given.values())
    for file in ("docker-compose.yml", "deploy/compose.ha.yml", "deploy/compose.gpu.yml"):
        for name, service in yaml.safe_load((ROOT / file).read_text())["services"].items():
            if "build" in service:
                args = {key: default(value) for key, value in service["build"]["args"].items()}
                assert args == given, (file, name)


DOCKER = """\
#!/bin/sh
case "$1" in
  pull) [ "$3" != "$MISSING" ] ;;
  image) [ "$5" = "$LOCAL" ] || echo "mirror.example/x@sha256:$(printf %s "$5" | sha256sum | cut -c 1-64)" ;;
esac
"""


def pins(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """deploy/pin-images with a `docker` that knows every image by a digest made of its name."""
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(0o755)
    return subprocess.run(
        [ROOT / "deploy" / "pin-images"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_pins_are_lines_for_env(tmp_path: Path) -> None:
    lines = dict(line.split("=", 1) for line in pins(tmp_path).stdout.splitlines())
    assert {name: value.partition("@")[0] for name, value in lines.items()} == {
        name: example for name, (example, _) in env_example.COMPOSE.items() if name.endswith("_IMAGE")
    }
    for value in lines.values():
        name, _, found = value.partition("@sha256:")
        assert found == hashlib.sha256(name.encode()).hexdigest()


@pytest.mark.parametrize("environment", [{"MISSING": "node:22-slim"}, {"LOCAL": "node:22-slim"}])
def test_an_image_that_cannot_be_pinned_is_an_error(tmp_path: Path, environment: dict[str, str]) -> None:
    done = pins(tmp_path, **environment)
    assert done.returncode == 1
    assert "NODE_IMAGE" not in done.stdout


def test_named_volumes_are_declared() -> None:
    mounted = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if isinstance(volume, str) and not volume.startswith(".")
    }
    assert mounted == set(COMPOSE["volumes"])


def test_a_folder_of_the_host_is_mounted_only_if_it_is_there() -> None:
    """The short form makes a folder of a misspelt name, and takes a name without a slash for an empty volume."""
    bound = [
        volume
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if "${" in str(volume)
    ]
    assert len(bound) == 4  # the models are mounted in both kinds of workers
    for volume in bound:
        assert (volume["type"], volume["read_only"]) == ("bind", True)
        assert volume["bind"] == {"create_host_path": False}
        assert (ROOT / default(volume["source"])).is_dir()  # what is mounted without the setting


def test_names_derive_from_the_project() -> None:
    """So that two clones do not take over each other's containers, volumes and images."""
    assert "name" not in COMPOSE
    for file in (
        "docker-compose.yml",
        *(f"deploy/compose.{name}.yml" for name in ("ha", "gpu", "monitoring")),
    ):
        for name, service in yaml.safe_load((ROOT / file).read_text())["services"].items():
            assert "container_name" not in service, name
            assert "image" not in service or "build" not in service, name


def test_environment_holds_texts_only() -> None:
    """Numbers and booleans are refused by podman-compose."""
    for file in (
        "docker-compose.yml",
        *(f"deploy/compose.{name}.yml" for name in ("ha", "gpu", "monitoring")),
    ):
        for service in yaml.safe_load((ROOT / file).read_text())["services"].values():
            for name, value in service.get("environment", {}).items():
                assert value is None or isinstance(value, str), name


SETTINGS: dict[str, type[ServiceSettings]] = {
    "cv-worker": WorkerSettings,
    "producer": ProducerSettings,
    "gateway": GatewaySettings,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_reaches_its_service_and_every_name_of_env(name: str) -> None:
    service = SERVICES[name]
    assert {"path": ".env", "required": False} in service["env_file"]
    known = set(environment_names(SETTINGS[name]))
    settable = {*env_example.settable(SETTINGS[name]), *env_example.COMMON} - {"HOSTNAME"}
    assert settable <= set(service["environment"])  # the shell's value too, which no env_file would bring
    passed = {each for each, value in service["environment"].items() if value is None or "${" in value}
    fixed = set(service["environment"]) - passed
    assert passed & known == settable
    assert fixed <= env_example.FIXED
    assert set(service["environment"]) - known <= {"GATEWAY_BIND", "GATEWAY_PUBLISHED_PORT"}


@pytest.mark.parametrize("name", SETTINGS)
def test_metrics_are_this_machines_natively_and_the_projects_in_compose(name: str) -> None:
    prefix = SETTINGS[name].model_config.get("env_prefix", "")
    assert SETTINGS[name].model_fields["metrics_host"].default == "127.0.0.1"
    assert SERVICES[name]["environment"][f"{prefix}METRICS_HOST"] == "0.0.0.0"  # noqa: S104
    assert not any(port.endswith((":8000", ":8010", ":8020")) for port in SERVICES[name].get("ports", []))


def test_the_example_is_made_from_the_settings() -> None:
    assert (ROOT / ".env.example").read_text() == env_example.text(), (
        "python -m cli.env_example > .env.example"
    )


def test_the_example_explains_every_variable_and_no_other() -> None:
    files = [ROOT / "docker-compose.yml", *sorted((ROOT / "deploy").glob("compose.*.yml"))]
    text = "\n".join(file.read_text() for file in files)
    passed = re.findall(r"^ +([A-Z][A-Z0-9_]+):(?= *(?:#|$))", text, re.MULTILINE)
    # With compose.ha.yml, for compose.gpu.yml.
    used = {*re.findall(r"\$\{(\w+)", text), *passed} - {"AMQP_HOSTS"}
    explained = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert used == explained - {"COMPOSE_PROJECT_NAME"}


def test_the_compose_files_defaults_are_the_example_s() -> None:
    lines = set(re.findall(r"^#([A-Z_]+=\S+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    defaults = dict(re.findall(r"\$\{(\w+):-(\w+)\}", TEXT))
    assert {f"{name}={value}" for name, value in defaults.items()} <= lines


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("GATEWAY_PROT", "GATEWAY_PORT"),
        ("GATEWAY_BINDD", "GATEWAY_BIND"),
        ("CV_WORKER", "CV_WORKERS"),
        ("SOURCES", "SOURCE"),
        ("AMQP_PROT", "AMQP_PORT"),
        ("PRODUCER_FSP", "PRODUCER_FPS"),
        ("PROMETHEUS_PORTS", "PROMETHEUS_PORT"),
    ],
)
def test_a_name_that_is_nobody_s_is_noticed_where_all_are_known(name: str, hint: str, tmp_path: Path) -> None:
    for file in [ROOT / "docker-compose.yml", *(ROOT / "deploy").glob("compose.*.yml")]:
        (tmp_path / file.name).write_text(file.read_text())
    container = {
        "FRAMEFLEET_COMPOSE": str(tmp_path),
        **dict.fromkeys(SERVICES["gateway"]["environment"], ""),
        **dict.fromkeys(("PATH", "HOME", "HOSTNAME", "LANG", "PYTHONPATH", "GPG_KEY", "PYTHON_VERSION"), "x"),
        "GATE_PASSWORD": "secret",
    }
    assert misspelt(GatewaySettings, container) == []
    assert misspelt(GatewaySettings, {**container, name: "1"}) == [
        f"{name} is not a setting: did you mean {hint}?"
    ]
    assert misspelt(GatewaySettings, {name: "1"}) == [] or name.startswith("GATEWAY_")
