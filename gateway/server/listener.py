"""The port on which the gateway listens."""

import socket
from contextlib import ExitStack

from gateway.errors import cannot_listen

BACKLOG = 2_048
"""As uvicorn has it."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotStart."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as if_refused:
            listener = if_refused.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)  # whoever comes before the server is up waits instead of being refused
            listener.setblocking(False)
            if_refused.pop_all()
    except OSError as error:
        raise cannot_listen(
            f"cannot listen on {host} port {port}: {error.strerror}; choose others with GATEWAY_HOST and GATEWAY_PORT",
            error,
        ) from None
    return listener
