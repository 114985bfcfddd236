"""Finding free TCP ports on the loopback address, and asking whether one answers."""

import contextlib
import os
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether nobody listens on `port` of the loopback address (nor on all addresses)."""
    with socket.socket() as probe:
        # As a server would bind: a port in TIME_WAIT counts as free, a listening one does not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def reserve(port: int) -> socket.socket | None:
    """Keep other runs of Framefleet on this machine, starting at the same moment, away from `port`; None if one has it.

    It is a name in Linux's abstract namespace: it belongs to whoever holds the socket and goes when that process does.
    """
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0framefleet-port-{port}")
    except OSError:
        name.close()
        return None
    return name


def free_port(preferred: int = 0, *, taken: frozenset[int] | set[int] = frozenset(), tries: int = 200) -> int:
    """`preferred` or the next free port above it; 0 leaves the choice to the kernel. Ports in `taken` are skipped.

    Raises OSError when none of `tries` ports is free.
    """
    if preferred == 0:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
            return port
    for port in range(preferred, min(preferred + tries, 65536)):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {preferred} and {preferred + tries - 1} on {LOOPBACK}")


def answers(
    port: int, *, host: str = LOOPBACK, say: bytes = b"", expect: bytes = b"", timeout: float = 1.0
) -> bool:
    """Whether something accepts a connection on `port` and, told `say`, answers with `expect`."""
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            if not expect:
                return True
            connection.sendall(say)
            received = b""
            while len(received) < len(expect):
                chunk = connection.recv(len(expect) - len(received))
                if not chunk:
                    return False
                received += chunk
            return received == expect
    except OSError:
        return False


def listener(port: int) -> str | None:
    """Who listens on `port`, e.g. `nginx (pid 812)`; None when that is not to be found out (another user's)."""
    sockets: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            listening = (row for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port)
            sockets |= {f"socket:[{row[9]}]" for row in listening}
    for folder in Path("/proc").glob("[0-9]*") if sockets else ():
        with contextlib.suppress(OSError):
            if any(os.readlink(fd) in sockets for fd in (folder / "fd").iterdir()):
                return f"{(folder / 'comm').read_text().strip()} (pid {folder.name})"
    return None
