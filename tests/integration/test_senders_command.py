"""`framefleet senders` on a node as `make up` runs it, with the management plug-in as Compose's has it."""

import argparse
import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pika
import pytest
from pika.exceptions import AMQPConnectionError, ConnectionClosedByBroker, ProbableAuthenticationError

import cli.rabbitmq
from broker import Consumer
from broker.session import session
from cli.errors import CommandError, InvalidOption, NoManagement, RabbitMQError
from cli.layout import Layout
from cli.parser import Parser
from cli.ports import free_port
from cli.queues import commands as queue_commands
from cli.rabbitmq import USER, RabbitMQNode
from cli.senders import arguments, commands
from cli.senders.administration import ByCtl, ByManagement, SenderAccount, administration
from cli.senders.removed import removed_senders
from cli.survivors import Register
from contract.senders import Sender
from contract.topology import Lane
from gateway.senders.file import put_sender, read_senders
from tests.helpers.broker import Broker
from tests.helpers.bus import Collector, bus
from tests.helpers.components import require

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A checkout of which only `.run` is there."""
    made = Layout(tmp_path_factory.mktemp("checkout"))
    made.create()
    return made


@pytest.fixture(scope="module")
def management_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def node(layout: Layout, management_port: int) -> Iterator[RabbitMQNode]:
    """As `make up` starts it, and registered as running."""
    require("rabbitmq-server")
    settings = [f"management.tcp.port = {management_port}", "management.tcp.ip = 127.0.0.1"]
    made = Broker(layout.rabbitmq, name="senders", extra_settings=settings)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cli.rabbitmq, "PLUGINS", (*cli.rabbitmq.PLUGINS, "rabbitmq_management"))
        made.start()
    assert made.pid
    Register(layout.processes).add("rabbitmq", made.pid)
    yield made
    made.end()


@pytest.fixture
def by_management(node: RabbitMQNode, management_port: int) -> ByManagement:
    return ByManagement("127.0.0.1", USER, node.password, management_port)


@pytest.fixture
async def here(
    layout: Layout, node: RabbitMQNode, by_management: ByManagement, monkeypatch: pytest.MonkeyPatch
) -> RabbitMQNode:
    """The command is run in that checkout, without senders; by the management plug-in, which is quick."""
    monkeypatch.setattr(commands, "administration", lambda urls, layout: by_management)
    async with bus(node.amqp_url):  # the first service that connects declares everything
        pass
    monkeypatch.setattr(commands, "Layout", lambda: layout)
    monkeypatch.delenv("GATEWAY_DATA_DIR", raising=False)
    for left in layout.gateway.glob("senders.json*"):
        left.unlink()
    return node


async def senders(node: RabbitMQNode, *words: str) -> int:
    """Run `framefleet senders <words>`."""
    parser = Parser(prog="framefleet senders")
    arguments.add(parser)
    return await commands.run(parser.parse_args(words), [node.amqp_url])


def url_in(said: str) -> str:
    found = re.search(r"^URL +(\S+)$", said, re.MULTILINE)
    assert found, said
    return found[1]


@contextlib.contextmanager
def connected(url: str) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel
    finally:
        if connection.is_open:
            connection.close()


def listen(connection: pika.BlockingConnection) -> None:
    """Until the broker ends it, or for ten seconds."""
    for _ in range(100):
        connection.process_data_events(0.1)


def publish(url: str, sender: Sender, lane: Lane = Lane.LIVE) -> None:
    with connected(url) as channel:
        channel.basic_publish(
            sender.exchange, sender.queue(lane), b"{}", pika.BasicProperties(delivery_mode=2), mandatory=True
        )


async def test_the_life_of_a_sender(
    here: RabbitMQNode, layout: Layout, by_management: ByManagement, capsys: pytest.CaptureFixture[str]
) -> None:
    file = layout.gateway / "senders.json"
    assert (
        await senders(here, "add", "school", "--lanes", "live,batch", "--share", "0.2", "--cameras", "gate-*")
        == 0
    )
    said = capsys.readouterr().out
    sender = read_senders(file).senders[0]
    assert sender == Sender(name="school", lanes=(Lane.LIVE, Lane.BATCH), share=0.2, cameras=("gate-*",))
    for needed in (sender.exchange, sender.queue(Lane.LIVE), sender.queue(Lane.BATCH), "school-CAMERA"):
        assert needed in said
    url = url_in(said)
    publish(url, sender)
    publish(url, sender, Lane.BATCH)

    with pytest.raises(
        InvalidOption, match="there is a sender school already: `framefleet senders set school"
    ):
        await senders(here, "add", "school")
    publish(url, sender)
    assert await senders(here, "add", "school", "--new-password", "--share", "0.3") == 0
    newer = url_in(capsys.readouterr().out)
    with pytest.raises(ProbableAuthenticationError):
        publish(url, sender)
    publish(newer, sender)

    assert await senders(here, "set", "school", "--lanes", "live", "--max-cameras", "5") == 0
    captured = capsys.readouterr()
    assert "1 frames wait in frame_queue.batch.from.school" in captured.err
    changed = read_senders(file).senders[0]
    assert (changed.share, changed.lanes, changed.max_cameras) == (0.3, (Lane.LIVE,), 5)
    with pytest.raises(pika.exceptions.UnroutableError):
        publish(newer, sender, Lane.BATCH)

    assert await senders(here, "list", "--json") == 0
    captured = capsys.readouterr()
    assert [each["name"] for each in json.loads(captured.out)["items"]] == ["school"]
    assert "no gateway runs here" in captured.err
    assert await senders(here, "list") == 0
    assert "school  live     0.3" in capsys.readouterr().out

    with connected(newer) as channel:
        assert await senders(here, "remove", "school") == 0
        with pytest.raises(ConnectionClosedByBroker):
            listen(channel.connection)
    captured = capsys.readouterr()
    assert "3 messages are left in frame_queue.from.school" in captured.err
    assert read_senders(file).senders == ()
    assert removed_senders(file) == ["school"]
    with pytest.raises(AMQPConnectionError):
        publish(newer, sender)
    assert await senders(here, "remove", "school", "--purge") == 0
    assert removed_senders(file) == []
    assert "school" not in here.ctl("list_queues", "name") + here.ctl("list_exchanges", "name")
    assert by_management.rights(SenderAccount(sender, "/")) is None
    with pytest.raises(InvalidOption, match="there is no sender school: there is none"):
        await senders(here, "remove", "school")


async def test_what_was_half_done_is_completed_by_doing_it_again(
    here: RabbitMQNode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, failing = ByManagement._ask, [("", "")]

    def broken(self: ByManagement, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        if method == failing[0][0] and path.startswith(failing[0][1]):
            raise RabbitMQError("the machine went away")
        return real(self, method, path, body)

    monkeypatch.setattr(ByManagement, "_ask", broken)
    for step in ("users/", "user-limits/", "permissions/"):
        failing[0] = ("PUT", step)
        with pytest.raises(CommandError, match="went away"):
            await senders(here, "add", "bakery")
    failing[0] = ("", "")
    assert await senders(here, "add", "bakery") == 0
    publish(url_in(capsys.readouterr().out), Sender(name="bakery"))
    failing[0] = ("DELETE", "users/")
    with pytest.raises(CommandError, match="went away"):
        await senders(here, "remove", "bakery")
    failing[0] = ("", "")
    assert await senders(here, "remove", "bakery", "--purge") == 0


async def test_what_a_sender_has_lost_is_told_and_declared_again(
    here: RabbitMQNode, layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(queue_commands, "Layout", lambda: layout)

    async def check() -> int:
        return await queue_commands.run(argparse.Namespace(action="check"), [here.amqp_url])

    sender = Sender(name="mill")
    assert await senders(here, "add", "mill") == 0
    url = url_in(capsys.readouterr().out)
    assert await check() == 0
    for name in (sender.reply_queue.name, sender.queue(Lane.LIVE)):
        here.ctl("delete_queue", name)
    assert await check() == 1
    captured = capsys.readouterr()
    for name in (sender.reply_queue.name, sender.queue(Lane.LIVE)):
        assert f"{name:28} missing, and the sender mill is here" in captured.out
    assert "framefleet senders add mill" in captured.err
    assert await senders(here, "add", "mill") == 0
    said = capsys.readouterr().out
    assert f"declared what it lacked: {sender.queue(Lane.LIVE)}, {sender.reply_queue.name}" in said
    publish(url, sender)
    assert await check() == 0
    assert await senders(here, "remove", "mill", "--purge") == 0
    put_sender(layout.gateway / "senders.json", sender)  # of another broker
    capsys.readouterr()
    assert await check() == 0
    assert "mill" not in capsys.readouterr().out


async def test_no_user_of_the_broker_is_taken_over_or_deleted(
    here: RabbitMQNode, capsys: pytest.CaptureFixture[str]
) -> None:
    here.ctl("add_user", "colleague", "a-password")
    for name, says in (
        ("colleague", "has a user colleague already"),
        (USER, "not a sender: take another one"),
    ):
        with pytest.raises(InvalidOption, match=says):
            await senders(here, "add", name)
        with pytest.raises(InvalidOption, match="there is no sender"):
            await senders(here, "remove", name)
    assert "colleague" in here.ctl("list_users")
    assert "URL" not in capsys.readouterr().out


async def test_queues_that_workers_still_take_from_are_left_and_told(
    here: RabbitMQNode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "LEAVE_SECONDS", 0.5)
    assert await senders(here, "add", "dairy") == 0
    worker: Consumer = Collector(Sender(name="dairy").queue(Lane.LIVE))
    async with bus(here.amqp_url, worker):
        async with session([here.amqp_url], "look") as broker:
            while (await broker.count("frame_queue.from.dairy"))[1] == 0:
                pass
        assert await senders(here, "remove", "dairy") == 1
    assert "frame_queue.from.dairy is still consumed: does a gateway run" in capsys.readouterr().err
    assert await senders(here, "remove", "dairy") == 0


def test_rabbitmqctl_and_the_management_plug_in_make_the_same_user(
    here: RabbitMQNode, layout: Layout, by_management: ByManagement
) -> None:
    by_ctl = administration([here.amqp_url], layout)
    assert isinstance(by_ctl, ByCtl)
    by_management.check()
    account = SenderAccount(Sender(name="dairy"), "/")
    assert by_ctl.rights(account) is None
    by_ctl.make(account, "the-first-password", new=True)
    assert tuple(by_management.rights(account) or ()) == tuple(by_ctl.rights(account) or ()) == account.rights
    limits = by_management._ask("GET", "user-limits/dairy")[0]["value"]
    assert limits == account.limits
    with pytest.raises(AMQPConnectionError):
        logged_in(here, account, "another-password")
    by_management.make(account, "the 2nd: password'\\", new=False)
    assert by_management._ask("GET", "user-limits/dairy")[0]["value"] == limits
    connection = logged_in(here, account, "the 2nd: password'\\")
    by_ctl.take(account)
    with pytest.raises(ConnectionClosedByBroker):
        listen(connection)
    assert by_management.rights(account) is None
    by_management.make(account, "p", new=True)
    connection = logged_in(here, account, "p")
    by_management.take(account)
    by_management.take(account)
    with pytest.raises(ConnectionClosedByBroker):
        listen(connection)
    by_ctl.take(account)


def logged_in(node: RabbitMQNode, account: SenderAccount, password: str) -> pika.BlockingConnection:
    credentials = pika.PlainCredentials(account.name, password)
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", node.amqp_port, "/", credentials))


def test_where_nobody_may_administer_it_says_why(
    here: RabbitMQNode, layout: Layout, management_port: int, tmp_path: Path
) -> None:
    here.ctl("add_user", "plain", "plain-password")
    with pytest.raises(NoManagement, match="refused GET whoami: 401"):
        ByManagement("127.0.0.1", USER, "wrong", management_port).check()
    with pytest.raises(NoManagement, match=r"401|no administrator"):
        ByManagement("127.0.0.1", "plain", "plain-password", management_port).check()
    with pytest.raises(NoManagement, match="does not answer"):
        administration(["amqp://a:b@127.0.0.1:1/"], Layout(tmp_path))
    with pytest.raises(NoManagement, match="without TLS"):
        administration(["amqps://a:b@broker.example/"], layout)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("add School-1", "'School-1' cannot be a sender's name, which is a small letter and up to 30"),
        ("add School-1", "school_1 would do"),
        ("add school --lanes liv", "there is no lane 'liv': did you mean live?"),
        ("add school --share 2", "2 is not a share: more than 0, at most 1"),
        ("add school --share much", "'much' is not a number"),
        ("add school --max-cameras 0", "must be from 1 to 10,000"),
        ("add school --cameras gate.1", "'gate.1' can be no camera's name"),
        ("add school --models ../x", "'../x' is not a model's name"),
        ("add school --camras x", "there is no option --camras: did you mean --cameras?"),
        ("ad school", "did you mean add?"),
        ("add", "the following arguments are required: NAME"),
    ],
)
def test_misuse_is_told_in_a_sentence(line: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="framefleet senders")
    arguments.add(parser)
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(line.split())
    assert says in capsys.readouterr().err


async def test_nothing_is_changed_where_the_broker_is_away(here: RabbitMQNode, layout: Layout) -> None:
    parser = Parser(prog="framefleet senders")
    arguments.add(parser)
    given: argparse.Namespace = parser.parse_args(["add", "school"])
    with pytest.raises(Exception, match="cannot connect to RabbitMQ"):
        await commands.run(given, ["amqp://a:b@127.0.0.1:1/"])
    assert read_senders(layout.gateway / "senders.json").senders == ()
