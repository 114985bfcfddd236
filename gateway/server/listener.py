"""The port on which the gateway listens."""

import socket

from gateway.errors import CannotStart

BACKLOG = 2_048
"""As uvicorn has it."""


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
