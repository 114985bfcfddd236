"""TCP ports of the loopback address: free ones, and whether something answers on one."""

import contextlib
import os
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

LOOPBACK = "127.0.0.1"
OWN, BLOCK = 20_000, 100
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")

_lock = threading.Lock()
_ports: Iterator[int] = iter(())


def is_free(port: int) -> bool:
    """Return whether nobody listens on `port` of the loopback address (nor on all addresses)."""
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
    """Return `preferred` or the next free port above it; 0: any, see `own_port`. Ports in `taken` are skipped.

    Raises OSError when none of `tries` ports is free.
    """
    if preferred == 0:
        return own_port()
    for port in range(preferred, min(preferred + tries, 65536)):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {preferred} and {preferred + tries - 1} on {LOOPBACK}")


def own_port() -> int:
    """Return a free port that stays this process's own for as long as it runs, listened on or not.

    What the kernel chooses (binding port 0) is free for a moment only: until whoever is to listen there has started,
    any connection on the machine may be given it as its source port, and any other process that asks. So it is one
    below those that the kernel gives away, of a block that this process has reserved, and it is given out once.
    """
    global _ports
    with _lock:
        while True:
            for port in _ports:
                if is_free(port):
                    return port
            _ports = iter(_block())


def _block() -> range:
    """Reserve a hundred ports that no other process of ours has. Raises OSError when all are taken."""
    first_given_away = int(EPHEMERAL.read_text().split()[0])
    # Where the kernel gives away nearly all of them, they are at least not taken by processes of ours.
    starts = list(range(OWN, max(first_given_away, OWN + 100 * BLOCK) - BLOCK + 1, BLOCK))
    random.shuffle(starts)
    for start in starts:
        reservation = reserve(start)
        if reservation is not None:
            reservation.detach()  # stays open until this process ends
            return range(start, start + BLOCK)
    raise OSError(f"all ports between {OWN} and {starts[-1] + BLOCK} are reserved by processes of Framefleet")


def _forget_ports() -> None:
    """Let a forked child reserve a block of its own: this one stays the parent's."""
    global _ports
    _ports = iter(())


os.register_at_fork(after_in_child=_forget_ports)


def answers(
    port: int, *, host: str = LOOPBACK, say: bytes = b"", expect: bytes = b"", timeout: float = 1.0
) -> bool:
    """Return whether something accepts a connection on `port` and, told `say`, answers with `expect`."""
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


def listening_process(port: int) -> "psutil.Process | None":
    """Find the process that listens on `port`; None when that is not to be found out (another user's)."""
    import psutil  # late: bootstrap uses this module before any package is there

    with contextlib.suppress(psutil.Error):
        for each in psutil.net_connections("tcp"):
            listening = each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
            if listening and each.pid is not None:
                return psutil.Process(each.pid)
    return None


def listener(port: int) -> str | None:
    """Say who listens on `port`, e.g. `nginx (pid 812)`; None when that is not to be found out."""
    process = listening_process(port)
    return None if process is None else f"{process.name()} (pid {process.pid})"
