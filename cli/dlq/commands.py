"""The commands of `framefleet dlq`: what each does and says. They return the exit status."""

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from broker import Delivery
from broker.dead_letters import Replay, Source
from broker.errors import NoSuchQueue
from broker.session import session
from cli.confirmation import confirmed
from cli.console import size
from cli.dlq import changes, tables
from cli.dlq.pictures import picture_of, save
from cli.dlq.search import CLIENT, FoundLetters, Keep, read
from cli.dlq.selection import Selection, selection_of
from cli.dlq.sources import chosen, left_behind
from cli.errors import InvalidOption
from contract.dead_letters import DeadLetter
from contract.failures import FailureReason
from contract.letter_picture import LetterPicture
from contract.topology import Lane

SUGGESTED = 12
# Trying these again ends the same way.
FINAL = {reason.value for reason in FailureReason if not reason.transient}


async def run(arguments: argparse.Namespace, urls: Sequence[str]) -> int:
    """Run `framefleet dlq …`. Raises BrokerError, InvalidOption."""
    actions = {
        "list": _list,
        "show": _show,
        "save-image": _save_image,
        "replay": _replay,
        "purge": _purge,
    }
    return await actions[arguments.action](arguments, urls)


async def _list(arguments: argparse.Namespace, urls: Sequence[str]) -> int:
    wanted = selection_of(arguments)
    shelf = await read(urls, wanted, arguments.limit, sources=chosen(arguments))
    if arguments.json:
        _print_json({"total": shelf.total, "matching": shelf.matching, "items": shelf.letters})
        _say_down(shelf)
        return 0
    if shelf.letters:
        print(tables.listing(shelf.letters, time.time()))
    hidden = shelf.matching - len(shelf.letters)
    more = f"; {hidden:,} more match: raise --limit" if hidden else ""
    print(f"{shelf.matching:,} of {shelf.total:,} dead letters{more}", file=sys.stderr)
    _say_missing(wanted, shelf)
    _say_unknown(arguments, shelf)
    _say_down(shelf)
    if not arguments.sender:
        await _say_left_behind(urls)
    return 0


async def _show(arguments: argparse.Namespace, urls: Sequence[str]) -> int:
    headers: list[dict[str, Any]] = []

    def keep(_letter: DeadLetter, delivery: Delivery) -> None:
        headers.append(dict(delivery.headers))

    letter = (await _only(arguments, urls, keep)).letters[0]
    if arguments.json:
        _print_json(msgspec.to_builtins(letter) | {"headers": headers[0]})
        return 0
    print("\n".join(tables.details(letter)))
    print("headers")
    print("\n".join(f"  {tables.plain(k)}: {tables.plain(str(v))}" for k, v in sorted(headers[0].items())))
    return 0


async def _save_image(arguments: argparse.Namespace, urls: Sequence[str]) -> int:
    pictures: list[LetterPicture] = []
    await _only(arguments, urls, lambda _letter, delivery: pictures.append(picture_of(delivery)))
    picture = pictures[0]
    if arguments.output == "-":
        sys.stdout.buffer.write(picture.content)
        if picture.why_not:
            print(f"no picture, so the message's body ({picture.why_not})", file=sys.stderr)
        return 0
    file = Path(arguments.output or f"dead-letter-{arguments.id}{picture.suffix}")
    try:
        save(picture, file)
    except FileExistsError:
        print(f"{file} exists and was left as it is: choose another name with --output", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"{file} cannot be written: {error.strerror}. Choose another place with --output, or - for standard output",
            file=sys.stderr,
        )
        return 1
    what = f"no picture, so the message's body ({picture.why_not})" if picture.why_not else "the picture"
    print(f"{file}: {what}, {len(picture.content):,} bytes")
    return 0


async def _only(arguments: argparse.Namespace, urls: Sequence[str], keep: Keep) -> FoundLetters:
    wanted = Selection(ids=frozenset({arguments.id}))
    shelf = await read(urls, wanted, 1, keep, chosen(arguments))
    if not shelf.letters:
        raise InvalidOption(
            f"there is no dead letter {arguments.id}: `framefleet dlq list` shows those there are"
        )
    return shelf


async def _replay(arguments: argparse.Namespace, urls: Sequence[str]) -> int:
    sources = chosen(arguments)
    senders = {source.name: source for source in sources if source is not None}
    how = changes.new_replay(Lane(arguments.lane) if arguments.lane else None, senders, fresh=arguments.fresh)
    shelf = await _chosen(arguments, urls, sources, "replay")
    if not shelf.letters:
        return 0
    queues = [how.queue_of(letter) for letter in shelf.letters]
    print(f"to: {tables.counts(queues)}")
    await _warn(urls, shelf, how, sorted(set(queues)))
    if arguments.dry_run:
        print("Dry run: nothing was changed.")
        return 0
    if not confirmed(f"Replay {len(shelf.letters):,} dead letters?", yes=arguments.yes):
        return 1
    await changes.replay(urls, shelf.letters, how)
    done = how.done.total()
    print(f"{done:,} replayed" + "".join(f", {count:,} to {queue}" for queue, count in how.done.items()))
    if how.failure:
        print(f"stopped: {how.failure}. The others are still dead letters; run this again.", file=sys.stderr)
        return 1
    _say_gone(len(shelf.letters) - done)
    return 0


