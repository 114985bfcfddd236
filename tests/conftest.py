"""Fixtures of the whole suite: a private RabbitMQ, and services of ours as real processes."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cli.rabbitmq
from cli.rabbitmq import RabbitMQNode
from tests.helpers.components import real_yunet, require
from tests.helpers.postgres import Postgres, private_postgres
from tests.helpers.processes import Service

if other := os.environ.get("FRAMEFLEET_TEST_RABBITMQ"):
    # Another version than this machine's: a folder with its rabbitmq-server and rabbitmqctl (tests/rabbitmq-of-image).
    cli.rabbitmq.SCRIPTS = Path(other)


@pytest.fixture(scope="session")
def shared_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQNode]:
    """A node of the suite's own; use `rabbitmq`, which is empty at the start of each test."""
    require("rabbitmq-server")
    node = RabbitMQNode(tmp_path_factory.mktemp("rabbitmq"), name="suite")
    node.start()
    yield node
    node.stop()


@pytest.fixture
def rabbitmq(shared_rabbitmq: RabbitMQNode, request: pytest.FixtureRequest) -> str:
    """The URL of a fresh virtual host of the suite's node: nothing of another test is in it."""
    vhost = f"test-{abs(hash(request.node.nodeid))}"
    # One command instead of two: each starts an Erlang machine. The host goes with the suite's node.
    shared_rabbitmq.ctl(
        "eval",
        f'rabbit_vhost:add(<<"{vhost}">>, <<"suite">>), rabbit_auth_backend_internal:set_permissions('
        f'<<"framefleet">>, <<"{vhost}">>, <<".*">>, <<".*">>, <<".*">>, <<"suite">>).',
    )
    return f"{shared_rabbitmq.amqp_url}{vhost}"


@pytest.fixture(scope="session")
def yunet_file() -> Path:
    """The real YuNet."""
    return real_yunet()


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[Postgres]:
    """A PostgreSQL of the suite's own; use `database_url`, which names an empty database."""
    # Crashes of processes are survived all the same; a test of the disk starts a server of its own.
    with private_postgres(fsync="off") as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """DATABASE_URL of a history of the test's own, once for each kind: empty for SQLite."""
    if request.param == "sqlite":
        return ""
    server: Postgres = request.getfixturevalue("shared_postgres")
    return server.emptied("suite")


StartService = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartService]:
    """Starts a service of ours: `start("worker", AMQP_URL=...)`; all are gone after the test."""
    started: list[Service] = []

    def begin(name: str, **environment: str) -> Service:
        service = Service(name, tmp_path / f"{name}-{len(started)}.log", **environment)
        started.append(service)
        return service

    yield begin
    for service in started:
        service.kill()
