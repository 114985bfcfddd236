"""deploy/entrypoint.sh: what a service gets to see, and what is said of its end."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLED = ("sh", "-c", "kill -9 $$")


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(ROOT / "deploy/entrypoint.sh"), *command],
        env={"PATH": os.environ["PATH"], "AMQP_URL": "amqp://broker/", **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize(
    ("service", "kept", "dropped"),
    [
        (
            "worker",
            {"WORKER_LANE", "MODEL_DIR"},
            {"GATEWAY_TOKEN", "DATABASE_URL", "PRODUCER_FPS", "CAMERAS"},
        ),
        (
            "producer",
            {"PRODUCER_FPS", "CAMERAS", "CAMERA_GATE_PASSWORD"},
            {"GATEWAY_TOKEN", "DATABASE_URL", "REDIS_URL", "WORKER_LANE"},
        ),
        (
            "gateway",
            {"GATEWAY_TOKEN", "DATABASE_URL", "REDIS_URL"},
            {"WORKER_LANE", "PRODUCER_FPS", "GRAFANA_PASSWORD"},
        ),
    ],
)
def test_another_services_settings_are_not_kept(service: str, kept: set[str], dropped: set[str]) -> None:
    done = run("sh", "-c", "env", "-m", service, **dict.fromkeys(kept | dropped, "x"))
    names = {line.partition("=")[0] for line in done.stdout.splitlines()}
    assert kept <= names
    assert not dropped & names


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        ("127.0.0.1", "GATEWAY_PUBLIC_URL=http://127.0.0.1:9000"),
        ("192.168.1.7", "GATEWAY_PUBLIC_URL=http://192.168.1.7:9000"),
        ("0.0.0.0", "GATEWAY_PUBLISHED_URL=http://127.0.0.1:9000"),  # noqa: S104
        ("localhost", "GATEWAY_PUBLIC_URL=http://127.0.0.1:9000"),
    ],
)
def test_links_name_what_compose_publishes(bind: str, expected: str) -> None:
    done = run("sh", "-c", "env", "-m", "gateway", GATEWAY_BIND=bind, GATEWAY_PUBLISHED_PORT="9000")
    assert expected in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("bind", "expected"), [("127.0.0.1", "http://127.0.0.1:9000"), ("192.168.1.7", "http://192.168.1.7:9000")]
)
def test_behind_a_proxy_what_compose_publishes_is_not_the_public_url(bind: str, expected: str) -> None:
    """The public URL goes before what the proxy says, and only the proxy knows how browsers come."""
    proxied = {
        "GATEWAY_BIND": bind,
        "GATEWAY_PUBLISHED_PORT": "9000",
        "GATEWAY_TRUSTED_PROXIES": "172.16.0.0/12",
    }
    said = run("sh", "-c", "env", "-m", "gateway", **proxied).stdout.splitlines()
    assert f"GATEWAY_PUBLISHED_URL={expected}" in said
    assert not any(line.startswith("GATEWAY_PUBLIC_URL=") for line in said)
    named = run("sh", "-c", "env", "-m", "gateway", GATEWAY_PUBLIC_URL="https://fleet.example", **proxied)
    assert "GATEWAY_PUBLIC_URL=https://fleet.example" in named.stdout.splitlines()


def test_without_a_broker_it_says_what_to_do() -> None:
    done = run("true", AMQP_URL="")
    assert done.returncode == 2
    assert "set AMQP_URL, or start with docker compose" in done.stderr


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("amqp://user:password@127.0.0.1:5672/", 2),
        ("amqp://localhost", 2),
        ("amqps://user:password@broker.example/,amqp://user:password@localhost:5672/", 2),
        ("amqp://user:password@host.docker.internal:5672/", 0),
        ("amqp://user:127.0@broker.example:5672/localhost", 0),
    ],
)
def test_a_broker_in_the_container_itself_is_told(url: str, status: int) -> None:
    done = run("true", AMQP_URL=url)
    assert done.returncode == status
    assert ("host.docker.internal" in done.stderr) is bool(status)


@pytest.mark.parametrize("status", [0, 1, 2])
def test_the_status_is_the_services_own(status: int) -> None:
    done = run("sh", "-c", f"exit {status}")
    assert (done.returncode, done.stderr) == (status, "")


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        (
            "low 0\noom 1\noom_kill 1\noom_group_kill 0\n",
            "memory (mem_limit in docker-compose.yml) was used up",
        ),
        ("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", "was used up"),  # control groups of version 1
        ("oom 0\noom_kill 0\n", "not by this container's limit of memory"),
    ],
)
def test_one_that_was_killed_is_told_with_the_kernels_reason(
    events: str, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "events"
    file.write_text(events)
    done = run(*KILLED, FRAMEFLEET_MEMORY_EVENTS=str(file))
    assert done.returncode == 128 + signal.SIGKILL
    assert sentence in done.stderr


def test_sigterm_reaches_the_service_which_finishes_in_its_own_time() -> None:
    child = "trap 'echo finishing; exit 7' TERM; echo ready; while :; do :; done"
    process = subprocess.Popen(
        ["sh", str(ROOT / "deploy/entrypoint.sh"), "sh", "-c", child],
        env={"PATH": os.environ["PATH"], "AMQP_URL": "amqp://broker/"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=20)[0] == "finishing\n"
    assert process.returncode == 7


def test_the_operators_command_needs_no_broker_and_keeps_its_terminal(tmp_path: Path) -> None:
    program = tmp_path / "framefleet"
    program.write_text('#!/bin/sh\necho "$0 $*, $(cat)"\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", str(ROOT / "deploy/entrypoint.sh"), "framefleet", "dlq", "list"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        input="typed",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{program} dlq list, typed\n", "")
