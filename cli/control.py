"""The way to a running `framefleet up`: a Unix socket in `.run/`, by which the number of workers is changed.

One line of JSON each way. Who holds the run's lock owns the socket: one that was left behind answers nobody.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import msgspec

from cli import lock
from cli.errors import CommandError
from cli.layout import Layout
from runtime.unix_sockets import listen_at, ours, short

MAX_LINE_BYTES = 64 * 1024
ASK_SECONDS = 10.0
SCALE_SECONDS = 120.0
"""Workers that end finish their frames first, for as long as their grace period."""


class ScaleRequest(msgspec.Struct):
    """How many workers there shall be. `knobs`: the others that were given with it, by name: they must be the run's."""

    workers: int
    knobs: dict[str, str] = {}


class ScaleReply(msgspec.Struct):
    """What was done, or why not: one of both."""

    said: str = ""
    error: str = ""


_request = msgspec.json.Decoder(ScaleRequest)
_reply = msgspec.json.Decoder(ScaleReply)
Scale = Callable[[ScaleRequest], Awaitable[str]]


def ask_scale(layout: Layout, request: ScaleRequest) -> str:
    """Let the run of this checkout have so many workers; returns its sentence on that. Raises CommandError."""
    pid = lock.holder(layout.lock)
    if pid is None:
        raise CommandError(
            f"no system runs in this checkout: `make up WORKERS={request.workers}` starts one with so many workers"
        )
    try:
        with short(layout.control) as path, socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(SCALE_SECONDS)
            asking.connect(path)
            asking.sendall(msgspec.json.encode(request) + b"\n")
            with asking.makefile("rb") as answer:
                reply = _reply.decode(answer.readline(MAX_LINE_BYTES))
    except TimeoutError:
        raise CommandError(
            f"the system (pid {pid}) has not answered within {SCALE_SECONDS:.0f} s: its terminal and .run/logs/ say why"
        ) from None
    except (OSError, msgspec.MsgspecError):
        raise CommandError(
            f"the system of this checkout (pid {pid}) cannot be asked: it is starting or ending, or an older version "
            "started it. Try again in some seconds; else stop it (`make down`) and start it with "
            f"`make up WORKERS={request.workers}`"
        ) from None
    if reply.error:
        raise CommandError(reply.error)
    return reply.said


@asynccontextmanager
async def control_socket(layout: Layout, scale: Scale, say: Callable[[str], None]) -> AsyncIterator[None]:
    """Answer there during the block. Where there can be no socket `say` is told so, and the rest goes on."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            listener = stack.enter_context(
                contextlib.closing(listen_at(stack.enter_context(short(layout.control))))
            )
        except OSError as error:
            say(
                f"{layout.control}: {error.strerror}. The number of workers cannot be changed while this runs"
            )
        else:
            stack.callback(layout.control.unlink, missing_ok=True)
            server = await asyncio.start_unix_server(
                partial(_answer, scale), sock=listener, limit=MAX_LINE_BYTES
            )
            stack.callback(server.close)
        yield


async def _answer(scale: Scale, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.closing(writer), contextlib.suppress(OSError, TimeoutError, ValueError):
        if not ours(writer.get_extra_info("socket")):
            return
        async with asyncio.timeout(ASK_SECONDS):
            line = await reader.readline()
        try:
            reply = ScaleReply(said=await scale(_request.decode(line)))
        except (CommandError, msgspec.MsgspecError) as error:
            reply = ScaleReply(error=str(error))
        writer.write(msgspec.json.encode(reply) + b"\n")
        await writer.drain()
