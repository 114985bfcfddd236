"""Settings that would be dangerous or wrong are refused with a sentence."""

from pathlib import Path

import pytest

from gateway.security.login import local_path
from gateway.settings import GatewaySettings
from runtime.settings import read


def problems(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[str]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    built, wrong = read(GatewaySettings, environment)
    assert (built is None) == bool(wrong)
    return wrong


def test_the_defaults_are_safe() -> None:
    settings = GatewaySettings()
    assert (settings.host, settings.port, settings.auth) == ("127.0.0.1", 8080, "on")
    assert settings.dashboard_dir == Path("dashboard/dist")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "gateway.example"])  # noqa: S104
def test_open_to_all_is_refused(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    (sentence,) = problems(monkeypatch, GATEWAY_AUTH="off", GATEWAY_HOST=host)
    assert "GATEWAY_AUTH=off is refused" in sentence


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_open_on_loopback_is_fine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    assert problems(monkeypatch, GATEWAY_AUTH="off", GATEWAY_HOST=host) == []


def test_a_short_token_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    (sentence,) = problems(monkeypatch, GATEWAY_TOKEN="hunter2hunter2")
    assert "shorter than 16" in sentence
    assert "hunter2" not in sentence


def test_the_databases_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:hunter2hunter2@host:5432/name")
    assert "hunter2" not in repr(GatewaySettings())
    (sentence,) = problems(monkeypatch, DATABASE_URL="postgresql://user:hunter2/hunter2@host/name")
    assert sentence.startswith(
        "DATABASE_URL: the address must look like postgresql://user:password@host/name"
    )
    assert "hunter2" not in sentence


def test_the_token_is_not_in_the_settings_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN", "a-secret-of-some-length")
    assert "a-secret" not in repr(GatewaySettings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_PUBLIC_URL", "fleet.example"),
        ("GATEWAY_PUBLIC_URL", "https://fleet.example/api"),
        ("GATEWAY_PUBLIC_URL", "https://fleet.example/a b"),
        ("GATEWAY_PUBLIC_URL", "https://fleet.example/a//b"),
        ("GATEWAY_PUBLIC_URL", "https://fleet.example/fleet?x=1"),
        ("GATEWAY_ALLOWED_ORIGINS", "https://a.example/path"),
        ("GATEWAY_ALLOWED_ORIGINS", "a.example"),
        ("PROMETHEUS_URL", "prometheus:9090"),
        ("DATABASE_URL", "database.example/framefleet"),
        ("DATABASE_URL", "mysql://user:password@host/name"),
        ("DATABASE_URL", "postgresql://user:pass#word@host/name"),
        ("GATEWAY_PORT", "70000"),
        ("GATEWAY_AUTH", "maybe"),
        ("GATEWAY_HOSTS", "x"),
    ],
)
def test_wrong_values_are_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    (sentence,) = problems(monkeypatch, **{name: value})
    assert name in sentence


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("", ""),
        ("https://fleet.example/", ""),
        ("https://host/fleet/", "/fleet"),
        ("https://host/a/B_1.~-", "/a/B_1.~-"),
    ],
)
def test_the_path_of_the_public_url_is_where_all_of_it_is(url: str, prefix: str) -> None:
    assert GatewaySettings(public_url=url).prefix == prefix


def test_origins_include_the_public_url() -> None:
    settings = GatewaySettings(
        public_url="https://Fleet.example/", allowed_origins="https://a.example, http://b.example:81/"
    )
    assert settings.origins == {"https://fleet.example", "https://a.example", "http://b.example:81"}


def test_empty_settings_are_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(monkeypatch, GATEWAY_TOKEN="", PROMETHEUS_URL="", GATEWAY_EXPECTED_WORKERS="") == []


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/wall?x=1", True),
        ("/", True),
        ("//evil", False),
        ("/\\evil", False),
        ("https://evil", False),
        ("wall", False),
        ("/a\nb", False),
    ],
)
def test_a_login_leads_nowhere_else(target: str, kept: bool) -> None:
    assert local_path(target) == (target if kept else "/")
