"""Each service with a broker's user of its own, who has exactly the rights that docs/security.md gives it."""

import json
import secrets
import shlex
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from broker import Message
from broker.session import session
from cli.ports import free_port
from cli.rabbitmq import RabbitMQNode
from contract.topology import Queue
from tests.conftest import StartService
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually, eventually
from tests.helpers.gateway import TOKEN
from tests.helpers.processes import ROOT, Service
from tests.helpers.tool import framefleet

pytestmark = pytest.mark.integration

SERVICES = ("producer", "worker", "gateway")


def rights() -> dict[str, list[str]]:
    """The documentation's commands, by the user that they are for."""
    text = (ROOT / "docs" / "security.md").read_text()
    section = text.partition("## The services' own rights")[2].partition("\n## ")[0]
    commands = [shlex.split(line)[1:] for line in section.splitlines() if line.startswith("rabbitmqctl ")]
    found = {command[3]: command for command in commands}
    assert list(found) == [*SERVICES, "tools"]
    return found


@pytest.fixture(scope="module")
def accounts(shared_rabbitmq: RabbitMQNode) -> dict[str, tuple[str, str]]:
    """Name and password of each, without any right yet."""
    made = {user: (f"{user}-{secrets.token_hex(3)}", secrets.token_hex(8)) for user in rights()}
    for name, password in made.values():
        shared_rabbitmq.ctl("add_user", name, password)
    return made


@pytest.fixture
def users(
    rabbitmq: str, shared_rabbitmq: RabbitMQNode, accounts: dict[str, tuple[str, str]]
) -> dict[str, str]:
    """A URL for each, in the test's own virtual host."""
    parts = urlsplit(rabbitmq)
    vhost, urls = parts.path.removeprefix("/"), {}
    for user, command in rights().items():
        name, password = accounts[user]
        shared_rabbitmq.ctl(command[0], "-p", vhost, name, *command[4:])
        urls[user] = f"amqp://{name}:{password}@{parts.hostname}:{parts.port}/{vhost}"
    return urls


@pytest.mark.parametrize("first", SERVICES)
async def test_they_work_whoever_is_first(
    first: str,
    users: dict[str, str],
    rabbitmq: str,
    shared_rabbitmq: RabbitMQNode,
    start: StartService,
    tmp_path: Path,
) -> None:
    port = free_port()
    settings = {
        "producer": {"SOURCE": "demo:1", "PRODUCER_FPS": "5"},
        "worker": {"WORKER_DETECTOR": "haar", "NODE_ID": "n-1"},
        "gateway": {
            "GATEWAY_PORT": str(port),
            "GATEWAY_TOKEN": TOKEN,
            "GATEWAY_DATA_DIR": str(tmp_path / "data"),
        },
    }
    started = {}
    for name in (first, *(other for other in SERVICES if other != first)):
        started[name] = start(name, AMQP_URL=users[name], **settings[name]).ready()
    gateway = started["gateway"]
    await aeventually("results are stored", lambda: gateway.metric("gateway_recorded_results_total"), 40)
    await aeventually("the camera is known", lambda: gateway.metric('gateway_cameras{state="live"}'), 20)
    await aeventually("the worker is known", lambda: "n-1" in asked(port, "nodes"), 20)
    found = 'framefleet_canary_frames_total{outcome="found"}'
    await aeventually("the canary is answered", lambda: gateway.metric(found), 20)
    asked(port, "models/switch?model=haar", b"")
    if first == "producer":
        await the_tools_work(users["tools"], rabbitmq, list(started.values()), tmp_path / "data")
    for service in started.values():
        if service.process.returncode is None:
            assert service.stop() == 0
    log = shared_rabbitmq.log.read_text()
    names = [urlsplit(url).username or "" for url in users.values()]
    assert [
        line for line in log.splitlines() if "refused" in line and any(name in line for name in names)
    ] == []


