"""The commands of `framefleet senders`: what each does and says. They return the exit status."""

import argparse
import asyncio
import os
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from msgspec.structs import replace

from broker.errors import NoSuchQueue
from broker.faults import REMEDY
from broker.session import Session, session
from cli.errors import CommandError, InvalidOption, NoManagement
from cli.layout import Layout
from cli.parser import nearest
from cli.senders.administration import (
    Administration,
    SenderAccount,
    administration,
    commands,
    commands_to_take,
    vhost_of,
)
from cli.senders.figures import figures
from cli.senders.place import senders_file
from cli.senders.removed import note_removed
from cli.senders.tables import instructions, listing, shown
from contract.senders import Sender
from contract.topology import Lane, Queue
from gateway.errors import BrokenSenders, TooManySenders
from gateway.senders.file import drop_sender, put_sender, read_senders

CLIENT = "framefleet senders"
COMPOSE_HOST = "rabbitmq"
"""What the broker of a Compose project is called by the services; everybody else reaches it by a published port."""
AMQP_PORT = "5672"
RESERVED = frozenset({"framefleet", "guest", "admin", "administrator"})
LEAVE_SECONDS = 15.0
"""Workers hear of a removal within a second or two, and finish the frame at hand."""
MOST_SHARES = 0.9
"""Beyond, less than a tenth is left to the lanes' own queues, and they are given that."""


async def run(arguments: argparse.Namespace, urls: Sequence[str]) -> int:
    """Run `framefleet senders …`. Raises BrokerError, CommandError."""
    layout = Layout()
    path = senders_file(os.environ, layout)
    try:
        match arguments.action:
            case "add":
                return await _add(arguments, urls, path, layout)
            case "set":
                return await _set(arguments, urls, path)
            case "remove":
                return await _remove(arguments, urls, path, layout)
            case _:
                return await _list(arguments, path, layout)
    except (BrokenSenders, TooManySenders) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{error.filename or path}: {error.strerror or error}") from None


async def _add(arguments: argparse.Namespace, urls: Sequence[str], path: Path, layout: Layout) -> int:
    name = arguments.name
    if name in RESERVED or name == unquote(urlsplit(urls[0]).username or ""):
        raise InvalidOption(
            f"{name} is the name of a user of the broker that is not a sender: take another one"
        )
    known = _found(path, name)
    sender = changed(known or Sender(name=name), arguments)
    account, password = SenderAccount(sender, vhost_of(urls[0])), secrets.token_hex(24)
    async with session(urls, CLIENT) as broker:
        there, why = await asyncio.to_thread(_administration, urls, layout)
        rights = await asyncio.to_thread(there.rights, account) if there is not None else ()
        if known is None and rights is not None and there is not None:
            raise InvalidOption(
                f"the broker has a user {name} already, which is not a sender: take another name, or delete it there"
            )
        complete = there is None or (rights is not None and tuple(rights) == account.rights)
        if known is not None and complete and not arguments.new_password:
            if missing := await _missing(broker, known):
                await _declare(broker, known)
                print(f"there is a sender {name} already; declared what it lacked: {', '.join(missing)}")
                return 0
            raise InvalidOption(
                f"there is a sender {name} already: `framefleet senders set {name} …` changes what it may, "
                f"`framefleet senders add {name} --new-password` makes another password"
            )
        await _declare(broker, sender)
        # The entry before the user: it tells a repeated command whose the user is.
        everybody = put_sender(path, sender)
        note_removed(path, name, left=False)  # it is one again
    if there is not None:
        await asyncio.to_thread(there.make, account, password, new=rights is None)
    _warn_of_shares(everybody.senders)
    if there is None:
        print(f"# Users cannot be made from here ({why}). On the broker's machine:")
        print("\n".join(commands(account, password)))
        print()
    in_compose = urlsplit(urls[0]).hostname == COMPOSE_HOST
    print(instructions(sender, client_url(urls[0], name, password), in_compose=in_compose))
    print("The password is not shown again.", file=sys.stderr)
    return 0


async def _set(arguments: argparse.Namespace, urls: Sequence[str], path: Path) -> int:
    known = _found(path, arguments.name)
    if known is None:
        raise InvalidOption(_unknown(path, arguments.name))
    sender = changed(known, arguments)
    async with session(urls, CLIENT) as broker:
        await _declare(broker, sender)
        async with broker.channel() as channel:
            for lane in set(known.lanes) - set(sender.lanes):
                await channel.unbind(sender.queue(lane), sender.exchange, sender.queue(lane))
        everybody = put_sender(path, sender)
        print("\n".join(shown(sender)))
        for lane in sorted(set(known.lanes) - set(sender.lanes)):
            if count := await _count(broker, sender.queue(lane)):
                print(
                    f"note: {count:,} frames wait in {sender.queue(lane)}, and nobody takes them now",
                    file=sys.stderr,
                )
    _warn_of_shares(everybody.senders)
    return 0


async def _remove(arguments: argparse.Namespace, urls: Sequence[str], path: Path, layout: Layout) -> int:
    name = arguments.name
    known = _found(path, name)
    sender = known or Sender(name=name)
    queues = [*Sender(name=name, lanes=tuple(Lane)).queues, sender.reply_queue]
    async with session(urls, CLIENT) as broker:
        if known is not None:
            account = SenderAccount(sender, vhost_of(urls[0]))
            there, why = await asyncio.to_thread(_administration, urls, layout)
            if there is not None:
                await asyncio.to_thread(there.take, account)
            else:
                print(f"# Users cannot be deleted from here ({why}). On the broker's machine:")
                print("\n".join(commands_to_take(account)))
            drop_sender(path, name)
            print(f"removed: {name}")
        left = await _clear(broker, sender, queues, purge=arguments.purge)
        note_removed(path, name, left=bool(left))
    if known is None and left is None:
        raise InvalidOption(_unknown(path, name))
    return _say_left(name, left or {})


