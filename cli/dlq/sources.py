"""Whose dead letters are meant: those without a sender, and each sender's, which are in a queue of their own."""

import argparse
import os
import sys
from collections.abc import Sequence

from broker.dead_letters import Source
from cli.errors import CannotReadSenders, InvalidOption
from cli.layout import Layout
from cli.parser import nearest
from cli.senders.place import known_senders, senders_file
from cli.senders.removed import removed_senders
from contract.senders import Sender, is_sender_name


def chosen(arguments: argparse.Namespace) -> list[Source]:
    """Return whose are meant: those named, else everybody's. Raises InvalidOption for a sender that there is not."""
    try:
        known: Sequence[Sender] = known_senders(os.environ, Layout())
    except CannotReadSenders as error:
        known = ()
        if not arguments.sender:
            print(
                f"note: without the senders' dead letters, unless --sender names one: {error}",
                file=sys.stderr,
            )
            return [None]
    by_name = {sender.name: sender for sender in known}
    if not arguments.sender:
        return [None, *known]
    return [by_name.get(name) or _removed(name, list(by_name)) for name in arguments.sender]


def left_behind() -> list[Sender]:
    """Return the senders that were removed while something was in their queues, as far as this folder knows."""
    try:
        path = senders_file(os.environ, Layout())
        return [Sender(name=name) for name in removed_senders(path)]
    except (CannotReadSenders, OSError):
        return []


def _removed(name: str, known: list[str]) -> Sender:
    """Return a sender that is in the file no more; its queue may still be there, or not: `read` will see."""
    if not is_sender_name(name):
        close = nearest(name, known)
        raise InvalidOption(
            f"{name!r} is not a sender's name" + (f": did you mean {close}?" if close else "")
        )
    return Sender(name=name)
