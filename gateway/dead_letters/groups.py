"""Dead letters of one kind together: by reason, origin, sender and camera. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from contract.api.dead_letters import DeadLetterGroupsView, DeadLetterGroupView
from contract.dead_letters import DeadLetter
from contract.failures import FailureReason
from gateway.dead_letters.reader import BOUNDS, DeadLetterSnapshot
from gateway.reasons import meaning

FINAL = frozenset(reason.value for reason in FailureReason if not reason.transient)
"""Trying these again ends the same way, unless something else changes."""
MAX_TEXT = 500

Key = tuple[str, str | None, str | None, str | None]


def key_of(letter: DeadLetter) -> Key:
    """What the letters of a group have in common."""
    return letter.reason, letter.origin, letter.sender, letter.camera_id


def group_id(letter: DeadLetter) -> str:
    """The group's id, the same at every look."""
    return hashlib.sha256(repr(key_of(letter)).encode()).hexdigest()[:12]


@dataclass
class _Group:
    count: int = 0
    size: int = 0
    first: float | None = None
    last: float | None = None
    newest: DeadLetter | None = None

    def add(self, letter: DeadLetter) -> None:
        self.count += 1
        self.size += letter.size
        if letter.time is not None:
            self.first = letter.time if self.first is None else min(self.first, letter.time)
            self.last = letter.time if self.last is None else max(self.last, letter.time)
        if self.newest is None or (letter.time or 0.0) > (self.newest.time or 0.0):
            self.newest = letter


def groups_view(look: DeadLetterSnapshot, letters: Iterable[DeadLetter], most: int) -> DeadLetterGroupsView:
    """The `most` largest groups of these letters, which are all or some of the look's."""
    found: dict[Key, _Group] = {}
    for letter in letters:
        found.setdefault(key_of(letter), _Group()).add(letter)
    largest = sorted(found.values(), key=lambda each: -each.count)
    return DeadLetterGroupsView(
        total=look.total,
        looked=len(look.letters),
        most=BOUNDS.messages,
        complete=look.complete,
        time=look.time,
        left_out=max(0, len(largest) - most),
        items=[_view(each) for each in largest[:most]],
    )


def _view(group: _Group) -> DeadLetterGroupView:
    letter = group.newest
    assert letter is not None  # noqa: S101  # a group has at least one
    about = meaning(letter.reason)
    return DeadLetterGroupView(
        group_id=group_id(letter),
        reason=letter.reason[:MAX_TEXT],
        origin=None if letter.origin is None else letter.origin[:MAX_TEXT],
        sender=letter.sender,
        camera_id=letter.camera_id,
        count=group.count,
        size=group.size,
        first=group.first,
        last=group.last,
        error=None if letter.error is None else letter.error[:MAX_TEXT],
        final=letter.reason in FINAL,
        meaning=about.words,
        remedy=about.remedy,
    )
