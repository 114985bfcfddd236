"""What can keep a gateway from starting, and how it says so."""

import socket

from gateway.errors import BrokenTokens, CannotStart
from gateway.security.auth import load_token
from gateway.settings import GatewaySettings
from gateway.tokens import Keyring

BACKLOG = 2_048
"""As uvicorn has it."""


def main_token(settings: GatewaySettings) -> str | None:
    """The main token, made at the first start; None if authentication is off. Raises CannotStart."""
    if settings.auth == "off":
        return None
    if settings.token is not None:
        return settings.token.get_secret_value()
    try:
        return load_token(settings.data_dir)
    except OSError as error:
        raise CannotStart(
            f"the token cannot be kept in GATEWAY_DATA_DIR ({settings.data_dir}): {error.strerror}; "
            "set GATEWAY_DATA_DIR to a folder that can be written, or set GATEWAY_TOKEN"
        ) from None


def keyring(settings: GatewaySettings) -> Keyring:
    """The further tokens. Raises CannotStart."""
    path = settings.tokens
    try:
        return Keyring(path if settings.auth == "on" else None)
    except BrokenTokens as error:
        raise CannotStart(str(error)) from None
    except OSError as error:
        raise CannotStart(
            f"the tokens in {path} cannot be read: {error.strerror}; let this user read the file, or set "
            "GATEWAY_TOKENS_FILE to another one"
        ) from None


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotStart."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)  # whoever comes before the server is up waits instead of being refused
        listener.setblocking(False)
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {host} port {port}: {error.strerror}; choose others with GATEWAY_HOST and GATEWAY_PORT"
        ) from None
    return listener
