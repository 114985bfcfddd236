"""Services that are given an address whose password is not percent-encoded: refused at start, in a sentence."""

import pytest

from tests.conftest import StartService
from tests.helpers.processes import Service

pytestmark = pytest.mark.integration

WRONG = (
    "amqp://u:hunt/er2@host/vh",
    "amqp://u:hunt#er2@host/vh",
    "amqp://u:12/hunter2@host/vh",
    "amqp://u:hunt%er2@host",
)


def refused(service: Service) -> str:
    assert service.process.wait(20) == 2
    said = service.log.read_text()
    assert "Traceback" not in said
    assert "hunt" not in said
    assert "er2" not in said
    return said


@pytest.mark.parametrize("name", ["producer", "worker", "gateway"])
def test_the_brokers(start: StartService, name: str) -> None:
    for service in [start(name, AMQP_URL=url) for url in WRONG]:
        said = refused(service)
        assert f"{name}: AMQP_URL: an AMQP URL looks like amqp://user:password@host:5672/: " in said
        assert "/ as %2F, @ as %40" in said


def test_the_databases_and_prometheus(start: StartService) -> None:
    for setting, url in (
        ("DATABASE_URL", "postgresql://u:hunt@er2@host/name"),
        ("DATABASE_URL", "postgresql://u:12/hunter2@host/name"),
        ("PROMETHEUS_URL", "http://u:hunt#er2@host:9090"),
    ):
        assert f"gateway: {setting}: " in refused(start("gateway", **{setting: url}))
