"""A new ready link from a running gateway: from any, or from the one that the environment's settings describe."""

import argparse
import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.errors import NoLink
from gateway.security.operator_socket import ask_socket, socket_file
from gateway.tokens.roles import ROLES, Role
from runtime.loopback import open_directly

if TYPE_CHECKING:
    from gateway.settings import GatewaySettings

__all__ = ["NoLink", "add_arguments", "ask_link", "new_link", "own_address", "own_token", "show_own"]

ABOUT = """\
Prints a link that signs in one browser, once, within a day. It holds a one-time code and no token, so it is worthless
in a log or a history once it was used. The gateway keeps such codes in memory: after a restart make another.
"""
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # listened on, not gone to


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.description = ABOUT
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--role", choices=ROLES, default="operator", help="what the browser may do; by default operator"
    )


def new_link(folder: Path, gateway: str, token: str, role: Role = "operator") -> str:
    """A new ready link from the gateway at that URL, whose GATEWAY_DATA_DIR is `folder`.

    Asked for at its socket, where nobody's guessing shuts this user out; by HTTP where there is none. Blocks for at
    most twenty seconds. Raises NoLink.
    """
    port = urlsplit(gateway).port or 80
    return ask_socket(socket_file(folder, port), role) or ask_link(gateway, token, role)


def ask_link(gateway: str, token: str, role: str = "operator") -> str:
    """A new ready link from the gateway at that URL. Blocks for at most ten seconds. Raises NoLink."""
    request = urllib.request.Request(  # noqa: S310  # the URL is ours
        f"{gateway}/api/links?role={role}", method="POST", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with open_directly(request, timeout=10) as answer:
            return str(json.loads(answer.read())["link"])
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 409:  # authentication is off
                return f"{gateway}/"
            raise NoLink(f"the gateway at {gateway} made no link: {_sentence(error.read())}") from None
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        raise NoLink(f"no gateway answers at {gateway}: start it, then ask again") from None


def show_own(role: Role) -> int:
    """Print a link to the gateway that the environment's settings describe; returns the exit status."""
    # Late: whoever knows the gateway's address and token (`framefleet link`) needs no settings to ask for a link.
    from gateway.settings import GatewaySettings
    from runtime.settings import USAGE_ERROR, read

    settings, wrong = read(GatewaySettings, os.environ)
    if settings is None:
        print("\n".join(wrong), file=sys.stderr)
        return USAGE_ERROR
    try:
        print(new_link(settings.data_dir, own_address(settings), own_token(settings), role))
    except NoLink as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def own_address(settings: "GatewaySettings") -> str:
    """Where the gateway with these settings answers on this machine; nothing of its prefix."""
    host = "127.0.0.1" if settings.host in EVERYWHERE else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def own_token(settings: "GatewaySettings") -> str:
    """The main token of the gateway with these settings; empty where there is none yet."""
    if settings.token is not None:
        return settings.token.get_secret_value()
    try:
        return (settings.data_dir / "token").read_text().strip()
    except (OSError, ValueError):
        return ""  # with authentication off there is none


def _sentence(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return "it says no reason"
