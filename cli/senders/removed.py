"""Senders that were removed while their queues still held something: their names, in a file beside that of the senders.

The broker cannot be asked by AMQP which queues there are, so what is left of them would be found by nobody.
"""

from pathlib import Path

from contract.senders import is_sender_name
from runtime.followed_files import locked, replace_whole

FILE = "senders-removed"


def removed_senders(senders: Path) -> list[str]:
    """Return their names, sorted; `senders` is the file of those that there are. Raises OSError."""
    try:
        lines = senders.with_name(FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted({line for line in lines if is_sender_name(line)})


def note_removed(senders: Path, name: str, *, left: bool) -> None:
    """Note whether the queues of a sender of that name, which is one no more, hold something. Raises OSError."""
    path = senders.with_name(FILE)
    with locked(path):
        before = set(removed_senders(senders))
        after = before | {name} if left else before - {name}
        if after != before:
            replace_whole(path, "".join(f"{each}\n" for each in sorted(after)).encode())
