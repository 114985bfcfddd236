"""Unix sockets in a folder of ours: only our own user and root get an answer. Standard library only."""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EADDRINUSE
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")
"""Linux's `struct ucred`: pid, uid, gid. https://man7.org/linux/man-pages/man7/unix.7.html"""


@contextmanager
def short(file: Path) -> Iterator[str]:
    """A name of the file that holds during the block: an address of a Unix socket has room for 107 bytes."""
    folder = os.open(file.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{file.name}"
    finally:
        os.close(folder)


def listen_at(path: str) -> socket.socket:
    """Listen there; what was left by a process that was killed is replaced. Raises OSError."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        os.fchmod(listener.fileno(), 0o600)  # of the file that `bind` makes
        try:
            listener.bind(path)
        except OSError as error:
            if error.errno != EADDRINUSE or _answered(path):
                raise
            os.unlink(path)
            listener.bind(path)
    except OSError:
        listener.close()
        raise
    return listener


def ours(peer: socket.socket) -> bool:
    """Whether this user or root asks: not every file system keeps the rights of a file."""
    _, user, _ = _CREDENTIALS.unpack(
        peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )
    return user in (0, os.geteuid())


def _answered(path: str) -> bool:
    """Whether another process has the socket."""
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(path) == 0
