"""`framefleet models fetch`."""

import sys
import time
from collections.abc import Sequence

from cli.display import LINE_SECONDS, Display
from cli.dlq.tables import size
from cli.models.overview import state
from cli.models.shelf import ModelShelf
from worker.models import ModelEntry, ModelUnavailable, locate, unusable

BAR = 30
REFRESH_SECONDS = 0.1


def fetch(shelf: ModelShelf, names: Sequence[str], *, everything: bool) -> int:
    """Have the files of these models here; returns the exit status. Raises ValueError for a name that is none's."""
    entries = [shelf.registry.entry(name) for name in dict.fromkeys(names)]
    if everything:
        entries += [e for e in shelf.registry.entries.values() if e.urls and e not in entries]
    if not entries:
        raise ValueError(
            "say which models: names, as `framefleet models list` shows them, or --all"
            if not everything
            else "no model can be downloaded"
        )
    display = Display(sys.stderr)
    failed = 0
    for entry in entries:
        try:
            print(f"{entry.name}: {_have(shelf, entry, display)}")
        except ModelUnavailable as error:
            display.say(str(error))
            failed += 1
    return 1 if failed else 0


def _have(shelf: ModelShelf, entry: ModelEntry, display: Display) -> str:
    """Where the file now is. Raises ModelUnavailable."""
    if entry.filename is None:
        if (reason := unusable(entry)) is not None:
            raise ModelUnavailable(reason)
        return f"{state(shelf, entry)}, there is no file"
    used = shelf.used(entry)
    if used is not None:
        return f"{used.place}: {used.path}"
    path = locate(
        entry,
        model_dir=shelf.model_dir,
        cache=shelf.cache,
        report=display.say,
        progress=Meter(display, entry.name),
    )
    return f"fetched: {path}"


class Meter:
    """How far a download is: a bar on a terminal; elsewhere a line now and then if it takes long."""

    def __init__(self, display: Display, name: str) -> None:
        self._display = display
        self._name = name
        self._next = time.monotonic() + (REFRESH_SECONDS if display.terminal else LINE_SECONDS)

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if done == total:
            if self._display.terminal:  # elsewhere, whoever asked for the file says that it is here
                self._display.say(f"  {self._name}  {described(done, total, BAR)}")
        elif now >= self._next and self._display.terminal:
            self._display.update(f"  {self._name}  {described(done, total, BAR)}")
            self._next = now + REFRESH_SECONDS
        elif now >= self._next:
            self._display.say(f"  {self._name}: {described(done, total)}")
            self._next = now + LINE_SECONDS


def described(done: int, total: int | None, width: int = 0) -> str:
    """`██████░░░░ 62 %, 142 kB of 230 kB`; no bar if `width` is 0, no share if `total` is not known."""
    if not total:
        return size(done)
    share = min(1.0, done / total)
    filled = round(share * width)
    bar = f"{'█' * filled}{'░' * (width - filled)} " if width else ""
    return f"{bar}{share:.0%}, {size(done)} of {size(total)}".replace("%", " %", 1)
