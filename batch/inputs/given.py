"""What was meant, where nothing that was named is there."""

import difflib
import glob
import os
from collections.abc import Sequence

from batch.names import shown


def nothing_there(base: bytes, inputs: Sequence[bytes]) -> str | None:
    """What is said of inputs of which none exists, with names that are like theirs; None if one does, or is a list."""
    if not inputs or any(_is_there(base, each) for each in inputs):
        return None
    said = ", ".join(shown(each) for each in inputs)
    near = [like for each in inputs for like in _alike(base, each)]
    if near:
        return f"{said}: there is no such file or folder. Did you mean {' or '.join(near)}?"
    if any(map(glob.has_magic, inputs)):
        return f"{said}: no file is called like that. `**/` in a pattern stands for all folders below"
    return f"{said}: there is no such file or folder in {shown(base)}"


def _is_there(base: bytes, path: bytes) -> bool:
    if b"\0" in path:  # a list from standard input
        return True
    if os.path.lexists(os.path.join(base, path)):
        return True
    return glob.has_magic(path) and next(glob.iglob(path, root_dir=base, recursive=True), None) is not None


def _alike(base: bytes, path: bytes) -> list[str]:
    folder, name = os.path.split(path.rstrip(b"/"))
    try:
        there = os.listdir(os.path.join(base, folder))
    except OSError:
        return []
    like = difflib.get_close_matches(os.fsdecode(name), map(os.fsdecode, there), n=2)
    return [shown(os.path.join(folder, os.fsencode(each))) for each in like]