async def _clear(
    broker: Session, sender: Sender, queues: Sequence[Queue], *, purge: bool
) -> dict[str, int] | None:
    """Delete the sender's exchange and its queues, without `purge` the empty ones; what the others hold, -1 for one
    that workers still consume. None: it had none."""
    left: dict[str, int] = {}
    there = False
    async with broker.channel() as channel:
        await channel.delete_exchange(sender.exchange)
    until = time.monotonic() + LEAVE_SECONDS
    for queue in queues:
        messages, consumers = await _look(broker, queue.name)
        there = there or messages is not None
        while consumers and time.monotonic() < until:
            await asyncio.sleep(0.2)
            messages, consumers = await _look(broker, queue.name)
        if messages is None:
            continue
        if consumers or (messages and not purge):
            left[queue.name] = -1 if consumers else messages
            continue
        async with broker.channel() as channel:
            await channel.delete(queue.name)
    return left if there else None


def _say_left(name: str, left: dict[str, int]) -> int:
    busy = [queue for queue, count in left.items() if count < 0]
    for queue, count in left.items():
        if count >= 0:
            are = "message is" if count == 1 else "messages are"
            print(f"{count:,} {are} left in {queue}", file=sys.stderr)
    if busy:
        print(
            f"{', '.join(busy)} is still consumed: does a gateway run, which tells the workers? Then run this again",
            file=sys.stderr,
        )
        return 1
    if left:
        print(
            f"Dead letters: framefleet dlq list --sender {name}. To delete it all: framefleet senders remove {name} "
            "--purge",
            file=sys.stderr,
        )
    return 0


async def _list(arguments: argparse.Namespace, path: Path, layout: Layout) -> int:
    everybody = read_senders(path).senders
    told, why = await asyncio.to_thread(figures, os.environ, layout)
    print(listing(everybody, told, as_json=arguments.json, now=time.time()))
    for queue in (queue for each in told.values() for queue in each.get("down", ())):
        print(f"note: {queue} is down, RabbitMQ cannot use it; {REMEDY}", file=sys.stderr)
    if why:
        print(f"note: without what they do: {why}", file=sys.stderr)
    if not everybody:
        print("no senders: everybody who has the services' own user is trusted", file=sys.stderr)
    return 0


def changed(sender: Sender, arguments: argparse.Namespace) -> Sender:
    """Return the sender with what the options name. Raises InvalidOption."""
    given: dict[str, Any] = {
        field: value
        for field in ("share", "cameras", "max_cameras", "max_pixels", "models")
        if (value := getattr(arguments, field)) is not None
    }
    if arguments.lanes is not None:
        if not arguments.lanes:
            raise InvalidOption("--lanes names none: a sender has one at least")
        given["lanes"] = tuple(Lane(lane) for lane in arguments.lanes)
    return replace(sender, **given)


def _found(path: Path, name: str) -> Sender | None:
    return next((each for each in read_senders(path).senders if each.name == name), None)


def _unknown(path: Path, name: str) -> str:
    names = [each.name for each in read_senders(path).senders]
    close = nearest(name, names)
    hint = (
        f"did you mean {close}?" if close else f"there are {', '.join(names)}" if names else "there is none"
    )
    return f"there is no sender {name}: {hint}"


def _administration(urls: Sequence[str], layout: Layout) -> tuple[Administration | None, str]:
    try:
        return administration(urls, layout), ""
    except NoManagement as error:
        return None, str(error)


async def _declare(broker: Session, sender: Sender) -> None:
    async with broker.channel() as channel:
        for exchange in sender.topology.exchanges:
            await channel.declare_exchange(exchange)
        for queue in (*sender.topology.queues, sender.reply_queue):
            await channel.declare(queue)


async def _missing(broker: Session, sender: Sender) -> list[str]:
    """The names of its exchange and queues that the broker has not got."""
    async with broker.channel() as channel:
        missing = [] if await channel.has_exchange(sender.exchange) else [sender.exchange]
    queues = [queue.name for queue in (*sender.topology.queues, sender.reply_queue)]
    return [*missing, *[queue for queue in queues if (await _look(broker, queue))[0] is None]]


async def _look(broker: Session, queue: str) -> tuple[int | None, int]:
    try:
        return await broker.count(queue)
    except NoSuchQueue:
        return None, 0


async def _count(broker: Session, queue: str) -> int:
    return (await _look(broker, queue))[0] or 0


def _warn_of_shares(senders: Sequence[Sender]) -> None:
    total = sum(sender.share for sender in senders)
    if total > MOST_SHARES:
        print(
            f"note: the senders' shares are {total:.2f} together: while all of them send, little is left to everybody "
            "else",
            file=sys.stderr,
        )


def client_url(url: str, name: str, password: str) -> str:
    """Return the URL for that user of the broker at `url`, as programs outside of a Compose project reach it."""
    parts = urlsplit(url)
    host, port = parts.hostname, str(parts.port or AMQP_PORT)
    # A container of the project is given all of .env, and so the port that the machine publishes.
    if host == COMPOSE_HOST:
        host, port = "127.0.0.1", os.environ.get("AMQP_PORT") or AMQP_PORT
    vhost = quote(vhost_of(url), safe="")
    return f"{parts.scheme}://{name}:{password}@{host}:{port}/{'' if vhost == '%2F' else vhost}"
