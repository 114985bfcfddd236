"""Who replayed or purged which dead letters, and when: a file that outlives the gateway.

A file of its own and not a table of the history: it is small, and must be there when the history is moved away, full or
damaged, which is when people clear up.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from contract.api.dead_letters import DeadLetterOperationView
from runtime.followed_files import replace_whole
from runtime.logs import get_logger

log = get_logger("gateway")

FILE = "dead-letter-operations.json"
MAX_RECORDS = 500
INTERRUPTED = "the gateway ended in the middle: at least so many are done, the others are still dead letters"

_decoder = msgspec.json.Decoder(list[DeadLetterOperationView])


class OperationRecords:
    """The last 500 operations, newest first."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._records: list[DeadLetterOperationView] = []

    def load(self) -> None:
        """Read what was kept; nothing if there is no file, or (logged) none that can be read."""
        try:
            kept = _decoder.decode(self._path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError) as error:
            aside = self._path.with_suffix(".unreadable")
            with contextlib.suppress(OSError):
                self._path.replace(aside)
            log.warning(
                "the record of replays and purges cannot be read: a new one begins",
                file=str(aside),
                error=str(error),
            )
            return
        self._records = [
            replace(each, state="interrupted", trouble=INTERRUPTED) if each.state == "running" else each
            for each in kept
        ]

    @property
    def all(self) -> Sequence[DeadLetterOperationView]:
        """Newest first."""
        return self._records

    def put(self, record: DeadLetterOperationView) -> None:
        """Add the record, or take it in the place of an earlier one of the same operation."""
        for index, each in enumerate(self._records):
            if each.operation_id == record.operation_id:
                self._records[index] = record
                return
        self._records = [record, *self._records[: MAX_RECORDS - 1]]

    def drop(self, operation_id: str) -> None:
        """Forget an operation that did not begin."""
        self._records = [each for each in self._records if each.operation_id != operation_id]

    def encoded(self) -> bytes:
        """The file's content."""
        return msgspec.json.encode(self._records)

    def save(self, content: bytes) -> None:
        """Replace the file. Blocks for the disk. Raises OSError."""
        replace_whole(self._path, content)
