"""`python -m cli.env_example > .env.example`: the settings of Compose, from their own descriptions."""

import sys
import textwrap
from collections.abc import Iterator

from gateway.settings import GatewaySettings
from producer.settings import ProducerSettings
from runtime.settings import ServiceSettings, default_text, environment_names
from worker.settings import WorkerSettings

WIDTH = 116

HEAD = """\
# Docker Compose works without this file. To change something: cp .env.example .env, take the # away, edit.
# The lines show the defaults; where there is none, an example. A name that nobody knows is an error with a suggestion.
# Written by `python -m cli.env_example`: the settings' own descriptions, as in `python -m producer --help`.
#
# A value with $, # or a space stands in single quotes: GATEWAY_TOKEN='16 or more: $ #1' is taken as it is. Without them
# $NAME is replaced, and what follows " #" is a comment; in double quotes $NAME is replaced, and \\$ is a dollar sign.
# What the shell says goes before this file: PRODUCER_FPS=2 docker compose up
"""

COMPOSE = {
    "COMPOSE_PROJECT_NAME": (
        "cameras",
        "The name of this system, and the beginning of its containers', volumes' and images' names; by default this "
        "folder's name. Two clones in folders of the same name need different ones, and ports of their own.",
    ),
    "CV_WORKERS": (
        "1",
        "How many workers `up` starts; `--scale cv-worker=3` goes before it. One worker uses one core.",
    ),
    "CV_WORKERS_BATCH": (
        "0",
        "How many workers of the batch lane `up` starts, for jobs (docs/batch.md); by default none. "
        "`--scale cv-worker-batch=1` goes before it.",
    ),
    "BATCH_CPU_SHARES": (
        "114",
        "The weight of a batch worker's container beside those with 1024: it keeps a tenth of what all want.",
    ),
    "PRODUCERS": (
        "1",
        "How many producers share the cameras; `--scale producer=3` goes before it, and 0 starts none.",
    ),
    "FOOTAGE_DIR": (
        "./videos",
        "A folder of this machine with videos or pictures, for the producer /footage: SOURCE=/footage/entrance.mp4",
    ),
    "CAMERAS_DIR": (
        "./cameras",
        "A folder of this machine with the file of cameras, for the producer /cameras: CAMERAS=/cameras/cameras.yaml. "
        "Passwords that the file names as ${CAMERA_NAME} stand in cameras.env beside this file, CAMERA_NAME='value' "
        "with the quotes.",
    ),
    "MODEL_DIR": (
        "./models",
        "A folder of this machine with model files: for machines without the internet, or for models of your own "
        "(docs/models.md).",
    ),
    "GATEWAY_BIND": (
        "0.0.0.0",  # noqa: S104  # an example
        "The address on which the dashboard is published; by default 127.0.0.1, this machine alone. All travels "
        "unencrypted: put a proxy with TLS in front of it in a network that is not yours alone (docs/security.md).",
    ),
    "GATEWAY_PORT": ("8080", "The dashboard's port on this machine."),
    "AMQP_PORT": (
        "5672",
        "RabbitMQ's port for plain clients, on 127.0.0.1; the user is framefleet, and the password is printed by "
        "`docker compose exec rabbitmq cat /run/framefleet/password`.",
    ),
    "RABBITMQ_MANAGEMENT_PORT": ("15672", "The port of RabbitMQ's own page, on 127.0.0.1."),
    "PROMETHEUS_PORT": ("9090", "Prometheus' port, on 127.0.0.1."),
    "GPU_PREFETCH": ("32", "Frames that a worker on a GPU holds; by default twice its batch (docs/gpu.md)."),
    "REMOTE_KEY_FILE": (
        "./remote-key",
        "A file of this machine with the key of a remote model's endpoint (docs/remote.md).",
    ),
    "REMOTE_PRICES_DIR": ("./prices", "A folder of this machine with prices.toml (docs/remote.md)."),
    "GRAFANA_PASSWORD": ("", "The password of Grafana's user admin, which you choose (docs/grafana.md)."),
    "GRAFANA_TOKEN": (
        "",
        "The token that Grafana signs in with, a viewer's is enough; by default GATEWAY_TOKEN.",
    ),
    "GRAFANA_PORT": ("3000", "Grafana's port, on 127.0.0.1."),
    "ALERT_URLS_DIR": (
        "./alert-urls",
        "A folder of this machine with the files team, pager and watchdog, the address of a webhook each "
        "(docs/runbooks/index.md).",
    ),
    "ALERTMANAGER_PORT": ("9093", "Alertmanager's port, on 127.0.0.1."),
    "PYTHON_IMAGE": (
        "python:3.13-slim",
        "The image that the services are built on. `deploy/pin-images` prints these with the digests that they "
        "have now (docs/compose.md).",
    ),
    "NODE_IMAGE": ("node:22-slim", "The image that the dashboard is built with."),
    "RABBITMQ_IMAGE": ("rabbitmq:4-management", "The image that the broker is built on."),
    "PROMETHEUS_IMAGE": ("prom/prometheus:v3.5.0", "Prometheus' image."),
    "GRAFANA_IMAGE": ("grafana/grafana:12.2.0", "Grafana's image."),
    "ALERTMANAGER_IMAGE": ("prom/alertmanager:v0.28.1", "Alertmanager's image."),
    "REDIS_IMAGE": ("redis:8-alpine", "The image of deploy/compose.redis.yml."),
    "NODE_EXPORTER_IMAGE": (
        "prom/node-exporter:v1.9.1",
        "The image that tells of the machine (docs/grafana.md).",
    ),
}
"""The variables that the Compose files themselves read: an example and a description of each."""

