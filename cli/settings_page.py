"""`python -m cli.settings_page > docs/settings.md`: every setting there is, from the settings' own descriptions."""

import sys
from collections.abc import Iterator
from enum import Enum
from typing import get_args

from pydantic.fields import FieldInfo

from batch.cache.settings import CacheSettings
from batch.courtesy import CourtesySettings
from batch.temporary import TemporarySettings
from cli.env_example import COMMON, COMPOSE, DESCRIPTIONS, EXAMPLES, FIXED
from gateway.settings import GatewaySettings
from producer.settings import ProducerSettings
from runtime.settings import ServiceSettings, default_text, environment_names
from runtime.wrong_values import ALTERNATIVES, allowed_range
from worker.settings import WorkerSettings

HEAD = """\
# All settings

Written by `python -m cli.settings_page > docs/settings.md` from the settings' own descriptions, and held to them by a
test.

Settings are environment variables. `make up` takes its knobs on its command line and hands every other variable of
the shell to the services. With Docker Compose they stand in `.env` ([.env.example](../.env.example) is a template), or
in the shell, which goes first. A service refuses to start if a variable that begins with its prefix is not a setting of
it, and says which one was meant; a wrong value is answered with what would do. `python -m worker --help` (likewise
`producer`, `gateway`) prints that service's part of this page.

A setting marked † is set by the Compose file itself, so `.env` does not change it.
"""

