"""The operator's own way in: a Unix socket in GATEWAY_DATA_DIR, where `framefleet link` asks for a link.

Only the gateway's own user (and root) can open it. So nothing is guessed here, and no limit on guessing shuts the
operator out; nor does a token go to whoever happens to listen on the gateway's port. One line of JSON each way:
`{"role": "viewer"}`, and `{"link": "http://..."}`. Standard library, msgspec and our log only: the command is quick.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec

from contract.json import decode
from gateway.tokens.roles import Role
from runtime.logs import get_logger
from runtime.unix_sockets import listen_at, ours, short

log = get_logger("gateway")

MAX_LINE_BYTES = 4096
PATIENCE_SECONDS = 10.0


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
            listener = stack.enter_context(contextlib.closing(listen_at(stack.enter_context(short(file)))))
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


async def _answer(
    new_link: Callable[[Role], str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        if not ours(writer.get_extra_info("socket")):
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