DESCRIPTIONS = {
    "SOURCE": "What the producer reads, instead of a file of cameras: demo (four made-up cameras), demo:N, rtsp://..., "
    "http(s)://... (snapshot or MJPEG), a file or a folder of images; several, comma-separated; each may have a name: "
    "gate-3=rtsp://... Files of this machine: see FOOTAGE_DIR. All of it is explained by "
    "`docker compose run --rm --no-deps --entrypoint python producer -m producer --help`.",
}
"""Descriptions of settings whose own need what stands around them."""

EXAMPLES = {
    "ALERTMANAGER_URL": "http://alertmanager:9093",
    "AMQP_URL": "amqp://user:password@broker.example:5672/",
    "CAMERAS": "/cameras/cameras.yaml",
    "DATABASE_URL": "postgresql://framefleet:password@database.example/framefleet",
    "GATEWAY_ALLOWED_ORIGINS": "https://wall.example",
    "GATEWAY_EXPECTED_WORKERS": "3",
    "GATEWAY_PUBLIC_URL": "http://cameras.example:8080",
    "GATEWAY_TOKEN": "",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
    "TRACES_ENDPOINT": "http://collector:4318",
    "GATEWAY_TOKENS_FILE": "/var/lib/framefleet/tokens.json",
    "GATEWAY_TRUSTED_PROXIES": "172.16.0.0/12",
    "STORAGE_KEY_FILE": "/run/secrets/storage-key",
    "STORAGE_URL": "s3://bucket/framefleet",
    "REDIS_URL": "redis://:password@redis.example:6379/0",
    "PREFETCH": "2",
    "PRODUCER_MODEL": "yunet",
    "WORKER_BATCH": "16",
    "WORKER_CACHE_ENTRIES": "10000",
    "WORKER_INPUT_SIZE": "640",
    "WORKER_REMOTE_BUDGET_DAY": "2",
    "WORKER_REMOTE_BUDGET_MONTH": "40",
    "WORKER_REMOTE_CAMERAS": "gate-*,yard",
    "GATEWAY_REMOTE_RULES": "event",
    "GATEWAY_REMOTE_CAMERAS": "gate-*,yard",
    "WORKER_REMOTE_CHEAPER_MODEL": "gpt-4o-mini",
    "WORKER_REMOTE_FOLDER": "/var/lib/framefleet",
    "WORKER_REMOTE_KEY_FILE": "/run/secrets/remote-key",
    "WORKER_REMOTE_MODEL": "gpt-4o",
    "WORKER_REMOTE_PRICES": "/prices/prices.toml",
    "WORKER_REMOTE_PROMPT": "Find every person in each picture, and say what they do.",
    "WORKER_REMOTE_TPM": "200000",
    "WORKER_REMOTE_URL": "https://api.openai.com/v1",
    "WORKER_THRESHOLD": "0.6",
}
"""Examples of settings whose default is nothing, or differs from place to place."""

