"""The tokens as the gateway knows them, followed while their file changes."""

import errno
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from gateway.errors import BrokenTokens
from gateway.tokens.entries import TokenEntry
from gateway.tokens.file import read_tokens
from runtime.logs import get_logger

log = get_logger("gateway")

_Stamp = tuple[int, int, int]


class Keyring:
    """Tokens by id; without a path there are none.

    While the file is broken, what was read before holds: it neither opens to others nor locks out.
    """

    def __init__(
        self, path: Path | None = None, stamp: _Stamp | None = None, entries: Iterable[TokenEntry] = ()
    ) -> None:
        self._path = path
        self._stamp = stamp
        self._trouble = ""
        self._entries = {entry.id: entry for entry in entries}

    @classmethod
    def load(cls, path: Path) -> Self:
        """The tokens in the file. Raises BrokenTokens and OSError, for then there is nothing that could hold."""
        stamp = _look(path)
        return cls(path, stamp, read_tokens(path))

    def find(self, identifier: str) -> TokenEntry | None:
        """The entry with that id, valid or not. A token that was just made is known at once."""
        if identifier not in self._entries:
            self.refresh()
        return self._entries.get(identifier)

    def refresh(self) -> frozenset[str]:
        """Read the file again if it changed; the ids whose entries are others now, or gone. Costs one stat."""
        if self._path is None:
            return frozenset()
        try:
            stamp = _look(self._path)
            if stamp == self._stamp:
                return frozenset()
            entries = {entry.id: entry for entry in read_tokens(self._path)}
        except BrokenTokens as error:
            self._stamp = stamp  # says the same until it changes
            self._complain(str(error))
            return frozenset()
        except OSError as error:
            self._complain(f"{self._path}: {error.strerror or error}")
            return frozenset()
        self._stamp, self._trouble = stamp, ""
        before, self._entries = self._entries, entries
        changed = frozenset(each for each in before if entries.get(each) != before[each])
        log.info(
            "tokens read again",
            tokens=len(entries),
            added=[entries[each].name for each in entries if each not in before],
            changed=[before[each].name for each in sorted(changed)],
        )
        return changed

    def _complain(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            log.error(
                "the tokens file cannot be used: the tokens read before stay as they are", error=trouble
            )


def _look(path: Path) -> _Stamp | None:
    """What changes with the file; None if there is none. Raises OSError."""
    try:
        seen = path.stat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise
    return seen.st_mtime_ns, seen.st_ino, seen.st_size
