"""Asks a gateway over HTTP: the one that runs here, or another one by its address and a token."""

import argparse
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cli import survivors
from cli.errors import CommandError, InvalidOption
from cli.layout import Layout
from cli.subcommands import this_image
from runtime.loopback import OURS, open_directly

PATIENCE_SECONDS = 35.0
"""A gateway ends what takes longer than thirty."""
MAX_BYTES = 4 << 20


class GatewayAccess(NamedTuple):
    """A gateway's address without a slash at its end, and a token for it; none where authentication is off."""

    url: str
    token: str


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token along, wherever it leads."""

    def redirect_request(self, *_: Any) -> None:
        return None


_open_remotely = urllib.request.build_opener(_NoRedirects).open


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name another gateway."""
    parser.add_argument("--url", help="another gateway than the one that runs here")
    parser.add_argument(
        "--token",
        help="a token of that gateway; GATEWAY_TOKEN in the environment is not seen by other users of this machine",
    )


def known_gateway(
    url: str | None, token: str | None, environment: Mapping[str, str], layout: Layout, command: str
) -> GatewayAccess:
    """Return the gateway at `url`; without one that of this container, or of this checkout. Raises CommandError.

    `command` is what to type instead with Compose.
    """
    if token and not url:
        raise InvalidOption("--token is for the gateway that --url names: the one that runs here has its own")
    if url is not None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise InvalidOption(
                f"--url {url!r} is not a gateway's address: it looks like http://127.0.0.1:8080"
            )
        return GatewayAccess(url.rstrip("/"), token or environment.get("GATEWAY_TOKEN", "").strip())
    if this_image() is not None:
        return _of_the_container(environment)
    if original := survivors.original(layout.processes, layout.root):
        raise CommandError(f"this folder is a copy, and the system runs in the original: {original}")
    try:
        known = json.loads(layout.endpoints.read_text())
        return GatewayAccess(str(known["gateway"]).rstrip("/"), str(known["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise CommandError(
            "no system runs in this checkout: start it with `make up`, or name a gateway with --url and --token. With "
            f"Compose: docker compose exec gateway framefleet {command}"
        ) from None


def ask(gateway: GatewayAccess, path: str, *, method: str = "GET", without: str) -> dict[str, Any]:
    """Return the answer of `path`, a JSON object. Blocks for half a minute at most. Raises CommandError.

    `without` says what can be done where no gateway answers.
    """
    request = urllib.request.Request(f"{gateway.url}{path}", method=method)  # noqa: S310  # its scheme was looked at
    if gateway.token:
        request.add_unredirected_header("Authorization", f"Bearer {gateway.token}")
    opened = open_directly if urlsplit(gateway.url).hostname in OURS else _open_remotely
    try:
        with opened(request, timeout=PATIENCE_SECONDS) as answer:
            found = json.loads(answer.read(MAX_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            raise CommandError(_refusal(gateway, path, error)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise CommandError(
            f"no gateway answers at {gateway.url} ({reason}): start it, then ask again. {without}"
        ) from None
    if not isinstance(found, dict):
        raise CommandError(f"what answers at {gateway.url} is not a gateway of this version")
    return found


def _of_the_container(environment: Mapping[str, str]) -> GatewayAccess:
    from gateway.ready_link import own_address, own_token
    from gateway.settings import GatewaySettings
    from runtime.settings import read

    settings, wrong = read(GatewaySettings, environment)
    if settings is None:
        raise CommandError("\n".join(wrong))
    return GatewayAccess(f"{own_address(settings)}{settings.prefix}", own_token(settings))


def _refusal(gateway: GatewayAccess, path: str, error: urllib.error.HTTPError) -> str:
    if error.code == 401:
        return f"the gateway at {gateway.url} does not know the token: give one of its own with --token"
    if 300 <= error.code < 400:
        return f"{gateway.url} leads elsewhere: name the address that it leads to, {error.headers.get('Location')}"
    try:
        sentence = str(json.loads(error.read(MAX_BYTES))["error"])
    except (ValueError, KeyError, TypeError):
        sentence = f"HTTP {error.code}"
    plain_path = path.partition("?")[0]
    if error.code == 404 and sentence in (f"there is no {plain_path}", "HTTP 404"):
        return f"what answers at {gateway.url} is not a gateway of this version: it has no {plain_path}"
    return f"the gateway at {gateway.url} does not say: {sentence}"
