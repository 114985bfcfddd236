"""The damaged files for which RabbitMQ starts none of its quorum queues.

One process writes the log of all of them into segment files. Where it cannot open one it ends, again and again, until
RabbitMQ gives its quorum queues up as a whole: those that are down then are whole but for one. Its files tell which.
"""

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote

MAGIC = b"RASG"
"""The first bytes of every segment, in RabbitMQ 3.10 as in 4."""
LOG_BYTES = 4 * 2**20
"""What is read of the end of RabbitMQ's log: a broker that starts again and again writes megabytes."""
CONFIG_BYTES = 64 * 2**10
IDENTITY = re.compile(r"\bid\s*=>\s*\{'?([^',]+)'?,")
SEGMENT = re.compile(
    r"^(\S+ \S+) \[\w+\] <[\d.]+> segment_writer: failed to open segment file /.*?"
    r"([^/\n]+/quorum/[^/\n]+/[^./\n]+/\d+\.segment) error: \{error,\s*\{?(invalid_segment_format|eio)\b",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Damage:
    """A folder with a file that RabbitMQ cannot use. `queue`: whose it is, or the folder's name if nothing tells."""

    folder: Path
    queue: str
    file: str
    why: str


def broker_log(data: Path) -> Path:
    """Return where a broker of `make up` that keeps its data there writes its log."""
    return data.parent / "log" / "rabbitmq.log"


def find_damage(data: Path, vhost: str) -> list[Damage]:
    """Find the folders to blame, by the first bytes of their segments, else by RabbitMQ's log. Raises OSError.

    The log comes second: it quotes what clients call themselves, and one may call itself a line of the log.
    """
    found: dict[Path, Damage] = {}
    for file, why in list(_headless(data)) or _told(data):
        found[file.parent] = Damage(file.parent, _name(file.parent, vhost), file.name, why)
    return [found[folder] for folder in sorted(found)]


def identity(folder: Path) -> str | None:
    """What RabbitMQ calls the queue whose files these are: `%2F_frame_queue`; None if it does not say."""
    try:
        with (folder / "config").open(encoding="utf-8", errors="replace") as config:
            found = IDENTITY.search(config.read(CONFIG_BYTES))
    except OSError:
        return None
    return found[1] if found else None


def move_away(damage: Damage, shelf: Path) -> Path:
    """Move the folder below `shelf`, out of the broker's data, and return where it is. Raises OSError."""
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    away = shelf / f"{damage.folder.name}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    shutil.move(damage.folder, away)
    return away


def _name(folder: Path, vhost: str) -> str:
    known = identity(folder)
    return unquote(known.removeprefix(f"{quote(vhost, safe='')}_")) if known else folder.name


def _headless(data: Path) -> Iterator[tuple[Path, str]]:
    for file in data.glob("*/quorum/*/*/*.segment"):
        if not file.is_file():
            continue
        try:
            with file.open("rb") as segment:
                first = segment.read(len(MAGIC))
        except PermissionError:
            raise  # the operator's rights say nothing of the disk
        except OSError as error:
            yield file, f"it cannot be read: {error.strerror}"
        else:
            if first and first != MAGIC:  # RabbitMQ deletes an empty one, and starts
                yield file, "its first bytes are not those of a segment"


def _told(data: Path) -> Iterator[tuple[Path, str]]:
    """What the log says of files that have not been written since: an old line may blame one that was recreated."""
    try:
        with broker_log(data).open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - LOG_BYTES))
            text = log.read(LOG_BYTES).decode(errors="replace")
    except OSError:
        return
    for when, path, why in SEGMENT.findall(text):
        file = data / path
        try:
            if file.stat().st_mtime <= datetime.fromisoformat(when).timestamp():
                yield file, f"RabbitMQ says {why}"
        except (OSError, ValueError):
            continue
