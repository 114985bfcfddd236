"""Lists the image files below a folder, in the order of their names, and counts the others by reason."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from producer.catalogue.grammar import IMAGE_SUFFIXES

SYSTEM_FOLDERS = frozenset(
    {"@eadir", "#recycle", "#snapshot", "__macosx", "lost+found", "$recycle.bin", "system volume information"}
)
"""Folders of network storage and operating systems, which hold thumbnails and deleted files."""
DEEPEST = 32
MOST = 1_000_000
ENDINGS_SHOWN = 5


@dataclass(slots=True)
class ImageFiles:
    """The images of a folder. `files` are absolute or relative, as the folder is; `passed_over` counts the others."""

    files: list[str] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    endings: set[str] = field(default_factory=set)

    @property
    def reasons(self) -> str:
        """What was passed over, in words; empty if nothing was."""
        return ", ".join(
            f"{count:,} {reason}{self._endings() if reason == OTHER else ''}"
            for reason, count in sorted(self.passed_over.items())
        )

    def _endings(self) -> str:
        shown = sorted(self.endings)
        more = ", …" if len(shown) > ENDINGS_SHOWN else ""
        return f" ({', '.join(shown[:ENDINGS_SHOWN])}{more})"


OTHER = "of other kinds"
HIDDEN = "hidden"
SYSTEM = "in folders of the system"
UNREADABLE = "unreadable"
CIRCLE = "links to where it was already"
NO_FILE = "no files"
TOO_DEEP = f"more than {DEEPEST} folders deep"
TOO_MANY = f"beyond {MOST:,} images"


def images_below(folder: Path) -> ImageFiles:
    """The images of a folder and of those within it; links are followed, each folder once. Raises OSError."""
    listing = ImageFiles()
    found = folder.stat()
    _walk(os.fspath(folder), listing, {(found.st_dev, found.st_ino)}, 0)
    return listing


def position(path: str) -> list[str]:
    """The key by which `files` are ordered."""
    return path.split(os.sep)


def printable(name: str) -> str:
    """A file's name as logs and messages can hold it; the name itself may be any bytes."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _walk(folder: str, listing: ImageFiles, walked: set[tuple[int, int]], depth: int) -> None:
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if entry.name.startswith("."):
            listing.passed_over[HIDDEN] += 1
            continue
        try:
            if entry.is_dir():
                _enter(entry, listing, walked, depth)
            else:
                _take(entry, listing)
        except OSError:  # no rights, a link in a circle, gone meanwhile
            listing.passed_over[UNREADABLE] += 1


def _enter(entry: "os.DirEntry[str]", listing: ImageFiles, walked: set[tuple[int, int]], depth: int) -> None:
    found = entry.stat()
    identity = (found.st_dev, found.st_ino)
    if entry.name.lower() in SYSTEM_FOLDERS:
        listing.passed_over[SYSTEM] += 1
    elif identity in walked:
        listing.passed_over[CIRCLE] += 1
    elif depth >= DEEPEST:
        listing.passed_over[TOO_DEEP] += 1
    else:
        walked.add(identity)
        _walk(entry.path, listing, walked, depth + 1)


def _take(entry: "os.DirEntry[str]", listing: ImageFiles) -> None:
    ending = os.path.splitext(entry.name)[1].lower()
    if ending not in IMAGE_SUFFIXES:
        listing.passed_over[OTHER] += 1
        if len(listing.endings) <= ENDINGS_SHOWN:
            listing.endings.add(printable(ending) or "without an ending")
    elif not entry.is_file():
        broken = entry.is_symlink()
        listing.passed_over[UNREADABLE if broken else NO_FILE] += 1
    elif len(listing.files) >= MOST:
        listing.passed_over[TOO_MANY] += 1
    else:
        listing.files.append(entry.path)
