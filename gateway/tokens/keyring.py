"""The tokens as the gateway knows them, followed while their file changes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from gateway.errors import BrokenTokens
from gateway.tokens.entries import TokenEntry
from gateway.tokens.file import read_tokens
from runtime.followed_files import FollowedFile
from runtime.logs import get_logger

log = get_logger("gateway")


class Keyring:
    """Tokens by id; without a file there are none.

    While the file is broken, what was read before holds: it neither opens to others nor locks out.
    """

    def __init__(
        self, file: FollowedFile[tuple[TokenEntry, ...]] | None = None, entries: Iterable[TokenEntry] = ()
    ) -> None:
        self._file = file
        self._told = ""
        self._entries = {entry.id: entry for entry in entries}

    @classmethod
    def load(cls, path: Path) -> Self:
        """The tokens in the file. Raises BrokenTokens and OSError, for then there is nothing that could hold."""
        file = FollowedFile(path, read_tokens, BrokenTokens)
        return cls(file, file.load())

    def find(self, identifier: str) -> TokenEntry | None:
        """The entry with that id, valid or not. A token that was just made is known at once."""
        if identifier not in self._entries:
            self.refresh()
        return self._entries.get(identifier)

    def next_expiry(self, wall: float) -> float | None:
        """When the next of the valid tokens ends, in Unix seconds; None if none does. May be asked from any thread."""
        ends = (
            each.expires
            for each in self._entries.values()
            if each.expires is not None and each.state(wall) == "valid"
        )
        return min(ends, default=None)

    def refresh(self) -> frozenset[str]:
        """Read the file again if it changed; the ids whose entries are others now, or gone. Costs one stat."""
        if self._file is None:
            return frozenset()
        read = self._file.news()
        self._complain(self._file.trouble)
        if read is None:
            return frozenset()
        entries = {entry.id: entry for entry in read}
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
        if trouble and trouble != self._told:
            log.error(
                "the tokens file cannot be used: the tokens read before stay as they are", error=trouble
            )
        self._told = trouble
