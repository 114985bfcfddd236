"""What there is to look at: the system of this checkout or of this container, as far as it can be told."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broker.errors import BrokerError
from cli import lock, survivors
from cli.broker_url import broker_urls
from cli.errors import CommandError
from cli.layout import Layout
from cli.subcommands import IMAGE
from cli.survivors import Started, start_time


@dataclass(frozen=True)
class Place:
    """Addresses, files and processes. `running`: somebody has started a system here, or names one."""

    layout: Layout
    image: str = ""
    urls: tuple[str, ...] = ()
    no_urls: str = ""
    """Why there are none."""
    prometheus: str = ""
    gateway: str = ""
    token: str = field(default="", repr=False)
    public_url: str = ""
    workers: tuple[str, ...] = ()
    """The metrics pages of native workers."""
    data: Path | None = None
    """The gateway's folder."""
    tokens: Path | None = None
    processes: tuple[Started, ...] = ()
    """All that the run has registered, alive or not."""
    supervisor: int | None = None
    """The pid of `framefleet up`."""
    original: Path | None = None
    """Where the system works of which this folder is a copy."""
    expected: int | None = None
    """How many workers should run."""
    named: bool = False
    """Somebody names what to look at: a broker or a Prometheus."""
    killed: bool = False
    """A run has not ended in order, and nothing of it is left."""
    troubles: tuple[tuple[str, str], ...] = ()
    """What of this could not be read, each with what to do."""

    @property
    def native(self) -> bool:
        return not self.image

    def process(self, name: str) -> Started | None:
        """The process of that name, if it lives."""
        return next((each for each in self.processes if each.name == name and _lives(each)), None)


def find_place(
    environment: Mapping[str, str], layout: Layout, *, amqp_url: str = "", prometheus: str = ""
) -> Place:
    """Find it. What cannot be read is a trouble of the place, never an error."""
    given = {**environment, **({"AMQP_URL": amqp_url} if amqp_url else {})}
    prometheus = prometheus or environment.get("PROMETHEUS_URL", "").strip()
    urls, no_urls = _urls(given, layout)
    if image := environment.get(IMAGE):
        return _container(image, layout, urls, no_urls, prometheus)
    broker_named = bool(given.get("AMQP_URL", "").strip())
    return _checkout(layout, urls, no_urls, prometheus, broker_named=broker_named)


def _urls(environment: Mapping[str, str], layout: Layout) -> tuple[tuple[str, ...], str]:
    try:
        return tuple(broker_urls(environment, layout)), ""
    except CommandError as error:
        return (), str(error)
    except BrokerError as error:
        return (), f"AMQP_URL: {error}"


def _checkout(
    layout: Layout, urls: tuple[str, ...], no_urls: str, prometheus: str, *, broker_named: bool
) -> Place:
    troubles: list[tuple[str, str]] = []
    original = survivors.original(layout.processes, layout.root)
    ends = {} if original else _read(layout.endpoints, dict, troubles)
    entries = [] if original else _read(layout.processes, list, troubles)
    supervisor = None if original else _holder(layout)
    processes = _started(entries)
    killed = bool(ends or entries) and supervisor is None and not any(map(_lives, processes))
    if killed:  # what the files name is no more
        ends, processes, urls = {}, (), urls if broker_named else ()
    workers = ends.get("workers")
    pages = tuple(str(each) for each in workers) if isinstance(workers, list) else ()
    return Place(
        layout,
        urls=urls,
        no_urls=no_urls,
        prometheus=prometheus or _word(ends, "prometheus"),
        gateway=_word(ends, "gateway"),
        token=_word(ends, "token"),
        workers=pages,
        data=layout.gateway if layout.gateway.is_dir() else None,
        tokens=layout.gateway / "tokens.json",
        processes=processes,
        supervisor=supervisor,
        original=original,
        expected=len(pages) if ends else None,
        named=broker_named or bool(prometheus),
        killed=killed,
        troubles=tuple(troubles),
    )


def _container(image: str, layout: Layout, urls: tuple[str, ...], no_urls: str, prometheus: str) -> Place:
    # Late: in a checkout nobody needs the gateway's settings, which are those of its process and not of this shell.
    from gateway.ready_link import own_address, own_token
    from gateway.settings import GatewaySettings
    from runtime.settings import read

    settings, wrong = read(GatewaySettings, os.environ)
    troubles = tuple(
        (sentence, "mend the setting in .env, then `docker compose up -d`") for sentence in wrong
    )
    if settings is None:
        return Place(layout, image, urls, no_urls, prometheus, troubles=troubles)
    return Place(
        layout,
        image,
        urls,
        no_urls,
        prometheus or settings.prometheus_url,
        gateway=own_address(settings),
        token=own_token(settings),
        public_url=settings.public_url,
        data=settings.data_dir,
        tokens=settings.tokens,
        expected=settings.expected_workers,
        troubles=troubles,
    )


def _read(file: Path, kind: type[Any], troubles: list[tuple[str, str]]) -> Any:
    """The JSON of a file of `make up`; an empty one of that kind if there is none, or it is something else."""
    try:
        read = json.loads(file.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return kind()
    except OSError as error:
        troubles.append(
            (
                f"{file} cannot be read ({(error.strerror or '').lower()})",
                "run this as the user who started the system",
            )
        )
        return kind()
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, kind):
        troubles.append(
            (f"{file} is not what `make up` writes", "stop the system (`make down`) and start it again")
        )
        return kind()
    return read


def _word(ends: Mapping[str, Any], name: str) -> str:
    word = ends.get(name)
    return word if isinstance(word, str) else ""


def _started(entries: list[Any]) -> tuple[Started, ...]:
    found = []
    for entry in entries:
        try:
            found.append(Started(str(entry["name"]), int(entry["pid"]), int(entry["start_time"])))
        except (KeyError, TypeError, ValueError):
            continue
    return tuple(found)


def _lives(process: Started) -> bool:
    return start_time(process.pid) == process.start_time


def _holder(layout: Layout) -> int | None:
    try:
        return lock.holder(layout.lock)
    except OSError:
        return None  # another user's: the file of endpoints says so
