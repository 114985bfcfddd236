"""Marks by folder, and fixtures of the whole suite: a private RabbitMQ, and services of ours as real processes."""

import functools
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

import cli.rabbitmq
from cli.rabbitmq import RabbitMQNode
from tests.helpers.broker import Broker
from tests.helpers.components import real_yunet, require
from tests.helpers.memory import memory
from tests.helpers.postgres import Postgres, private_postgres
from tests.helpers.processes import Service
from tests.helpers.redis import PrivateRedis, private_redis
from tests.helpers.vhosts import VirtualHosts

HERE = Path(__file__).parent
PARTS = ("unit", "integration", "e2e", "faults")
"""Folders of tests; each is a mark as well: `pytest -m faults`."""
LARGEST = "test_every_page.py"
"""Of the browser's files: it has a whole system of its own, so that no process is left alone with all of them."""
LONGEST = (
    LARGEST,
    "test_explore.py",
    "test_up.py",
    "test_silences.py",
    "test_clocks_put_back.py",
    "test_odd_messages.py",
    "test_broker_damage.py",
    "test_amqp_rights.py",
    "test_queue_upgrade.py",
    "test_worker_remote.py",
    "test_producer_service.py",
    "test_network_link.py",
    "test_cluster_nodes.py",
    "test_partitions.py",
    "test_soak.py",
    "test_broker_restart.py",
    "test_broker_operator.py",
    "test_queues_deleted.py",
    "test_gateway_recorder.py",
    "test_producer_rtsp_odd.py",
    "test_producer_stream_faults.py",
    "test_clocks.py",
    "test_bench_cameras.py",
    "test_dlq.py",
    "test_gateway_jobs.py",
    "test_workers_senders.py",
    "test_batch.py",
    "test_doctor.py",
    "test_gateway_schemathesis.py",
    "test_history_api.py",
    "test_few_files.py",
    "test_rabbitmq_moved.py",
    "test_cameras.py",
    "test_jobs.py",
    "test_camera_page.py",
    "test_reconnect.py",
    "test_alerts.py",
    "test_silence.py",
)
"""Begun first, so that no process is left alone with one of them at the end."""

WHOLE = "from tests.helpers.native import Native"
"""Said by the browser's tests that share the one whole system of their process."""


class BySystem(LoadFileScheduling):  # type: ignore[misc]
    """`--dist loadfile`, and all files of the browser's tests that share a whole system in one process."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "the whole system" if shares_system(HERE.parent / file) else file


@functools.cache
def shares_system(file: Path) -> bool:
    """Whether the tests of this file use the one whole system, with others."""
    return file.parent.name == "e2e" and file.name != LARGEST and WHOLE in file.read_text()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Who gets which files."""
    return BySystem(config, log) if config.getvalue("dist") == "loadfile" else None


# Jobs of gateways in this process would give way to all that tests keep the machine busy with.
os.environ.setdefault("BATCH_SHARE", "1")
if other := os.environ.get("FRAMEFLEET_TEST_RABBITMQ"):
    # Another version than this machine's: a folder with its rabbitmq-server and rabbitmqctl (tests/rabbitmq-of-image).
    cli.rabbitmq.SCRIPTS = Path(other)


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its part of the suite; put the longest files first."""
    for item in items:
        (part,) = item.path.relative_to(HERE).parts[:1]
        if part in PARTS:
            item.add_marker(part)
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """What a test has done to this process's logs ends with it: the tools keep them quiet."""
    yield
    structlog.reset_defaults()
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="session")
def shared_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQNode]:
    """A node of the suite's own; use `rabbitmq`, which is empty at the start of each test."""
    require("rabbitmq-server")
    folder = tmp_path_factory.mktemp("rabbitmq")
    with memory(folder / "data"):
        node = Broker(folder, name="suite")
        node.start()
        yield node
        node.end()


@pytest.fixture(scope="session")
def virtual_hosts(shared_rabbitmq: RabbitMQNode) -> VirtualHosts:
    """Fresh virtual hosts of the suite's node, for modules whose tests share one: `virtual_hosts.take()`."""
    return VirtualHosts(shared_rabbitmq)


@pytest.fixture
def rabbitmq(virtual_hosts: VirtualHosts) -> Iterator[str]:
    """The URL of a fresh virtual host of the suite's node: nothing of another test is in it."""
    url = virtual_hosts.take()
    yield url
    virtual_hosts.give_back(url)


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


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[PrivateRedis]:
    """A Redis of the suite's own; use `redis_url`. A test that breaks one starts its own (`private_redis`)."""
    with private_redis() as server:
        yield server


@pytest.fixture
def redis_url(shared_redis: PrivateRedis) -> str:
    """REDIS_URL of a Redis in which there is nothing."""
    with shared_redis.client() as client:
        client.flushall()
    return shared_redis.url


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
