"""Quorum queues that go along when their folder is moved, renamed or copied.

RabbitMQ 3.10 writes the absolute path of its data into the configuration of every quorum queue, and believes it at the
next start. In a moved folder such a queue is dead, without a word; in a copy it writes into the original's files.
Before each start the paths are therefore set to where the files lie. Newer versions do so themselves.
"""

import re
from pathlib import Path

DATA_DIRS = re.compile(r'\b((?:wal_)?data_dir\s*=>\s*)(?:"(?:[^"\\]|\\.)*"|\[[\d,\s]*\])')


def settle(data: Path) -> int:
    """Let every queue in the node's folder `data` look for its files there. Returns how many looked elsewhere."""
    moved = 0
    for file in data.glob("*/*/*/*/config"):  # <node>/quorum/<node>/<queue>/config
        # Bytes that are no UTF-8 stay what they are.
        before = file.read_text(encoding="utf-8", errors="surrogateescape")
        place = _erlang_string(str(file.parent.parent))
        after = DATA_DIRS.sub(lambda found: found[1] + place, before)  # noqa: B023 - called at once
        if re.sub(r"\s", "", after) != re.sub(r"\s", "", before):
            # Replaced as a whole: a kill -9 in between must not leave half a file.
            fresh = file.with_suffix(".new")
            fresh.write_text(after, encoding="utf-8", errors="surrogateescape")
            fresh.replace(file)
            moved += 1
    return moved


def _erlang_string(text: str) -> str:
    """Write text as Erlang prints it: anything but printable ASCII makes it a list of code points."""
    if text.isascii() and text.isprintable():
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "[" + ",".join(str(ord(character)) for character in text) + "]"