async def the_tools_work(tools: str, rabbitmq: str, services: list[Service], data: Path) -> None:
    """Dead letters are listed, replayed and purged, a queue is made anew: the same, whoever declared it."""
    async with bus(rabbitmq) as ours:
        await ours.publish(Message("", "frame_queue", b"no JSON"))
        await dead_letters(tools, 1)
        assert (await framefleet(tools, "dlq", "replay", "--all", "--yes", "--lane", "live")).status == 0
        await dead_letters(tools, 1)
        assert (await framefleet(tools, "dlq", "purge", "--all", "--yes")).status == 0
        await dead_letters(tools, 0)
    place = {"GATEWAY_DATA_DIR": str(data)}
    added = await framefleet(tools, "senders", "add", "school", settings=place)
    assert added.status == 0, added.err
    removed = await framefleet(tools, "senders", "remove", "school", settings=place)
    assert removed.status == 0, removed.err
    for service in services:
        assert service.stop() == 0
    async with session([rabbitmq], "another version") as broker, broker.channel() as channel:
        await channel.delete("frame_queue.gpu")
        await channel.declare(Queue("frame_queue.gpu", {"x-queue-type": "quorum"}))
    assert (await framefleet(tools, "queues", "upgrade", "--yes")).status == 0
    checked = await framefleet(tools, "queues", "check")
    assert "all queues are as they should be" in checked.out


async def dead_letters(url: str, number: int) -> None:
    """Wait until `framefleet dlq list` shows so many."""
    for _ in range(40):
        listed = await framefleet(url, "dlq", "list", "--json")
        assert listed.status == 0, listed.err
        if json.loads(listed.out)["total"] == number:
            return
    raise AssertionError(listed)


def asked(port: int, path: str, body: bytes | None = None) -> str:
    """What the gateway's API answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/{path}", data=body, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return str(answer.read().decode())


MISSING = {
    "configure": (["^$", ".*", ".*"], "access to exchange 'tasks' refused"),
    "write": ([".*", "^$", ".*"], "access to exchange 'amq.default' refused"),
    "read": ([".*", ".*", "^$"], "refused"),
}


@pytest.mark.parametrize("right", MISSING)
def test_a_right_that_is_missing_is_told_and_stays_told(
    right: str, rabbitmq: str, shared_rabbitmq: RabbitMQNode, start: StartService, tmp_path: Path
) -> None:
    parts = urlsplit(rabbitmq)
    name, password = f"less-{secrets.token_hex(3)}", secrets.token_hex(8)
    permissions, said = MISSING[right]
    shared_rabbitmq.ctl("add_user", name, password)
    shared_rabbitmq.ctl("set_permissions", "-p", parts.path.removeprefix("/"), name, *permissions)
    url = f"amqp://{name}:{password}@{parts.hostname}:{parts.port}{parts.path}"
    gateway = start(
        "gateway", AMQP_URL=url, GATEWAY_PORT="0", GATEWAY_TOKEN=TOKEN, GATEWAY_DATA_DIR=str(tmp_path)
    )
    eventually("it says what is missing", lambda: said in gateway.get("/readyz")[1])
    eventually("it has tried again", lambda: gateway.log.read_text().count("broker unreachable") > 3)
    assert "ACCESS_REFUSED" in gateway.get("/readyz")[1]
    for text in (gateway.get("/readyz")[1], gateway.log.read_text()):
        assert "Normal shutdown" not in text
        assert password not in text
    assert name not in gateway.get("/readyz")[1]


def test_a_virtual_host_that_there_is_not_is_told(rabbitmq: str, start: StartService, tmp_path: Path) -> None:
    gateway = start(
        "gateway",
        AMQP_URL=f"{rabbitmq}-not",
        GATEWAY_PORT="0",
        GATEWAY_TOKEN=TOKEN,
        GATEWAY_DATA_DIR=str(tmp_path),
    )
    eventually("it says so", lambda: "no such virtual host" in gateway.get("/readyz")[1])
    assert "530 NOT_ALLOWED" in gateway.get("/readyz")[1]
