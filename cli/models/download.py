"""`framefleet models fetch`."""

import sys
from collections.abc import Sequence

from cli.console import download
from cli.errors import InvalidOption
from cli.models.overview import state
from cli.models.shelf import ModelShelf
from worker.models import ModelEntry, ModelUnavailable, locate, unusable


def fetch(shelf: ModelShelf, names: Sequence[str], *, everything: bool) -> int:
    """Have the files of these models here; returns the exit status. Raises UnknownModel, InvalidOption."""
    entries = [shelf.registry.entry(name) for name in dict.fromkeys(names)]
    if everything:
        entries += [e for e in shelf.registry.entries.values() if e.urls and e not in entries]
    if not entries:
        raise InvalidOption(
            "say which models: names, as `framefleet models list` shows them, or --all"
            if not everything
            else "no model can be downloaded"
        )
    failed = 0
    for entry in entries:
        try:
            print(f"{entry.name}: {_have(shelf, entry)}")
        except ModelUnavailable as error:
            print(error, file=sys.stderr)
            failed += 1
    return 1 if failed else 0


def _have(shelf: ModelShelf, entry: ModelEntry) -> str:
    """Fetch the file if need be; returns where it is now. Raises ModelUnavailable."""
    if entry.filename is None:
        if (reason := unusable(entry)) is not None:
            raise ModelUnavailable(reason)
        return f"{state(shelf, entry)}, there is no file"
    used = shelf.used(entry)
    if used is not None:
        return f"{used.place}: {used.path}"
    with download(entry.name) as downloaded:
        path = locate(
            entry,
            model_dir=shelf.model_dir,
            cache=shelf.cache,
            report=lambda said: print(said, file=sys.stderr),
            progress=downloaded,
        )
    return f"fetched: {path}"
