"""`python -m tests.helpers.deeds NETWORK UID FOLDER PORT`: confines itself, tries what it should not, tells in JSON.

`UID` is the user that it is before; FOLDER holds `secret` and is anybody's to write; on PORT of this machine somebody
listens.
"""

import contextlib
import ctypes
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from runtime import confinement

MEMORY = 300_000_000


def main(network: bool, uid: int, folder: Path, port: int) -> None:
    """Try each deed; its outcome is `done`, or the name of the error."""
    if uid != os.geteuid():
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    threads = len(os.listdir("/proc/self/task"))
    failed = confinement.confine(memory=MEMORY, network=network, seconds=20)
    parent = os.getppid()
    deeds: dict[str, Callable[[], object]] = {
        "read a file of ours": (folder / "secret").read_text,
        "read shadow": Path("/etc/shadow").read_text,
        "read our environment": Path(f"/proc/{parent}/environ").read_bytes,
        "list a folder of ours": lambda: os.listdir(folder),
        "read code": Path(confinement.__file__).read_text,
        "read a library's data": Path("/etc/hosts").read_text,
        "write a file": lambda: (folder / "new").write_text("x"),
        "write over a file": lambda: (folder / "secret").write_text("x"),
        "delete a file": (folder / "secret").unlink,
        "open a file to all": lambda: (folder / "secret").chmod(0o777),
        "run a program": lambda: subprocess.run(["/bin/true"], check=False),
        "execute": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
        "fork": lambda: os.fork() or os._exit(0),
        "signal us": lambda: os.kill(parent, 0),
        "trace us": lambda: traced(parent),
        "raise the limit": lambda: resource.setrlimit(resource.RLIMIT_DATA, (MEMORY * 2, MEMORY * 2)),
        "reach a socket of this machine": lambda: socket.socket(socket.AF_UNIX),
        "reach the internet": lambda: socket.create_connection(("127.0.0.1", port), 5).close(),
        "accept connections": lambda: socket.create_server(("127.0.0.1", 0)).close(),
        "look a host up": lambda: socket.getaddrinfo("localhost", port),
        "start a thread": lambda: threading.Thread(target=len, args=((),)).start(),
        "have memory": lambda: bytearray(MEMORY // 3),
        "have too much memory": lambda: bytearray(MEMORY),
        "reserve addresses": lambda: mmap.mmap(-1, MEMORY * 2, mmap.MAP_PRIVATE, 0).close(),
    }
    outcomes = {name: outcome(deed) for name, deed in deeds.items()}
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
    )
    print(
        json.dumps(
            {
                "failed": failed,
                "threads": threads,
                "uid": os.geteuid(),
                "capabilities": int(status["CapEff"], 16),
                "no new privileges": status["NoNewPrivs"],
                "core": resource.getrlimit(resource.RLIMIT_CORE),
                "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
                "dies with us": dying_signal(),
                "deeds": outcomes,
            }
        )
    )


def outcome(deed: Callable[[], object]) -> str:
    """`done`, or the error's name."""
    try:
        deed()
    except (OSError, MemoryError, ValueError) as error:
        return type(error).__name__
    return "done"


def traced(pid: int) -> None:
    """Attach to a process as a debugger does."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, pid, None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def dying_signal() -> int:
    """The signal that the kernel sends when the parent ends."""
    number = ctypes.c_int()
    ctypes.CDLL(None).prctl(2, ctypes.byref(number), 0, 0, 0)
    return number.value


def burn() -> None:
    """Use processor time until somebody ends it."""
    confinement.confine(memory=MEMORY, network=False, seconds=1)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            pass


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.argv[1:] == ["burn"]:
        burn()
    else:
        main(sys.argv[1] == "network", int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
