"""The commands of `framefleet queues`: what each does and says."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from broker import BrokerError
from broker.errors import Unreachable
from broker.session import Session, session
from cli.confirmation import confirmed
from cli.console import progress
from cli.errors import CannotReadSenders
from cli.layout import Layout
from cli.queues.damage import broker_log, find_damage, move_away
from cli.queues.repair import (
    DownQueue,
    find_down,
    last_known,
    make_anew,
    set_aside,
    size_of,
    why_none_runs,
)
from cli.queues.trial import why_no_queue
from cli.queues.upgrade import SUFFIX, FoundQueue, Upgraded, inspect, refuse_if_used, upgrade
from cli.senders.administration import vhost_of
from cli.senders.place import known_senders
from contract.senders import Sender
from contract.topology import TOPOLOGY, Queue

CLIENT = "framefleet queues"
NOT_DEAD = """\
Not every one of these is known to be dead, so nothing was touched. In a cluster start the nodes that are down: with
them their queues come back, and nothing is lost. With a single broker restart RabbitMQ, then run this again."""
ELSEWHERE = """\
The broker's files are not on this machine, or --data does not name them: copy them before you go on, if somebody is to
look into them. With Compose: docker compose cp rabbitmq:/var/lib/rabbitmq/mnesia ./damaged"""

NONE_WORKS = """\
RabbitMQ's quorum queues do not work, none of them ({}).
Nothing was deleted: what is in them is on the disk."""
NOT_HERE = """\
A damaged file of one queue does this. The broker's files are not on this machine, or --data does not name them. Its log
names the file; the folder that it lies in is that queue's. With Compose:

    docker compose logs rabbitmq | grep 'failed to open segment file' | tail -1
    docker compose stop rabbitmq
    docker compose run --rm --no-deps --entrypoint mv rabbitmq FOLDER /var/lib/rabbitmq/
    docker compose start rabbitmq

