"""The services' log lines that name a frame, from the newest back, as far as a bounded search goes."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MAX_LINES = 20
MAX_BYTES = 256 << 20
"""Of all files together: about a second."""
MAX_LINE_BYTES = 4_000
ANOTHER_ATTEMPT, DEAD = "frame gets another attempt", "frame dead-lettered"


@dataclass(frozen=True, slots=True)
class LogWord:
    """What the logs say: `lines` with the name of their file; `waits`: the last word of a worker is that the frame gets
    another attempt."""

    state: Literal["found", "nothing", "not_asked"]
    words: str
    lines: tuple[str, ...] = ()
    waits: bool = False


def no_logs(why: str, frame_id: str = "") -> LogWord:
    """The word of logs that cannot be read here; with the command that reads those of a Compose project."""
    command = f": docker compose logs --no-log-prefix | grep -F {shlex.quote(frame_id)}" if frame_id else ""
    return LogWord("not_asked", f"the logs were not read: {why}{command}")


def search(folder: Path, frame_id: str) -> LogWord:
    """Look for the frame in the logs of a native system."""
    needles = {frame_id.encode(errors="surrogateescape"), json.dumps(frame_id)[1:-1].encode()}
    found: list[tuple[str, str]] = []
    left = MAX_BYTES
    for file in _newest_first(folder):
        if left <= 0:
            break
        try:
            size = file.stat().st_size
            lines = list(_lines(file, needles, size - min(size, left)))
        except OSError:
            continue  # it was just moved or deleted
        left -= size
        found += [(line, f"{file.name}: {line}") for line in lines]
    cut = " (the oldest logs were not looked at)" if left <= 0 else ""
    if not found:
        return LogWord("nothing", f"no line in {folder.parent.name}/{folder.name} names it{cut}")
    found.sort(key=lambda each: _time(each[0]))
    last = next((line for line, _ in reversed(found) if ANOTHER_ATTEMPT in line or DEAD in line), "")
    count = "1 line names it" if len(found) == 1 else f"{len(found):,} lines name it"
    return LogWord(
        "found", f"{count}{cut}", tuple(shown for _, shown in found[-MAX_LINES:]), ANOTHER_ATTEMPT in last
    )


def _newest_first(folder: Path) -> list[Path]:
    """All logs, the rotated ones (`worker-1.log.1`) included."""
    times = {}
    for file in folder.glob("*.log*"):
        try:
            times[file] = file.stat().st_mtime
        except OSError:
            continue
    return sorted(times, key=lambda file: -times[file])


def _lines(file: Path, needles: set[bytes], skip: int) -> Iterator[str]:
    with file.open("rb") as log:
        log.seek(skip)
        content = log.read()
    places: set[int] = set()
    for needle in needles:
        at = content.find(needle)
        while at >= 0 and len(places) < 1_000:
            begin = content.rfind(b"\n", 0, at) + 1
            places.add(begin)
            end = content.find(b"\n", at)
            at = content.find(needle, end) if end >= 0 else -1
    for begin in sorted(places):
        end = content.find(b"\n", begin)
        yield content[begin : end if end >= 0 else None][:MAX_LINE_BYTES].decode("utf-8", "replace")


def _time(line: str) -> str:
    """The line's time, as text that sorts; empty if it has none."""
    try:
        return str(json.loads(line).get("timestamp", ""))
    except (ValueError, AttributeError):
        return ""
