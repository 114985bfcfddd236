"""Finds the items of a job: goes through its inputs in their order, in memory that does not grow with their number."""

import glob
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from batch import reasons
from batch.inputs.archives import list_archive
from batch.inputs.found import Found
from batch.inputs.kinds import (
    PICTURE,
    VIDEO,
    ending,
    is_likely_video,
    is_picture,
    is_tar,
    is_video,
    is_zip,
)

AT_ONCE = 10_000
"""So many entries of a folder are sorted by name; a larger folder comes in several such runs."""
MOST_KINDS = 100


class Finder:
    """Lists items. `base` is the folder from which relative paths are; `left_out` counts, by ending, what is none.

    In folders and archives only what is called like a picture or a video is an item; what is named itself always is.
    """

    def __init__(self, base: bytes) -> None:
        self.left_out: Counter[str] = Counter()
        self._base = base
        self._seen: set[tuple[int, int]] = set()

    def find(self, inputs: Iterable[bytes]) -> Iterator[Found]:
        """Everything in these files, folders, patterns and archives."""
        for each in inputs:
            yield from self._named(each)

    def _named(self, path: bytes) -> Iterator[Found]:
        """What an input stands for."""
        try:
            about = os.stat(self._at(path))
        except (OSError, ValueError) as error:
            if glob.has_magic(path):
                yield from self._pattern(path)
            else:
                yield _problem(path, error)
            return
        if stat.S_ISDIR(about.st_mode):
            yield from self._folder(path)
        elif not stat.S_ISREG(about.st_mode):
            yield Found(path, reason=reasons.NOT_A_FILE, error="it is not a regular file")
        elif is_zip(path) or is_tar(path):
            for found in list_archive(path, self._at(path), about.st_mtime_ns):
                if found.reason is None and not _is_wanted(found.path):
                    self._leave_out(found.path)
                else:
                    yield found
        else:
            yield _file(path, about)

    def _pattern(self, pattern: bytes) -> Iterator[Found]:
        nothing = True
        ways: dict[tuple[int, int], bytes] = {}
        for match in glob.iglob(pattern, root_dir=self._base, recursive=True):
            nothing = False
            # `**` gives the folders' files too; to take folders as they are, name them.
            if os.path.isdir(self._at(match)) or self._came_otherwise(match, ways):
                continue
            yield from self._matched(match)
        if nothing:
            yield Found(pattern, reason=reasons.MISSING, error="no file is called like this pattern")

    def _came_otherwise(self, path: bytes, ways: dict[tuple[int, int], bytes]) -> bool:
        """Whether its folder was entered another way before, as links lead to it; `**` follows those that go round."""
        folder = os.path.dirname(path)
        try:
            about = os.stat(self._at(folder))
        except OSError:
            return False
        return ways.setdefault((about.st_dev, about.st_ino), folder) != folder

    def _matched(self, path: bytes) -> Iterator[Found]:
        if _is_wanted(path) or is_zip(path) or is_tar(path):
            yield from self._named(path)
        else:
            self._leave_out(path)

    def _folder(self, top: bytes) -> Iterator[Found]:
        """Every picture and video below a folder. One that links lead to twice, or back to, is gone through once."""
        ahead = [top]
        while ahead:
            folder = ahead.pop()
            try:
                about = os.stat(self._at(folder))
                if (about.st_dev, about.st_ino) in self._seen:
                    continue
                self._seen.add((about.st_dev, about.st_ino))
                below: list[bytes] = []
                with os.scandir(self._at(folder)) as entries:
                    while some := sorted(islice(entries, AT_ONCE), key=lambda entry: entry.name):
                        for entry in some:
                            path = os.path.join(folder, entry.name)
                            if _is_folder(entry):
                                below.append(path)
                            else:
                                yield from self._entry(path)
                ahead.extend(reversed(below))
            except OSError as error:
                yield _problem(folder, error)

    def _entry(self, path: bytes) -> Iterator[Found]:
        if not _is_wanted(path):
            self._leave_out(path)
            return
        try:
            about = os.stat(self._at(path))
        except OSError as error:
            yield _problem(path, error)
            return
        if stat.S_ISREG(about.st_mode):
            yield _file(path, about)
        else:
            yield Found(path, reason=reasons.NOT_A_FILE, error="it is not a regular file")

    def _leave_out(self, path: bytes) -> None:
        kind = ending(path)
        self.left_out[kind if kind in self.left_out or len(self.left_out) < MOST_KINDS else "other"] += 1

    def _at(self, path: bytes) -> bytes:
        return os.path.join(self._base, path)


def _is_wanted(path: bytes) -> bool:
    return is_picture(path) or is_likely_video(path)


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads round in a circle, say: looking at it closer tells


def _file(path: bytes, about: os.stat_result) -> Found:
    return Found(path, about.st_size, about.st_mtime_ns, kind=VIDEO if is_video(path) else PICTURE)


def _problem(path: bytes, error: Exception) -> Found:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Found(path, reason=reasons.MISSING, error="there is no such file or folder")
    said = getattr(error, "strerror", None) or str(error)
    return Found(path, reason=reasons.UNREADABLE, error=f"it cannot be read: {said}")
