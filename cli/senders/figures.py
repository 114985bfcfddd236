"""What the gateway knows of the senders: asked of the one that runs in this checkout, or in this container."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from cli.layout import Layout
from cli.subcommands import IMAGE
from runtime.loopback import open_directly

ANSWER_SECONDS = 5.0


def figures(environment: Mapping[str, str], layout: Layout) -> tuple[dict[str, dict[str, Any]], str]:
    """Return the figures by sender, and why there are none."""
    try:
        address, token = _own(environment) if environment.get(IMAGE) else _of_the_checkout(layout)
    except (OSError, ValueError, KeyError, TypeError):
        return {}, "no gateway runs here"
    request = urllib.request.Request(  # noqa: S310  # the URL is ours
        f"{address}/api/senders", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with open_directly(request, timeout=ANSWER_SECONDS) as answer:
            items = json.loads(answer.read())["items"]
            return {each["name"]: each for each in items}, ""
    except urllib.error.HTTPError as error:
        with error:
            return {}, f"the gateway at {address} answers {error.code}"
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return {}, f"no gateway answers at {address}"


def _of_the_checkout(layout: Layout) -> tuple[str, str]:
    known = json.loads(layout.endpoints.read_text())
    return str(known["gateway"]), str(known["token"])


def _own(environment: Mapping[str, str]) -> tuple[str, str]:
    from gateway.ready_link import own_address, own_token
    from gateway.settings import GatewaySettings
    from runtime.settings import read

    settings, wrong = read(GatewaySettings, environment)
    if settings is None:
        raise ValueError(wrong)
    return own_address(settings), own_token(settings)
