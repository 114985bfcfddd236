"""`framefleet models list`."""

import sys
from dataclasses import asdict

import msgspec

from cli.console import size, table
from cli.models.shelf import ModelShelf
from worker.models import ModelEntry, unusable
from worker.models.packages import PACKAGED

COLUMNS = ("NAME", "KIND", "TASK", "INPUT", "LICENCE", "HERE", "SIZE", "DIGEST")


def show(shelf: ModelShelf, *, as_json: bool) -> int:
    """Print a line per model, or JSON."""
    entries = [entry for _, entry in sorted(shelf.registry.entries.items())]
    if as_json:
        print(msgspec.json.format(msgspec.json.encode([_item(shelf, e) for e in entries]), indent=2).decode())
        return 0
    print(table(COLUMNS, [_row(shelf, entry) for entry in entries]))
    for entry in entries:
        for copy in shelf.copies(entry):
            if copy.problem is not None:
                print(f"note: {copy.path} {copy.problem} and is not used", file=sys.stderr)
    return 0


def state(shelf: ModelShelf, entry: ModelEntry) -> str:
    """Return where the model is, in two or three words."""
    if entry.filename is None:
        if entry.kind not in PACKAGED:
            return "built in"
        return "installed" if unusable(entry) is None else "not usable"
    used = shelf.used(entry)
    if used is not None:
        return used.place.value
    found = shelf.copies(entry)
    if found:
        return "wrong digest" if found[0].digest else "unreadable"
    return "not fetched" if entry.urls else "no file"


def _row(shelf: ModelShelf, entry: ModelEntry) -> tuple[str, ...]:
    used = shelf.used(entry)
    digest = used.digest if used else entry.sha256
    count = used.path.stat().st_size if used else entry.size
    return (
        entry.name,
        entry.kind,
        entry.task,
        "-" if entry.input is None else str(entry.input),
        entry.licence or "-",
        state(shelf, entry),
        "-" if count is None else size(count),
        digest[:8] if digest else "-",
    )


def _item(shelf: ModelShelf, entry: ModelEntry) -> dict[str, object]:
    used = shelf.used(entry)
    return asdict(entry) | {
        "state": state(shelf, entry),
        "path": str(used.path) if used else None,
        "digest": used.digest if used else None,
        "problems": [f"{copy.path} {copy.problem}" for copy in shelf.copies(entry) if copy.problem],
    }
