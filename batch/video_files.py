"""The file that a video is read from: its own, or a temporary one with what an archive has."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from batch.inputs.members import ArchiveReader
from batch.store import Item
from batch.temporary import no_room, temporary_file
from runtime.pipes import write_whole

PIECE = 1 << 20


class Interrupted(Exception):
    """Nobody wants the video any more."""


class VideoFiles:
    """Files of videos below `base`. Those of archives are unpacked one at a time, into `own` unless a setting has
    another folder. For one thread."""

    def __init__(self, base: bytes, own: Path) -> None:
        self._base = base
        self._own = own
        self._archives = ArchiveReader(base)

    @contextmanager
    def opened(self, item: Item, stopped: Callable[[], bool] = lambda: False) -> Iterator[Path]:
        """The path of the video's file, which is there during the block. Raises Unreadable, Interrupted."""
        if item.archive is None:
            yield Path(os.fsdecode(os.path.join(self._base, item.path)))
            return
        with self._archives.video(item.archive, item.member or "") as member:
            size = member.size
            with temporary_file(size, self._own) as file:
                while data := member.read(PIECE):
                    if stopped():
                        raise Interrupted
                    try:
                        write_whole(file.fileno(), data)
                    except OSError:
                        raise no_room(size, self._own) from None
                yield Path(f"/dev/fd/{file.fileno()}")

    def close(self) -> None:
        """Close what is open."""
        self._archives.close()