KNOBS = (
    ("WORKERS", "one per core", "processes, 0 to 512", "how many workers; 0: frames wait", "WORKERS=4"),
    (
        "WORKERS_BATCH",
        "auto",
        "auto, or processes, 0 to 512",
        "how many workers of the batch lane at most; they are started while jobs need them ([batch.md](batch.md)). "
        "auto: one per core",
        "WORKERS_BATCH=1",
    ),
    (
        "SOURCE",
        "demo",
        "",
        "demo, none, a video file, a folder of images, http(s)://…, rtsp://…, webcam:0; several are separated by "
        "commas, and each may have a name",
        "SOURCE=gate=video.mp4,yard=rtsp://10.0.0.8/stream1",
    ),
    (
        "CAMERAS",
        "",
        "file",
        "a file that lists the cameras, read again when it changes, instead of SOURCE ([cameras.md](cameras.md))",
        "CAMERAS=cameras.yaml",
    ),
    ("PORT", "8080, or the next free one", "TCP port", "port of the dashboard", "PORT=9000"),
    (
        "HOST",
        "this machine alone",
        "address",
        "0.0.0.0, or one address of this machine: phones and other machines reach the dashboard there, and sign in "
        "([a phone](start.md#a-phone))",
        "HOST=0.0.0.0",
    ),
    (
        "MODEL_DIR",
        "",
        "folder",
        "a folder with model files, looked at before downloading",
        "MODEL_DIR=models",
    ),
    (
        "AMQP_URL",
        "a private RabbitMQ",
        "URL",
        "use this broker instead; several URLs, comma-separated, are tried in turn",
        "AMQP_URL=amqp://user:password@broker.example:5672/",
    ),
    (
        "PYTHON",
        "python3",
        "program",
        "the Python that makes the virtual environment",
        "PYTHON=/usr/bin/python3",
    ),
)
DEVELOPERS = (
    ("PYTEST", "", "", "`make test` and its parts: further arguments for pytest", 'PYTEST="-k name"'),
    ("SECONDS", "1800", "seconds", "`make soak`: how long", "SECONDS=600"),
    ("SEED", "1", "", "`make soak`: the same faults again", "SEED=7"),
)
COMMAND = (
    (
        "AMQP_URL",
        "the system that runs here",
        "URL",
        "the broker of `framefleet dlq`, `queues`, `plan`",
        "AMQP_URL=amqp://user:password@broker.example:5672/",
    ),
    ("NO_COLOR", "", "", "not empty: tables and progress as plain text on a terminal too", "NO_COLOR=1"),
)
SECTIONS: tuple[tuple[str, str, type[ServiceSettings]], ...] = (
    ("Every service", "Read by workers, producers and gateways alike.", ServiceSettings),
    ("Workers", "", WorkerSettings),
    ("Producers", "", ProducerSettings),
    ("Gateway", "", GatewaySettings),
)
UNITS = {
    "_SECONDS": "seconds",
    "_DAYS": "days",
    "_MB": "MB",
    "_PIXELS": "pixels",
    "_PORT": "TCP port",
    "_HOST": "address",
    "_DIR": "folder",
    "_FILE": "file",
    "_URL": "URL",
    "PRODUCER_FPS": "frames a second",
    "WORKER_INPUT_SIZE": "pixels",
    "PRODUCER_LONGER_SIDE": "pixels",
    "WORKER_BATCH": "frames",
    "PREFETCH": "frames",
    "WORKER_CACHE_ENTRIES": "pictures",
    "WORKER_REMOTE_IMAGES": "pictures",
    "WORKER_REMOTE_CONCURRENCY": "calls",
    "WORKER_REMOTE_TIMEOUT": "seconds",
    "WORKER_REMOTE_RETRIES": "attempts",
    "WORKER_REMOTE_RPM": "calls a minute",
    "WORKER_REMOTE_TPM": "tokens a minute",
    "WORKER_REMOTE_MAX_SIDE": "pixels",
    "WORKER_REMOTE_MAX_BYTES": "bytes",
    "WORKER_REMOTE_MAX_TOKENS": "tokens",
    "WORKER_REMOTE_BUDGET_DAY": "dollars",
    "WORKER_REMOTE_BUDGET_MONTH": "dollars",
    "WORKER_REMOTE_WARN": "dollars",
    "WORKER_REMOTE_PRICES": "file",
    "WORKER_REMOTE_FOLDER": "folder",
    "WORKER_THRESHOLD": "confidence",
    "WORKER_MODEL_CACHE": "folder",
    "PRODUCER_JPEG_QUALITY": "JPEG quality",
    "PRODUCER_MOTION_THRESHOLD": "grey levels",
    "PRODUCER_MOTION_AREA": "share of the picture",
    "PRODUCER_STREAMS_PER_PROCESS": "streams",
    "PRODUCER_HTTP_CONNECTIONS": "requests",
    "PRODUCER_HTTP_CONNECTIONS_PER_HOST": "requests",
    "GATEWAY_EXPECTED_WORKERS": "workers",
    "GATEWAY_LAUNCHER": "native or compose",
    "GATEWAY_HISTORY_ROWS": "results",
    "GATEWAY_HISTORY_EVENTS": "events",
    "GATEWAY_MAX_VIEWERS": "clients",
    "GATEWAY_JOBS": "jobs",
    "GATEWAY_JOB_FILES": "files",
    "GATEWAY_MAX_VIEWERS_PER_ADDRESS": "clients",
    "GATEWAY_MAX_CONNECTIONS": "connections",
    "GATEWAY_MAX_CONNECTIONS_PER_ADDRESS": "connections",
    "CAMERAS": "file",
    "CV_WORKERS": "workers",
    "CV_WORKERS_BATCH": "workers",
    "BATCH_CPU_SHARES": "weight",
    "WORKER_BATCH_SHARE": "share of a core",
    "BATCH_SHARE": "share",
    "PRODUCERS": "producers",
    "GPU_PREFETCH": "frames",
    "GATEWAY_BIND": "address",
}
"""The unit by the end of a setting's name; the longest that fits counts."""
SAMPLES = {
    "GATEWAY_DASHBOARD_DIR": "/srv/dashboard",
    "GATEWAY_DATA_DIR": "/var/lib/framefleet",
    "GATEWAY_EXPECTED_WORKERS_FILE": "/run/framefleet/workers",
    "GATEWAY_LAUNCHER": "native",
    "GATEWAY_PUBLISHED_URL": "http://127.0.0.1:9000",
    "GATEWAY_TOKEN": "$(openssl rand -hex 32)",
    "GRAFANA_PASSWORD": "'a password of yours'",
    "GRAFANA_TOKEN": "$(framefleet tokens add grafana)",
    "HOSTNAME": "gateway-1",
    "BATCH_CACHE_DIR": "/var/cache/framefleet/results",
    "BATCH_TEMP_DIR": "/dev/shm",  # noqa: S108 - an example
    "MODEL_DIR": "/srv/models",
    "NODE_ID": "gpu-1",
    "PRODUCER_ID": "warehouse",
    "PROMETHEUS_URL": "http://127.0.0.1:9090",
    "WORKER_MODEL_CACHE": "/var/cache/framefleet",
}
"""Examples of settings that `.env` cannot set, or that it must not show a value of."""


