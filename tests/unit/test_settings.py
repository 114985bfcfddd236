"""Settings: a misspelt name is an error, a value that is wrong is named and never shown."""

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.settings import ServiceSettings, help_text, read


class ToasterSettings(ServiceSettings):
    """Toasts."""

    model_config = SettingsConfigDict(env_prefix="TOASTER_")

    slots: int = Field(2, ge=1, description="how many slices at once")
    token: SecretStr | None = Field(None, min_length=16, description="who may toast")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AMQP_URL", "LOG_LEVEL", "LOG_FORMAT"):
        monkeypatch.delenv(name, raising=False)


def read_with(
    monkeypatch: pytest.MonkeyPatch, **environment: str
) -> tuple[ToasterSettings | None, list[str]]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return read(ToasterSettings, environment)


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, wrong = read_with(monkeypatch, TOASTER_SLOTS="4", AMQP_URL="amqp://h/")
    assert not wrong
    assert settings is not None
    assert (settings.slots, settings.amqp_url) == (4, "amqp://h/")


def test_a_misspelt_name_is_an_error_with_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, wrong = read_with(monkeypatch, TOASTER_SLOT="4")
    assert settings is None
    assert wrong == ["TOASTER_SLOT is not a setting: did you mean TOASTER_SLOTS?"]


def test_names_of_others_are_none_of_our_business(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_with(monkeypatch, KETTLE_SLOT="4")[1] == []


def test_a_wrong_value_is_named_by_its_variable_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, wrong = read_with(monkeypatch, TOASTER_SLOTS="many", TOASTER_TOKEN="hunter2", LOG_LEVEL="loud")
    assert settings is None
    text = "\n".join(wrong)
    assert all(name in text for name in ("TOASTER_SLOTS", "TOASTER_TOKEN", "LOG_LEVEL"))
    assert "hunter2" not in text
    assert "many" not in text


def test_secrets_do_not_show_in_the_settings_own_text(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, _ = read_with(monkeypatch, TOASTER_TOKEN="x" * 20, AMQP_URL="amqp://u:s3cret@h/")
    assert "xxxx" not in repr(settings)
    assert "s3cret" not in repr(settings)


def test_help_teaches_every_setting() -> None:
    text = help_text(ToasterSettings)
    assert "TOASTER_SLOTS=2" in text
    assert "how many slices at once" in text
    assert "AMQP_URL=" in text
