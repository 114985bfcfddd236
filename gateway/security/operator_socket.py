"""The operator's own way in: a Unix socket in GATEWAY_DATA_DIR, where `framefleet link` asks for a link.

Only the gateway's own user (and root) can open it. So nothing is guessed here, and no limit on guessing shuts the
operator out; nor does a token go to whoever happens to listen on the gateway's port. One line of JSON each way:
`{"role": "viewer"}`, and `{"link": "http://..."}`. Standard library, msgspec and our log only: the command is quick.
"""

import asyncio
import contextlib
import errno
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import msgspec

from contract.json import decode
from gateway.tokens.roles import Role
from runtime.logs import get_logger

log = get_logger("gateway")

MAX_LINE_BYTES = 4096
PATIENCE_SECONDS = 10.0
_CREDENTIALS = struct.Struct("3i")
"""Linux's `struct ucred`: pid, uid, gid. https://man7.org/linux/man-pages/man7/unix.7.html"""


class _LinkRequest(msgspec.Struct):
    role: Role = "operator"


class _LinkReply(msgspec.Struct):
    link: str


_request = msgspec.json.Decoder(_LinkRequest)
_reply = msgspec.json.Decoder(_LinkReply)


def socket_file(folder: Path, port: int) -> Path:
    """Where the gateway on that port, with that GATEWAY_DATA_DIR, has its socket: gateways may share the folder."""
    return folder / f"operator-{port}.sock"


# --- the command's side ----------------------------------------------------------------------------------------------


def ask_socket(file: Path, role: Role) -> str | None:
    """A new ready link; None if no gateway of ours answers there. Blocks for at most ten seconds."""
    try:
        with short(file) as path, socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(PATIENCE_SECONDS)
            asking.connect(path)
            asking.sendall(msgspec.json.encode(_LinkRequest(role)) + b"\n")
            with asking.makefile("rb") as answer:
                return decode(_reply, answer.readline(MAX_LINE_BYTES)).link
    except (OSError, msgspec.MsgspecError):
        return None


# --- the gateway's side ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def operator_socket(file: Path, new_link: Callable[[Role], str]) -> AsyncIterator[None]:
    """Answer there during the block. Where there can be no socket the log says so: the command then asks by HTTP."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            listener = stack.enter_context(contextlib.closing(_listen(stack.enter_context(short(file)))))
        except OSError as error:
            log.warning(
                "no socket for `framefleet link`: it asks by HTTP, with the main token",
                file=str(file),
                error=error.strerror or str(error),
            )
        else:
            stack.callback(file.unlink, missing_ok=True)
            server = await asyncio.start_unix_server(
                partial(_answer, new_link), sock=listener, limit=MAX_LINE_BYTES
            )
            stack.callback(server.close)
        yield


def _listen(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        os.fchmod(listener.fileno(), 0o600)  # of the file that `bind` makes
        try:
            listener.bind(path)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or _answered(path):
                raise
            os.unlink(path)  # of a gateway that was killed
            listener.bind(path)
    except OSError:
        listener.close()
        raise
    return listener


def _answered(path: str) -> bool:
    """Whether another gateway has the socket."""
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(path) == 0


async def _answer(
    new_link: Callable[[Role], str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        if not _ours(writer.get_extra_info("socket")):
            return
        async with asyncio.timeout(PATIENCE_SECONDS):
            role = decode(_request, await reader.readline()).role
            link = new_link(role)
            log.info("link made", role=role, name="main", address="operator's socket")
            writer.write(msgspec.json.encode(_LinkReply(link)) + b"\n")
            await writer.drain()
    except (OSError, TimeoutError, ValueError, msgspec.MsgspecError) as error:
        log.warning("a request at the operator's socket was not understood", error=str(error)[:200])
    finally:
        writer.close()


def _ours(peer: socket.socket) -> bool:
    """Whether this user or root asks: not every file system keeps the rights of a file."""
    _, user, _ = _CREDENTIALS.unpack(
        peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )
    return user in (0, os.geteuid())


@contextmanager
def short(file: Path) -> Iterator[str]:
    """A name of the file that holds during the block: an address of a Unix socket has room for 107 bytes."""
    folder = os.open(file.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{file.name}"
    finally:
        os.close(folder)
