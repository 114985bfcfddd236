"""Which broker the tools talk to: AMQP_URL, or the one of the system that runs in this checkout."""

import json
import logging
from collections.abc import Mapping

import structlog

from broker import split_urls
from cli import survivors
from cli.layout import Layout

ADVICE = "Start the system here with `make up`, or set AMQP_URL=amqp://user:password@host:5672/"


class NoBroker(Exception):
    """No broker is known; a sentence that says what to do."""


def broker_urls(environment: Mapping[str, str], layout: Layout) -> list[str]:
    """The URLs, to be tried in turn. Raises NoBroker, InvalidUrl."""
    if given := environment.get("AMQP_URL", "").strip():
        return split_urls(given)
    if original := survivors.original(layout.processes, layout.root):
        raise NoBroker(f"this folder is a copy, and the system runs in the original: {original}. {ADVICE}")
    try:
        known = json.loads(layout.endpoints.read_text())["amqp"]
    except (OSError, ValueError, KeyError, TypeError):
        raise NoBroker(f"no broker is known. {ADVICE}") from None
    return split_urls(str(known))


def quiet_logs() -> None:
    """A tool says what happens itself; the broker package's log lines are for services."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