async def _purge(arguments: argparse.Namespace, urls: Sequence[str]) -> int:
    shelf = await _chosen(arguments, urls, chosen(arguments), "purge")
    if not shelf.letters:
        return 0
    if arguments.dry_run:
        print("Dry run: nothing was changed.")
        return 0
    if not confirmed(f"Delete {len(shelf.letters):,} dead letters for good?", yes=arguments.yes):
        return 1
    done = await changes.purge(urls, shelf.letters)
    print(f"{done:,} purged")
    _say_gone(len(shelf.letters) - done)
    return 0


async def _chosen(
    arguments: argparse.Namespace, urls: Sequence[str], sources: Sequence[Source], verb: str
) -> FoundLetters:
    wanted = selection_of(arguments)
    if wanted.empty and arguments.limit is None and not (arguments.all or arguments.sender):
        raise InvalidOption(f"say which dead letters to {verb}: IDs, filters, --limit N, or --all")
    shelf = await read(urls, wanted, arguments.limit, sources=sources)
    found = shelf.letters
    if missing := wanted.ids - {letter.dead_letter_id for letter in found}:
        print(f"not found: {', '.join(sorted(missing))}", file=sys.stderr)
    if found:
        print(f"{verb}: {len(found):,} of {shelf.total:,} dead letters, {size(shelf.size)}")
        print(f"reasons: {tables.counts(letter.reason for letter in found)}")
        times = [letter.time for letter in found if letter.time is not None]
        if times:
            print(f"died: {tables.date(min(times))} to {tables.date(max(times))}")
    else:
        print(f"none of {shelf.total:,} dead letters matches: nothing to {verb}")
    _say_missing(wanted, shelf)
    _say_unknown(arguments, shelf)
    _say_down(shelf)
    return shelf


async def _warn(urls: Sequence[str], shelf: FoundLetters, how: Replay, queues: list[str]) -> None:
    """Say what will not go as the operator may expect."""
    final = [letter.reason for letter in shelf.letters if letter.reason in FINAL]
    if final:
        print(f"note: will fail again, the fault being the message's own: {tables.counts(final)}")
    if not how.fresh and any(map(_expires, queues)):
        print(
            "note: frames older than two seconds expire in the live lane without being computed; see --fresh"
        )
    async with session(urls, CLIENT) as connection:
        for queue in queues:
            try:
                _, consumers = await connection.count(queue)
            except NoSuchQueue:
                print(f"note: there is no queue {queue}: these cannot be replayed without --lane")
                continue
            if not consumers:
                print(f"note: no worker consumes {queue} just now: the frames wait there until one does")


def _expires(queue: str) -> bool:
    """Return whether frames expire in the queue: the live lane's, or a sender's of that lane."""
    return queue == Lane.LIVE.queue or queue.startswith(f"{Lane.LIVE.queue}.from.")


def _say_missing(wanted: Selection, shelf: FoundLetters) -> None:
    """Name the reasons and cameras that were asked for and that no dead letter has: they may be misspelt."""
    for what, asked, there in (
        ("reason", wanted.reasons, shelf.reasons),
        ("camera", wanted.cameras, shelf.cameras),
    ):
        if there and (missing := sorted(asked - there.keys())):
            print(
                f"no dead letter has the {what} {', '.join(missing)}; there are: {tables.counts(there, SUGGESTED)}",
                file=sys.stderr,
            )


async def _say_left_behind(urls: Sequence[str]) -> None:
    """Say how many dead letters senders have left that are no senders any more."""
    senders = left_behind()
    if not senders:
        return
    async with session(urls, CLIENT) as connection:
        for sender in senders:
            with contextlib.suppress(NoSuchQueue):
                if count := (await connection.count(sender.dead_letter_queue))[0]:
                    print(
                        f"and {count:,} of {sender.name}, which was removed: see `framefleet dlq list --sender "
                        f"{sender.name}`; `framefleet senders remove {sender.name} --purge` deletes all that is left",
                        file=sys.stderr,
                    )


def _say_down(shelf: FoundLetters) -> None:
    """Name the senders' queues that RabbitMQ cannot use."""
    for sentence in shelf.down:
        print(f"note: not looked at: {sentence}", file=sys.stderr)


def _say_unknown(arguments: argparse.Namespace, shelf: FoundLetters) -> None:
    """Name the senders that were asked for and that have no queue: they may be misspelt."""
    if missing := sorted(set(arguments.sender) & set(shelf.without)):
        print(
            f"no queue of dead letters belongs to {', '.join(missing)}: `framefleet senders list` shows who there is",
            file=sys.stderr,
        )


def _say_gone(count: int) -> None:
    if count > 0:
        print(f"{count:,} were gone already", file=sys.stderr)


def _print_json(value: object) -> None:
    # A Float32 in the headers is not a float to msgspec.
    print(msgspec.json.format(msgspec.json.encode(value, enc_hook=float), indent=2).decode())
