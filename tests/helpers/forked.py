"""Processes of ours forked from one that has imported their modules already: the import costs more than all else at a
start, 0.5 to 2 s of a core.

Chromium and Android start processes so, and call the one that is forked a zygote. Here there is one for each module in
each process of pytest. It has no threads and no sockets but the one to pytest, so a process forked from it is what
`python -m MODULE` would be, except that it has less memory of its own, and another command line in /proc.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from cli.layout import CHECKOUT
from cli.subcommands import SUB_COMMANDS

BEFORE_PYTHON = ("PYTHON", "LD_")
"""Variables whose names begin so are read before a program's first line."""
LONGEST_MESSAGE = 1 << 20


def can_fork(environment: Mapping[str, str]) -> bool:
    """Whether a process with this environment can be forked: nothing in it is for Python or the linker."""
    return not any(name.startswith(BEFORE_PYTHON) for name in environment)


class Forked:
    """A process forked from a zygote; speaks as `subprocess.Popen`, as far as tests ask."""

    def __init__(self, pid: int, ended: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._status(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; returns the exit status. Raises subprocess.TimeoutExpired."""
        status = self._status(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send this signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _status(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], timeout)[0]:
            self.returncode = int(self._ended.recv(64))
            self._ended.close()
        return self.returncode

    def __del__(self) -> None:
        self._ended.close()  # as Popen: nobody asks any more


def fork(
    module: str,
    arguments: Sequence[str] = (),
    *,
    environment: Mapping[str, str],
    stdout: int,
    stderr: int,
    cwd: Path = CHECKOUT,
) -> Forked:
    """Start what `python -m MODULE ARGUMENTS` would, in a session of its own, without input."""
    return _zygote(module).fork(
        {"arguments": list(arguments), "environment": dict(environment), "cwd": str(cwd)}, stdout, stderr
    )


@cache
def _zygote(module: str) -> "Zygote":
    return Zygote(module)


class Zygote:
    """The process that has imported the module, and forks when it is asked to. It ends with this process."""

    def __init__(self, module: str) -> None:
        self._asks, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with asked:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from {__name__} import serve; serve({module!r}, {asked.fileno()})"],
                cwd=CHECKOUT,
                env={key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[asked.fileno()],
                start_new_session=True,
            )
        atexit.register(self.close)

    def fork(self, message: object, stdout: int, stderr: int) -> Forked:
        """Have one forked with this message, and these files as its output."""
        told, tells = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with tells:
            socket.send_fds(self._asks, [json.dumps(message).encode()], [stdout, stderr, tells.fileno()])
        pid = told.recv(64)
        assert pid, "the zygote has ended: its last words are above"
        return Forked(int(pid), told)

    def close(self) -> None:
        """End it, and all that it has forked."""
        self._asks.close()
        self._process.wait(20)


def serve(module: str, fileno: int) -> None:
    """What a zygote does: fork for each message; at the end of the messages end what it has forked. Returns in the
    children as well, when they have ended."""
    sys.path[0] = str(CHECKOUT)  # and not the folder that one works in
    importlib.import_module(f"{module}.__main__")
    if module == "cli":
        for command in SUB_COMMANDS:
            importlib.import_module(command.module)
    del sys.modules[f"{module}.__main__"]  # it is run as __main__
    # Nothing that is here now is collected, nor written to by the collector, in any child.
    gc.collect()
    gc.freeze()
    asked = socket.socket(fileno=fileno)
    woken, wakes = socket.socketpair()
    for end in (woken, wakes):
        end.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, socket.socket] = {}
    while True:
        readable, _, _ = select.select([asked, woken], [], [])
        if woken in readable:
            woken.recv(4096)
            _tell_ends(children)
        if asked in readable:
            message, descriptors, *_ = socket.recv_fds(asked, LONGEST_MESSAGE, 3)
            if not message:
                break
            *output, tells = descriptors
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for end in (asked, woken, wakes, *children.values()):
                    end.close()
                os.close(tells)
                _become(module, output, **json.loads(message))
                return
            for descriptor in output:
                os.close(descriptor)
            children[pid] = socket.socket(fileno=tells)
            children[pid].send(str(pid).encode())
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _tell_ends(children: dict[int, socket.socket]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        # Nobody may be listening any more.
        with children.pop(pid) as tells, contextlib.suppress(OSError):
            tells.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(
    module: str, output: Sequence[int], arguments: Sequence[str], environment: Mapping[str, str], cwd: str
) -> None:
    os.setsid()
    for number, descriptor in enumerate(output, 1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
