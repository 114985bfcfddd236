"""REDIS_URL: what is taken, what is refused with a sentence, and that its password is nowhere to be read."""

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.redis_url import RedisUrl, place
from runtime.settings import ServiceSettings, read


class KettleSettings(ServiceSettings):
    """Boils."""

    model_config = SettingsConfigDict(env_prefix="KETTLE_")

    redis_url: RedisUrl = Field(SecretStr(""), validation_alias="REDIS_URL", description="Redis")


def read_url(monkeypatch: pytest.MonkeyPatch, url: str) -> tuple[KettleSettings | None, list[str]]:
    monkeypatch.setenv("REDIS_URL", url)
    return read(KettleSettings, {"REDIS_URL": url})


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("redis://cache.example", "cache.example:6379"),
        ("redis://:hunter2@cache.example:6380/3", "cache.example:6380"),
        ("rediss://user:hunter2@cache.example/0?ssl_ca_certs=/etc/ca.pem", "cache.example:6379"),
        ("rediss://cache.example?ssl_cert_reqs=none", "cache.example:6379"),
        ("unix:///run/redis/redis.sock", "/run/redis/redis.sock"),
    ],
)
def test_an_address_is_taken_and_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str, where: str
) -> None:
    settings, wrong = read_url(monkeypatch, url)
    assert not wrong
    assert settings is not None
    assert settings.redis_url.get_secret_value() == url
    assert "hunter2" not in f"{settings!r} {settings} {place(url)}"
    assert place(url) == where


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("cache.example:6379", "redis://:password@host:6379/0"),
        ("http://hunter2@cache.example", "redis://:password@host:6379/0"),
        ("redis://:hunter2#more@cache.example", "write special characters"),
        ("redis://:hunter2/more@cache.example", "cannot be told from the password"),
        ("redis://", "names no host"),
        ("redis://cache.example/hunter2", "number of a database"),
        ("redis://cache.example?hunter2=1", "rediss://"),
        ("rediss://cache.example?max_connections=hunter2", "ssl_ca_certs=a file"),
        ("rediss://cache.example?ssl_cert_reqs=hunter2", "none or required"),
        ("unix://run/redis.sock", "unix:///run/redis/redis.sock"),
    ],
)
def test_a_wrong_address_is_answered_with_what_would_do(
    monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    settings, (sentence,) = read_url(monkeypatch, url)
    assert settings is None
    assert sentence.startswith("REDIS_URL: ")
    assert said in sentence
    assert "hunter2" not in sentence