FIXED = {
    *("NODE_ID", "PRODUCER_ID", "HOSTNAME"),  # the containers' names
    # Folders of the images.
    *(
        "MODEL_DIR",
        "WORKER_MODEL_CACHE",
        "GATEWAY_DATA_DIR",
        "GATEWAY_DASHBOARD_DIR",
    ),
    *("GATEWAY_HOST", "GATEWAY_PORT", "GATEWAY_AUTH", "PROMETHEUS_URL"),
    *("GATEWAY_PUBLISHED_URL", "WORKER_GRACE_SECONDS"),
    *("GATEWAY_LAUNCHER", "GATEWAY_EXPECTED_WORKERS_FILE"),
    *(
        f"{service}_METRICS_{what}"
        for service in ("WORKER", "PRODUCER", "GATEWAY")
        for what in ("HOST", "PORT")
    ),
}
"""Settings that the Compose file answers itself."""

COMMON = (
    *("AMQP_URL", "LOG_LEVEL", "LOG_FORMAT"),
    *("TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "TRACES_SAMPLE"),
)

SECTIONS: tuple[tuple[str, tuple[str, ...], type[ServiceSettings] | None], ...] = (
    (
        "the project",
        ("COMPOSE_PROJECT_NAME", "CV_WORKERS", "CV_WORKERS_BATCH", "BATCH_CPU_SHARES", "PRODUCERS"),
        None,
    ),
    ("cameras", ("FOOTAGE_DIR", "CAMERAS_DIR"), ProducerSettings),
    ("workers", ("MODEL_DIR",), WorkerSettings),
    ("the dashboard and the history", ("GATEWAY_BIND", "GATEWAY_PORT"), GatewaySettings),
    (
        "the broker and Prometheus",
        ("AMQP_PORT", "RABBITMQ_MANAGEMENT_PORT", "PROMETHEUS_PORT"),
        ServiceSettings,
    ),
    (
        "with deploy/compose.gpu.yml and deploy/compose.monitoring.yml",
        ("GPU_PREFETCH", "GRAFANA_PASSWORD", "GRAFANA_TOKEN", "GRAFANA_PORT"),
        None,
    ),
    ("with deploy/compose.remote.yml", ("REMOTE_KEY_FILE", "REMOTE_PRICES_DIR"), None),
    ("with deploy/compose.alerts.yml", ("ALERT_URLS_DIR", "ALERTMANAGER_PORT"), None),
    (
        "images",
        (
            "PYTHON_IMAGE",
            "NODE_IMAGE",
            "RABBITMQ_IMAGE",
            "PROMETHEUS_IMAGE",
            "GRAFANA_IMAGE",
            "ALERTMANAGER_IMAGE",
            "REDIS_IMAGE",
            "NODE_EXPORTER_IMAGE",
        ),
        None,
    ),
)


def settable(settings: type[ServiceSettings]) -> list[str]:
    """The variables of a service that `.env` can set in Compose."""
    common = () if settings is ServiceSettings else COMMON
    return [name for name in environment_names(settings) if name not in FIXED and name not in common]


def text() -> str:
    """The whole file."""
    return HEAD + "".join(f"\n{line}\n" for line in _sections())


def _sections() -> Iterator[str]:
    for title, compose, settings in SECTIONS:
        yield f"# --- {title} ".ljust(WIDTH, "-")
        for name in compose:
            example, description = COMPOSE[name]
            yield _entry(name, example, description)
        if settings is None:
            continue
        fields = environment_names(settings)
        for name in settable(settings):
            example = EXAMPLES.get(name, default_text(fields[name]))
            yield _entry(name, example, DESCRIPTIONS.get(name, fields[name].description or ""))


def _entry(name: str, example: str, description: str) -> str:
    sentence = description[:1].upper() + description[1:]
    wrapped = textwrap.wrap(sentence, WIDTH - 2, break_on_hyphens=False, break_long_words=False)
    return "\n".join([*(f"# {line}" for line in wrapped), f"#{name}={example}"])


if __name__ == "__main__":
    sys.stdout.write(text())
