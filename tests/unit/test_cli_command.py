"""`framefleet` as a command: what it imports, what it suggests, and what it says where it cannot run."""

import json
import os
import re
import resource
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from cli.__main__ import run
from cli.broker_url import broker_urls
from cli.errors import NoBroker, NotHere
from cli.layout import Layout
from cli.subcommands import IMAGE, IN_COMPOSE, SUB_COMMANDS, check_place
from cli.survivors import Register
from cli.system_settings import settings_in_force
from runtime.version import VERSION
from tests.helpers.processes import ROOT

DISTRIBUTIONS = {"cv2": "opencv-python-headless", "scenedetect": "scenedetect-headless"}
HEAVY = {"numpy", "cv2", "fastapi", "sqlalchemy", "onnxruntime", "pika", "av", "rich", "aiohttp"}
SPY = """
import json, sys
from cli.__main__ import run
from runtime.version import VERSION
try:
    run(sys.argv[1:])
except SystemExit:
    pass
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("--help", set()),
        ("link", {"rich"}),  # structlog imports rich where it is installed
        ("down --help", set()),
        ("scale --help", set()),
        ("tokens list --help", {"rich"}),
        ("senders --help", set()),
        ("why --help", set()),
        ("dlq --help", set()),
        ("queues --help", set()),
        ("cameras --help", set()),
        ("models --help", set()),
        ("doctor --help", set()),
        ("plan --help", set()),
    ],
)
def test_it_imports_what_the_sub_command_needs_and_no_more(
    line: str, allowed: set[str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SPY, *line.split()],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    imported = set(json.loads(done.stderr.splitlines()[-1]))
    assert not imported & (HEAVY - allowed)


def test_the_help_is_there_at_once() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "cli", "--help"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent < 0.15  # s of CPU time, Python's own start included; it was 0.48 when all was imported


def test_alone_it_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    said = capsys.readouterr().out
    assert all(command.name in said and command.help in said for command in SUB_COMMANDS)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        run(["--version"])
    assert capsys.readouterr().out.strip() == f"framefleet {VERSION}"
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("dql list", "there is no command 'dql': did you mean dlq?"),
        ("queus check", "did you mean queues?"),
        (
            "xyzzy",
            "known are up, down, scale, link, tokens, senders, why, nodes, batch, remote, dlq, queues, cameras, "
            "models, doctor, plan",
        ),
        ("dlq lst", "there is no command 'lst': did you mean list?"),
        ("dlq list --limt 3", "there is no option --limt: did you mean --limit?"),
        ("dlq list --reasn=crashed", "there is no option --reasn: did you mean --reason?"),
        ("dlq list --limit many", "argument --limit: 'many' is not a whole number"),
        ("dlq list --limit 0", "argument --limit: must be at least 1"),
        ("dlq list more", "'more' is one word too many"),
        ("up WORKRES=2", "'WORKRES=2' is one word too many: did you mean --workers 2?"),
        ("dlq replay --lane LIVE", "'LIVE' is none of its values: did you mean live?"),
        ("link --role viewr", "did you mean viewer?"),
        ("tokens revke joe", "did you mean revoke?"),
        ("sender list", "there is no command 'sender': did you mean senders?"),
        ("queues upgrade --dryrun", "did you mean --dry-run?"),
        ("plan --cameras 3 --fps often", "argument --fps: 'often' is not a number"),
        ("plan --cameras 3 --fps 1 --form base46", "did you mean base64?"),
        ("up --wokers 3", "did you mean --workers?"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_right_one(
    line: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(line.split())
    said = capsys.readouterr().err
    assert says in said
    assert "--help` says what there is" in said


def test_where_a_sub_command_cannot_run_it_says_where_it_can() -> None:
    by_name = {command.name: command for command in SUB_COMMANDS}
    for name, instead in IN_COMPOSE.items():
        with pytest.raises(NotHere, match=instead):
            check_place(by_name[name], [name], {IMAGE: "gateway"})
    models = replace(by_name["models"], needs=("no_such_package",))
    with pytest.raises(NotHere) as error:
        check_place(models, ["models", "fetch", "my model"], {IMAGE: "gateway"})
    assert "is in the cv-worker image, and this is gateway's" in str(error.value)
    assert "docker compose exec cv-worker framefleet models fetch 'my model'" in str(error.value)
    with pytest.raises(NotHere, match=r"\.venv/bin/framefleet"):
        check_place(models, ["models"], {})
    for command in SUB_COMMANDS:
        check_place(command, [command.name], {})


def test_the_documentation_runs_sub_commands_where_they_are() -> None:
    services = {each.name: each.elsewhere.split()[-1] for each in SUB_COMMANDS if each.elsewhere}
    command = re.compile(
        r"docker compose (?:exec|run)(?: -{1,2}\S+(?: \"[^\"]*\")?)* ([\w-]+) framefleet (\w+)"
    )
    found = [
        (page.name, service, name)
        for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        for service, name in command.findall(page.read_text())
    ]
    assert ("batch.md", "gateway", "batch") in found
    wrong = [each for each in found if services.get(each[2], each[1]) != each[1]]
    assert not wrong


def test_every_image_has_what_its_sub_commands_need() -> None:
    """The packages that `check_place` looks for are copied or installed there."""
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()
    for command in SUB_COMMANDS:
        if not command.elsewhere:
            continue
        service = command.elsewhere.split()[-1]
        stage = dockerfile.split(f"FROM service AS {service}\n")[1].split("\nFROM ")[0]
        installed = dockerfile.split(f" AS {service}-dependencies\n")[1].split("\nFROM ")[0]
        files = re.findall(r"requirements/[\w-]+\.txt", installed)
        pinned = "\n".join((ROOT / file).read_text() for file in files)
        for package in command.needs:
            distribution = DISTRIBUTIONS.get(package, package)
            assert f"COPY {package} {package}" in stage or f"\n{distribution}==" in pinned
    for service in ("cv-worker", "cv-worker-gpu", "producer", "gateway"):
        stage = dockerfile.split(f"FROM service AS {service}\n")[1].split("\nFROM ")[0]
        assert "COPY cli cli" in stage
        assert f"{IMAGE}={service.removesuffix('-gpu')}" in stage


def test_in_an_image_the_broker_is_the_projects(tmp_path: Path) -> None:
    password = tmp_path / "password"
    with pytest.raises(NoBroker, match="docker compose exec"):
        broker_urls({IMAGE: "gateway"}, Layout(tmp_path), password)
    password.write_text("secret\n")
    environment = {IMAGE: "gateway", "AMQP_URL": ""}
    assert broker_urls(environment, Layout(tmp_path), password) == ["amqp://framefleet:secret@rabbitmq:5672/"]
    cluster = broker_urls(environment | {"AMQP_HOSTS": "a b"}, Layout(tmp_path), password)
    assert cluster == ["amqp://framefleet:secret@a:5672/", "amqp://framefleet:secret@b:5672/"]
    assert broker_urls(environment | {"AMQP_URL": "amqp://c/"}, Layout(tmp_path), password) == ["amqp://c/"]


def test_the_settings_are_the_shells_then_composes(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    nothing = settings_in_force({}, layout)
    assert (nothing.get("MODEL_DIR"), nothing.told(("MODEL_DIR",)), nothing.described) == (None, "", "")
    (tmp_path / ".env").write_text(
        "# comment\nMODEL_DIR=./models # mine\nWORKER_DETECTOR='haar'\nCV_WORKERS=3\nGATEWAY_TOKEN=secret\n"
    )
    of_compose = settings_in_force({}, layout)
    assert of_compose.get("MODEL_DIR") == str(tmp_path / "models")
    assert of_compose.told(("WORKER_DETECTOR", "PREFETCH")) == "WORKER_DETECTOR=haar, as .env says"
    assert of_compose.described == "3 workers with haar, as .env says"
    assert set(of_compose.of_services) == {"MODEL_DIR", "WORKER_DETECTOR"}
    shell = settings_in_force({"WORKER_DETECTOR": "yunet", "HOME": "/x"}, layout)
    assert (shell.get("WORKER_DETECTOR"), shell.told(("WORKER_DETECTOR",))) == ("yunet", "")
    assert shell.of_services["WORKER_DETECTOR"] == "yunet"
    assert settings_in_force({IMAGE: "cv-worker"}, layout).get("WORKER_DETECTOR") is None


def test_the_settings_of_a_run_here_go_before_those_of_compose(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.run.mkdir()
    (tmp_path / ".env").write_text("WORKER_DETECTOR=haar\n")
    told = {"WORKER_DETECTOR": "yunet,haar:vote", "WORKER_METRICS_PORT": "8000", "AMQP_URL": "amqp://u:p@h/"}
    sleeper = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]
    with subprocess.Popen(sleeper, cwd=tmp_path, env=told, stdout=subprocess.PIPE) as worker:
        try:
            assert worker.stdout is not None
            worker.stdout.readline()  # it is Python by now, with the environment of its own
            Register(layout.processes).add("worker-1", worker.pid)
            found = settings_in_force({}, layout)
        finally:
            worker.kill()
    assert found.described == "1 worker with yunet,haar:vote, as the system that runs here says"
    assert found.of_services == {"WORKER_DETECTOR": "yunet,haar:vote"}
