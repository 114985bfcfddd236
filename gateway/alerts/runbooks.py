"""The runbooks as they lie in docs/runbooks: what the page shows under "What to do". Blocks: they are small files."""

import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve()
FOLDERS = (HERE.parent / "texts", HERE.parents[2] / "docs" / "runbooks")
"""In a wheel and an image they lie beside this module, in a checkout where people read them."""
NAME = r"[A-Za-z][A-Za-z0-9]{0,99}"


class NoRunbook(LookupError):
    """There is no page of that name."""


@cache
def runbook(name: str) -> str:
    """The page of the alert, Markdown. Raises NoRunbook."""
    if re.fullmatch(NAME, name):
        for folder in FOLDERS:
            try:
                return (folder / f"{name}.md").read_text(encoding="utf-8")
            except OSError:
                continue
    raise NoRunbook(f"there is no runbook {name[:100]}")
