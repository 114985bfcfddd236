"""Where the dashboard is listened on, reached and seen, by HOST; and what its gateway is told."""

from pathlib import Path

import pytest

from cli import lan
from cli.addresses import Addresses
from cli.knobs import Knobs
from cli.layout import Layout
from cli.services import ServiceCommands

EVERY = "0.0.0.0"  # noqa: S104


def services(folder: Path, host: str) -> ServiceCommands:
    knobs = Knobs(1, "demo", None, None, "", host=host)
    return ServiceCommands(Layout(folder), knobs, Addresses(gateway=8080), "amqp://broker", "token")


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan, "network_address", lambda *_: "192.168.1.5")
    for name in ("GATEWAY_PUBLIC_URL", "GATEWAY_PUBLISHED_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("host", "listens", "reached", "seen"),
    [
        ("", "127.0.0.1", "http://127.0.0.1:8080", None),
        ("127.0.0.1", "127.0.0.1", "http://127.0.0.1:8080", None),
        ("::1", "::1", "http://[::1]:8080", None),
        (EVERY, EVERY, "http://127.0.0.1:8080", "http://192.168.1.5:8080"),
        ("::", "::", "http://127.0.0.1:8080", "http://192.168.1.5:8080"),
        ("10.0.0.7", "10.0.0.7", "http://10.0.0.7:8080", "http://10.0.0.7:8080"),
        ("fd00::7", "fd00::7", "http://[fd00::7]:8080", "http://[fd00::7]:8080"),
    ],
)
def test_links_lead_to_where_others_see_it(
    host: str, listens: str, reached: str, seen: str | None, tmp_path: Path
) -> None:
    told = services(tmp_path, host)
    assert told.gateway.env["GATEWAY_HOST"] == listens
    assert told.gateway.env.get("GATEWAY_PUBLISHED_URL") == seen
    assert told.endpoints["gateway"] == reached


@pytest.mark.parametrize("name", ["GATEWAY_PUBLIC_URL", "GATEWAY_PUBLISHED_URL"])
def test_the_operators_own_address_stays(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(name, "https://cameras.example")
    told = services(tmp_path, EVERY)
    assert told.gateway.env[name] == "https://cameras.example"
    assert {"GATEWAY_PUBLIC_URL", "GATEWAY_PUBLISHED_URL"} & set(told.gateway.env) == {name}


def test_only_the_dashboard_is_opened(tmp_path: Path) -> None:
    env = services(tmp_path, EVERY).gateway.env
    assert env["GATEWAY_METRICS_HOST"] == "127.0.0.1"
