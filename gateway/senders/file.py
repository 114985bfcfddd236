"""The file of senders, which the command changes and every gateway of the folder follows."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from contract.senders import MAX_SENDERS, Sender, Senders, encode_senders, parse_senders
from gateway.errors import BrokenSenders, NoSuchSender, TooManySenders
from runtime.followed_files import locked, replace_whole

FILE = "senders.json"
FIELDS = frozenset(field.name for field in msgspec.structs.fields(Sender))


def read_senders(path: Path) -> Senders:
    """The senders in the file; revision 0 if there is none. Raises BrokenSenders, and OSError if it cannot be read."""
    try:
        body = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Senders()
    try:
        senders = parse_senders(body)
        check(senders)
        _check_fields(msgspec.json.decode(body))
    except (ValueError, RecursionError) as error:
        raise BrokenSenders(
            f"{path} is not a file of senders ({error}): bring back a copy, or move it away and add the senders again"
        ) from None
    return senders


def put_sender(path: Path, sender: Sender) -> Senders:
    """Add the sender, or put it in the place of the one of its name; returns all.

    Raises TooManySenders, BrokenSenders, OSError.
    """
    with locked(path):
        before = read_senders(path)
        others = [each for each in before.senders if each.name != sender.name]
        if len(others) >= MAX_SENDERS:
            raise TooManySenders(f"there are {MAX_SENDERS} senders: remove those that nobody needs")
        return _write(path, before, [*others, sender])


def drop_sender(path: Path, name: str) -> Sender:
    """Take the sender out. Raises NoSuchSender, BrokenSenders, OSError."""
    with locked(path):
        before = read_senders(path)
        gone = next((each for each in before.senders if each.name == name), None)
        if gone is None:
            raise NoSuchSender(f"there is no sender {name}")
        _write(path, before, [each for each in before.senders if each is not gone])
    return gone


def keep_senders(path: Path, heard: Senders) -> None:
    """Keep what another gateway announced, unless the file is as new. Raises BrokenSenders, OSError."""
    with locked(path):
        if read_senders(path).revision < heard.revision:
            _replace(path, heard)


def check(senders: Senders) -> None:
    """Raise ValueError unless it is something that the command would have written."""
    names = {sender.name for sender in senders.senders}
    if len(names) < len(senders.senders):
        raise ValueError("two senders have one name")
    if not 0 < senders.revision < 1 << 53:
        raise ValueError("its revision is none that the command gives")
    if not all(sender.lanes for sender in senders.senders):
        raise ValueError("a sender has no lane")


def _write(path: Path, before: Senders, senders: Iterable[Sender]) -> Senders:
    revision = max(before.revision + 1, int(time.time() * 1000))
    after = Senders(revision=revision, senders=tuple(sorted(senders, key=lambda each: each.name)))
    _replace(path, after)
    return after


def _replace(path: Path, senders: Senders) -> None:
    replace_whole(path, msgspec.json.format(encode_senders(senders), indent=2) + b"\n")


def _check_fields(document: Any) -> None:
    """Raise ValueError for a misspelt field: it must not mean that the default holds."""
    for each in document.get("senders", ()):
        if unknown := sorted(each.keys() - FIELDS):
            raise ValueError(f"sender {each['name']} has {unknown[0]!r}, which there is not")
