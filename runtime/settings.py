"""One frozen settings object per service, from the environment, with errors that say what to do.

A service declares a subclass with its prefix; `load` is called once, in `__main__`. No other module reads the
environment.
"""

import argparse
import difflib
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.urls import flaw
from runtime.wrong_values import requirement

USAGE_ERROR = 2
NEAR = 0.85
"""Two names this much alike are a name and a slip of the pen (`difflib`'s ratio)."""


class EnvironmentSettings(BaseSettings):
    """Base of all settings. Secrets are `SecretStr`; validation messages never show an input."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True, env_ignore_empty=True
    )


class ServiceSettings(EnvironmentSettings):
    """Base of the services' settings."""

    amqp_url: str = Field(
        "amqp://guest:guest@127.0.0.1:5672/",
        validation_alias="AMQP_URL",
        description="the broker; several URLs, comma-separated, are tried in turn",
        repr=False,
    )
    log_level: str = Field(
        "info",
        validation_alias="LOG_LEVEL",
        pattern="^(debug|info|warning|error)$",
        description="debug, info, warning or error",
    )
    log_format: str = Field(
        "auto",
        validation_alias="LOG_FORMAT",
        pattern="^(auto|json|console)$",
        description="json, console, or auto: console on a terminal, json elsewhere",
    )
    traces_endpoint: str = Field(
        "",
        validation_alias=AliasChoices("TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="where spans of traced frames are sent, by OTLP over HTTP: Jaeger, Tempo, a collector; port 4318 "
        "as a rule; empty: nothing is traced (docs/tracing.md)",
        repr=False,
    )
    traces_sample: float = Field(
        0.01,
        ge=0,
        le=1,
        validation_alias="TRACES_SAMPLE",
        description="the share of frames that are traced; those that fail are traced beside",
    )

    @field_validator("traces_endpoint")
    @classmethod
    def _over_http(cls, url: str) -> str:
        said = flaw(url)
        if url and (said or urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise PydanticCustomError(
                "endpoint",
                "an address such as http://collector:4318 is needed{said}",
                {"said": f" ({said})" if said else ""},
            )
        return url


Settings = TypeVar("Settings", bound=BaseSettings)


def environment_names(settings: type[BaseSettings]) -> dict[str, FieldInfo]:
    """Every variable that the service reads, with its field."""
    names: dict[str, FieldInfo] = {}
    prefix = settings.model_config.get("env_prefix", "")
    for field_name, field in settings.model_fields.items():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices):
            names.update({str(choice): field for choice in alias.choices})
        else:
            names[str(alias or f"{prefix}{field_name}").upper()] = field
    return names


def misspelt(settings: type[BaseSettings], environment: Mapping[str, str]) -> list[str]:
    """A sentence per variable with the prefix that is not a setting: pydantic ignores those silently.

    In the container that knows the Compose file's names too (see `compose_names`), a near miss of any is one as well.
    """
    known = environment_names(settings)
    compose = compose_names(environment)
    prefix = settings.model_config.get("env_prefix", "")
    sentences = []
    for name in sorted(environment):
        upper = name.upper()
        if upper in known or upper in compose:
            continue
        ours = bool(prefix) and upper.startswith(prefix)
        close = difflib.get_close_matches(upper, [*known, *compose], n=1, cutoff=0.6 if ours else NEAR)
        if ours or (compose and close):
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(known))}"
            sentences.append(f"{name} is not a setting: {hint}")
    return sentences


def compose_names(environment: Mapping[str, str]) -> set[str]:
    """List the names that the Compose files in the folder FRAMEFLEET_COMPOSE read or set; none without that variable.

    All of `.env` is given to the containers. A name that is nobody's is noticed where all names are known.
    """
    folder = environment.get("FRAMEFLEET_COMPOSE")
    if not folder:
        return set()
    text = "\n".join(file.read_text() for file in sorted(Path(folder).glob("*.yml")))
    return {*re.findall(r"\$\{(\w+)", text), *re.findall(r"^\s+([A-Z][A-Z0-9_]+):", text, re.MULTILINE)}


def problems(
    settings: type[BaseSettings], error: ValidationError, environment: Mapping[str, str]
) -> list[str]:
    """A sentence per invalid setting, by the variable's name and without its value."""
    by_name = environment_names(settings)
    by_field: dict[int, str] = {}
    # Of two names the one that is set.
    for name in sorted(by_name, key=lambda name: not environment.get(name)):
        by_field.setdefault(id(by_name[name]), name)
    sentences = []
    for item in error.errors(include_url=False):
        key = str(item["loc"][0]) if item["loc"] else ""
        field = settings.model_fields.get(key) or by_name.get(key.upper())
        name = by_field.get(id(field), key)
        said = item["msg"] if field is None else requirement(item, field)
        sentences.append(f"{name}: {said}" if name else said)
    return sentences


def read(settings: type[Settings], environment: Mapping[str, str]) -> tuple[Settings | None, list[str]]:
    """The settings, or None and what is wrong with them, a sentence each."""
    wrong = misspelt(settings, environment)
    try:
        built = settings()
    except ValidationError as error:
        return None, wrong + problems(settings, error, environment)
    return (None, wrong) if wrong else (built, [])


def load(settings: type[Settings], program: str) -> Settings:
    """Parse the command line (`--help` only) and the environment; exit 2 with sentences if any is wrong."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=(settings.__doc__ or "").strip(),
        epilog=help_text(settings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    built, wrong = read(settings, os.environ)
    if built is None:
        for sentence in wrong:
            print(f"{program}: {sentence}", file=sys.stderr)
        print(f"{program}: `python -m {program} --help` lists the settings", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    os.environ.pop("AMQP_URL", None)  # no process that this one starts needs it
    return built


def help_text(settings: type[BaseSettings]) -> str:
    """The settings as a table for `--help`: name, default, meaning."""
    rows = ["settings (environment variables):"]
    for name, field in environment_names(settings).items():
        rows.append(f"  {name}={default_text(field)}")
        rows.append(f"      {field.description or ''}")
    return "\n".join(rows)


def default_text(field: FieldInfo) -> str:
    """A setting's default as it would be written; empty where there is none."""
    if field.default_factory is not None:
        return "(of this machine)"  # a name or a path that differs from host to host
    default: Any = field.get_default()
    if default is None or field.is_required():
        return ""
    return str(getattr(default, "value", default))