def text() -> str:
    """The whole page."""
    return HEAD + "".join(f"\n{part}\n" for part in _parts())


def _parts() -> Iterator[str]:
    yield "## `make up`, `framefleet up`\n\nAs `make up NAME=value`; `framefleet up` has all but PYTHON as options."
    yield _table(KNOBS)
    yield "## Docker Compose\n\nRead by the Compose files themselves, from `.env` or the shell."
    yield _table(
        [
            (
                name,
                _compose_default(name),
                _unit(name),
                description.rstrip("."),
                f"{name}={example or SAMPLES[name]}",
            )
            for name, (example, description) in COMPOSE.items()
        ]
    )
    for title, about, settings in SECTIONS:
        yield f"## {title}" + (f"\n\n{about}" if about else "")
        common = () if settings is ServiceSettings else COMMON
        fields = {name: field for name, field in environment_names(settings).items() if name not in common}
        yield _table([_row(name, field) for name, field in fields.items()])
    yield "## The command `framefleet`"
    named = {
        name: field
        for settings in (CacheSettings, CourtesySettings, TemporarySettings)
        for name, field in environment_names(settings).items()
    }
    yield _table([*COMMAND, *(_row(name, field) for name, field in named.items())])
    yield "## Developers"
    yield _table(DEVELOPERS)


def _row(name: str, field: FieldInfo) -> tuple[str, str, str, str, str]:
    default = default_text(field)
    if field.annotation is bool:
        default = default.lower()
    example = SAMPLES.get(name) or EXAMPLES.get(name) or default
    values = ", ".join(filter(None, (_unit(name), _values(field))))
    meaning = DESCRIPTIONS.get(name, field.description or "").rstrip(".")
    return (f"{name} †" if name in FIXED else name, default, values, meaning, f"{name}={example}")


def _table(rows: "tuple[tuple[str, ...], ...] | list[tuple[str, str, str, str, str]]") -> str:
    lines = ["| setting | default | unit, values | meaning | example |", "| --- | --- | --- | --- | --- |"]
    for name, default, unit, meaning, example in rows:
        bare, _, mark = name.partition(" ")
        cells = (
            f"`{bare}`{f' {mark}' if mark else ''}",
            default and f"`{default}`",
            unit,
            meaning,
            f"`{example}`",
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _unit(name: str) -> str:
    fits = [end for end in UNITS if name.endswith(end)]
    return UNITS[max(fits, key=len)] if fits else ""


def _values(field: FieldInfo) -> str:
    """Return what a setting may be: its choices, or its bounds."""
    for each in field.metadata:
        if found := ALTERNATIVES.fullmatch(str(getattr(each, "pattern", ""))):
            return ", ".join(found[1].split("|"))
    annotation = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(str(each.value) for each in annotation)
    if annotation is bool:
        return "true, false"
    choices = [each for each in get_args(annotation) if isinstance(each, str)]
    return ", ".join(choices) or allowed_range(field).strip().removeprefix("from ").removeprefix("of ")


def _compose_default(name: str) -> str:
    example, description = COMPOSE[name]
    return "" if "by default" in description or name.endswith("_DIR") else example


if __name__ == "__main__":
    sys.stdout.write(text())
