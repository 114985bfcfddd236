"""Metrics as a program shows them: RabbitMQ's own pages, asked directly, since Prometheus may be what is broken."""

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from cli.doctor.errors import NoAnswer
from cli.doctor.http import ask
from cli.doctor.place import Place
from cli.doctor.promql import targets_of

PORT = 15692
Samples = Mapping[str, list[tuple[Mapping[str, str], float]]]
"""Values with their labels, by name."""


def read_page(url: str) -> Samples:
    """The metrics at `url`. Raises NoAnswer."""
    answer = ask(url)
    if answer.status != 200:
        raise NoAnswer(f"answers with status {answer.status} instead of metrics")
    samples: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    try:
        for family in text_string_to_metric_families(answer.text()):
            for sample in family.samples:
                samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    except (ValueError, KeyError, IndexError):
        raise NoAnswer("answers, but not with metrics: another program listens there") from None
    if not samples:
        raise NoAnswer("answers without a single metric: another program listens there")
    return samples


def first(samples: Samples, name: str) -> float | None:
    """The value of a metric that has one; None if it is not there."""
    values = samples.get(name)
    return values[0][1] if values else None


def broker_pages(place: Place) -> list[str]:
    """`http://host:port` of the metrics of every broker that is known: of the URLs, and of Prometheus' targets."""
    if native := native_targets(place).get("rabbitmq"):
        return [f"http://{each}" for each in native]
    hosts = [urlsplit(url).hostname or "" for url in place.urls]
    pages = [f"http://{f'[{host}]' if ':' in host else host}:{PORT}" for host in hosts if host]
    pages += [f"http://{instance}" for instance in targets_of(place.prometheus, "rabbitmq")]
    return list(dict.fromkeys(pages))


def native_targets(place: Place) -> dict[str, list[str]]:
    """The addresses that `make up` told its Prometheus, by job; empty elsewhere."""
    if not place.native or not place.gateway:
        return {}
    try:
        jobs = json.loads((place.layout.prometheus / "prometheus.yml").read_text())["scrape_configs"]
        return {
            str(job["job_name"]): [str(each) for each in job["static_configs"][0]["targets"]]
            for job in jobs
            if "static_configs" in job
        }
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return {}