All other queues come back whole. Then `framefleet queues repair` recreates that one. In a cluster start the nodes that
are down first: without most of them no queue works, and nothing is damaged."""
NO_DAMAGE = """\
No damaged segment was found in {}. RabbitMQ's log says what is in the way: {}
A restart of RabbitMQ may be enough (natively: make down && make up): what is on the disk comes back.
In a cluster start the nodes that are down: with them all come back."""


async def run(arguments: argparse.Namespace, urls: Sequence[str]) -> int:
    """Run `framefleet queues …`; returns the exit status. Raises BrokerError."""
    layout = Layout()
    if arguments.action == "repair":
        return await _repair(arguments, urls, layout)
    if (why := await why_no_queue(urls)) is not None:
        return _none_works(why)
    senders = _senders(layout)
    owners = {queue.name: sender.name for sender in senders for queue in _of(sender)}
    async with session(urls, CLIENT) as connection:
        states = await _inspect_all(connection, senders)
        found = await find_down(urls, _queues(senders))
        if (why := why_none_runs(found)) is not None:
            return _none_works(why)
        down = {each.queue.name: each.why for each in found}
        for state in states:
            print(_describe(state, down.get(state.queue.name), owners.get(state.queue.name)))
        if down:
            print("to mend what is down: framefleet queues repair", file=sys.stderr)
            return 1
        lacking = {
            owners[state.queue.name]
            for state in states
            if state.messages is None and state.queue.name in owners
        }
        for name in sorted(lacking):
            print(f"to declare what is missing: framefleet senders add {name}", file=sys.stderr)
        affected = [state for state in states if state.needs_upgrade]
        if not affected:
            there = "that are there " if any(state.messages is None for state in states) else ""
            print(f"all queues {there}are as they should be")
            return 1 if lacking else 0
        if arguments.action == "check":
            print("to mend it: framefleet queues upgrade (docs/upgrading.md)", file=sys.stderr)
            return 1
        for state in affected:
            refuse_if_used(state)
        if arguments.dry_run:
            print("Dry run: nothing was changed.")
            return 0
        count = sum((state.messages or 0) + (state.set_aside or 0) for state in affected)
        question = f"Recreate {len(affected)} queues, moving {count:,} messages?"
        if not confirmed(question, yes=arguments.yes):
            return 1
        return await _upgrade_all(connection, urls, affected)


def _none_works(why: str) -> int:
    print(NONE_WORKS.format(why), file=sys.stderr)
    print("which file is damaged, and what to do: framefleet queues repair", file=sys.stderr)
    return 1


async def _upgrade_all(connection: Session, urls: Sequence[str], affected: Sequence[FoundQueue]) -> int:
    failed = missing = 0
    # Two connections: in a broker alarm the publishing one is not read, and acknowledgements must be.
    async with session(urls, f"{CLIENT} publish") as publishing:
        publisher = await publishing.publisher()
        for state in affected:
            done = Upgraded()
            try:
                await upgrade(connection, publisher, state, done)
            except BrokerError as error:
                print(f"{state.queue.name}: {error}", file=sys.stderr)
                failed += 1
            else:
                print(f"{state.queue.name}: recreated with its {done.moved:,} messages")
            for where in done.where:
                print(f"{state.queue.name}: {where}", file=sys.stderr)
            missing += done.missing
    if missing:
        print(f"{missing:,} messages fewer than before: see above", file=sys.stderr)
    if failed:
        what_waits = "" if missing else "; nothing is lost"
        print(f"{failed} queues are not done{what_waits}: run this again", file=sys.stderr)
    return 1 if failed or missing else 0


def _queues(senders: Sequence[Sender]) -> tuple[Queue, ...]:
    """Ours, and those of the senders that are known here."""
    return (*TOPOLOGY.queues, *(queue for sender in senders for queue in _of(sender)))


def _of(sender: Sender) -> tuple[Queue, ...]:
    return (*sender.queues, sender.reply_queue)


def _senders(layout: Layout) -> tuple[Sender, ...]:
    try:
        return known_senders(os.environ, layout)
    except CannotReadSenders as error:
        print(f"the queues of senders are left out: {error}", file=sys.stderr)
        return ()


def _data(arguments: argparse.Namespace, layout: Layout) -> Path:
    return Path(arguments.data or layout.rabbitmq / "data")


def mend_without_broker(arguments: argparse.Namespace) -> int | None:
    """Mend the files of a broker that does not run; returns the exit status, None if there is nothing to mend."""
    layout = Layout()
    data = _data(arguments, layout)
    if not find_damage(data, "/"):
        return None
    return _mend_files(arguments, data, "/", arguments.aside or layout.run / "damaged")


async def _repair(arguments: argparse.Namespace, urls: Sequence[str], layout: Layout) -> int:
    native = not os.environ.get("AMQP_URL") and layout.rabbitmq.is_dir()
    data = _data(arguments, layout) if native or arguments.data else None
    vhost = vhost_of(urls[0])
    try:
        why = await why_no_queue(urls)
    except Unreachable as error:
        if data is None or not find_damage(data, vhost):
            raise
        why = str(error)  # it does not start because of that, or `make up` has ended it again
    # Where nothing runs of any queue, the cause is theirs together, and each would come back whole. RabbitMQ may make
    # one all the same, in the moment between two ends of what writes them.
    down = [] if why is not None else await find_down(urls, _queues(_senders(layout)), data)
    why = why or why_none_runs(down)
    if why is not None:
        print(NONE_WORKS.format(why))
        return _mend_files(arguments, data, vhost, arguments.aside or layout.run / "damaged")
    if not down:
        print("all queues work: there is nothing to repair")
        return 0
    for each in down:
        print(_lost(each, _prometheus(layout) if native else None))
    if not all(each.dead for each in down):
        print(NOT_DEAD, file=sys.stderr)
        return 1
    if data is None:
        print(ELSEWHERE)
    if arguments.dry_run:
        print("Dry run: nothing was changed.")
        return 0
    if not confirmed(
        f"Recreate {len(down)} queues? What is in them is lost to the system.", yes=arguments.yes
    ):
        return 1
    failed = 0
    for each in down:
        try:
            aside = set_aside(each, arguments.aside or layout.run / "damaged")
            await make_anew(urls, each.queue)
        except (BrokerError, OSError) as error:
            print(f"{each.queue.name}: {error}", file=sys.stderr)
            failed += 1
        else:
            print(f"{each.queue.name}: recreated" + (f"; its old files are in {aside}" if aside else ""))
    return 1 if failed else 0


def _mend_files(arguments: argparse.Namespace, data: Path | None, vhost: str, shelf: Path) -> int:
    """Move the folders of damaged files out of the data of a broker of which no queue works."""
    if data is None:
        print(NOT_HERE)
        return 1
    damaged = find_damage(data, vhost)
    if not damaged:
        print(NO_DAMAGE.format(data, broker_log(data)))
        return 1
    for each in damaged:
        print(f"{each.queue}: {each.file} is damaged: {each.why}")
        print(f"    its files: {size_of(each.folder) / 2**20:,.1f} MiB in {each.folder}")
    names = ", ".join(each.queue for each in damaged)
    print(
        f"All other queues come back whole once that is out of the broker's data. What is in {names} is lost to the"
    )
    print("system; the files are kept.")
    if arguments.dry_run:
        print("Dry run: nothing was changed.")
        return 0
    if not confirmed(f"Move the files of {names} to {shelf}?", yes=arguments.yes):
        return 1
    for each in damaged:
        print(f"{each.queue}: its files are in {move_away(each, shelf)}")
    print("Now restart the broker (after `make up`: make down && make up), then run this again: it recreates")
    print(f"{names}.")
    return 0


def _lost(down: DownQueue, prometheus: str | None) -> str:
    lines = [f"{down.queue.name} is down: {down.why}"]
    known = last_known(prometheus, down.queue.name) if prometheus else None
    lines.append(
        "    how many messages it held nobody knows"
        if known is None
        else f"    Prometheus last saw {known:,} messages in it"
    )
    if down.folder is not None:
        lines.append(f"    its files: {size_of(down.folder) / 2**20:,.1f} MiB in {down.folder}")
    return "\n".join(lines)


def _prometheus(layout: Layout) -> str | None:
    """Where the Prometheus of `make up` answers."""
    try:
        return str(json.loads(layout.endpoints.read_text())["prometheus"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


async def _inspect_all(connection: Session, senders: Sequence[Sender]) -> list[FoundQueue]:
    """Look at each; a sender of which nothing is here is nothing to tell of, since its broker may be another."""
    states = []
    async with progress("looking at queues", len(_queues(senders))) as shown:

        async def look(queues: Sequence[Queue]) -> list[FoundQueue]:
            looked = []
            for queue in queues:
                looked.append(await inspect(connection, queue))
                shown.done += 1
            return looked

        states = await look(TOPOLOGY.queues)
        for sender in senders:
            own = await look(_of(sender))
            here = any(state.messages is not None or state.set_aside is not None for state in own)
            if here or await _has_exchange(connection, sender):
                states += own
    return states


async def _has_exchange(connection: Session, sender: Sender) -> bool:
    async with connection.channel() as channel:
        return await channel.has_exchange(sender.exchange)


def _describe(state: FoundQueue, down: str | None, sender: str | None = None) -> str:
    name = f"{state.queue.name:28}"
    if down is not None:
        lines = [f"{name} is down: {down}"]
    elif state.messages is None and sender is not None:
        lines = [f"{name} missing, and the sender {sender} is here"]
    elif state.messages is None:
        lines = [f"{name} not there yet: the first service that connects declares it"]
    elif state.differs:
        lines = [f"{name} differs; {state.messages:,} messages"]
        lines += [
            f"    {each.argument}: is {_value(each.current)}, should be {_value(each.wanted)}"
            for each in state.differences
        ]
    else:
        lines = [f"{name} as it should be; {state.messages:,} messages"]
    if state.set_aside is not None:
        lines.append(
            f"    {state.set_aside:,} messages in {state.queue.name}{SUFFIX}: an upgrade was interrupted"
        )
    return "\n".join(lines)


def _value(value: object) -> str:
    return "not set" if value is None else str(value)
