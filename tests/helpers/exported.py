"""The names of all series that our services export, as docs/metrics.md lists their metrics."""

import functools

from cli.metrics_page import REGISTRIES, rows

SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


@functools.cache
def exported() -> frozenset[str]:
    """Of every service; not what RabbitMQ, Prometheus and node exporter have."""
    return frozenset(
        row.name + suffix
        for service in REGISTRIES
        for row in rows(service)
        for suffix in SUFFIXES.get(row.type, ("",))
    )
