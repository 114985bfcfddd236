"""AMQP URLs: several in one setting, and without their password wherever they are shown."""

from urllib.parse import urlsplit

import pika

from broker.errors import InvalidUrl
from runtime.urls import HOW, flaw

HEARTBEAT_SECONDS = 4
"""The broker says something at least so often, and so do we. A broker that is silent for two of them is given up
(broker.sockets), a client after two or three: 8 to 12 s. A cluster gives up a silent node in the same time
(`net_ticktime`), so that clients who come from there find the others able to work."""
EXPECTED = "an AMQP URL looks like amqp://user:password@host:5672/"


def split_urls(text: str) -> list[str]:
    """`amqp://a,amqp://b` -> both, tried in turn. Raises InvalidUrl for anything that cannot be one."""
    urls = [part.strip(" ") for part in text.split(",") if part.strip()]
    if not urls:
        raise InvalidUrl(f"it is empty; {EXPECTED}")
    for url in urls:
        connection_parameters(url, name="check")
    return urls


def redact(url: str) -> str:
    """The URL without credentials: `amqp://host:5672/vhost`."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def connection_parameters(url: str, *, name: str) -> pika.URLParameters:
    """Parameters for one attempt at one URL. Recovery is ours, so pika tries once.

    Heartbeats notice a peer that is silent; TCP_USER_TIMEOUT does the same for data that is sent and never
    acknowledged, which heartbeats do not see.
    """
    try:
        if said := flaw(url):
            raise InvalidUrl(f"{EXPECTED}: {said}")
        scheme = urlsplit(url).scheme
        if scheme not in ("amqp", "amqps"):
            raise InvalidUrl(
                f"an AMQP URL starts with amqp:// or amqps://, not with {scheme or 'nothing'}://"
            )
        parameters = pika.URLParameters(url)
    except (ValueError, TypeError):
        raise InvalidUrl(f"{EXPECTED}: {HOW}") from None
    parameters.heartbeat = HEARTBEAT_SECONDS
    parameters.connection_attempts = 1
    parameters.socket_timeout = 5
    parameters.stack_timeout = 10
    parameters.blocked_connection_timeout = None
    parameters.tcp_options = {
        "TCP_USER_TIMEOUT": 20_000,
        "TCP_KEEPIDLE": 10,
        "TCP_KEEPINTVL": 5,
        "TCP_KEEPCNT": 3,
    }
    parameters.client_properties = {"connection_name": name, "product": "framefleet"}
    return parameters
