"""The broker that the tools talk to: AMQP_URL, that of the Compose project in an image, or that of this checkout."""

import json
from collections.abc import Mapping
from pathlib import Path

from broker import split_urls
from cli import survivors
from cli.errors import NoBroker
from cli.layout import Layout
from cli.subcommands import IMAGE

ADVICE = "Start the system here with `make up`, or set AMQP_URL=amqp://user:password@host:5672/"
PASSWORD = Path("/run/framefleet/password")
"""Where the broker of a Compose project leaves its password for the services (deploy/rabbitmq/entrypoint.sh)."""


def broker_urls(environment: Mapping[str, str], layout: Layout, password: Path = PASSWORD) -> list[str]:
    """Return the URLs, to be tried in turn. Raises NoBroker, InvalidUrl."""
    if given := environment.get("AMQP_URL", "").strip():
        return split_urls(given)
    if environment.get(IMAGE):
        return _of_the_project(environment, password)
    if original := survivors.original(layout.processes, layout.root):
        raise NoBroker(f"this folder is a copy, and the system runs in the original: {original}. {ADVICE}")
    try:
        known = json.loads(layout.endpoints.read_text())["amqp"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise NoBroker(f"no broker is known. {ADVICE}") from None
    return split_urls(str(known))


def _of_the_project(environment: Mapping[str, str], password: Path) -> list[str]:
    """Return what deploy/entrypoint.sh tells the services; a command that is run beside them does not pass it."""
    try:
        secret = password.read_text().strip()
    except OSError as error:
        raise NoBroker(
            f"no broker is known: {password} cannot be read ({error.strerror}). Run this in a container of the Compose "
            "project (docker compose exec), or set AMQP_URL=amqp://user:password@host:5672/"
        ) from None
    hosts = environment.get("AMQP_HOSTS", "").split() or ["rabbitmq"]
    return [f"amqp://framefleet:{secret}@{host}:5672/" for host in hosts]
