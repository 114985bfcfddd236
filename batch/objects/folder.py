"""Objects as files in a folder. Each is there whole or not at all."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from batch.objects.store import NoSuchObject, ObjectsUnavailable

FRESH = ".new-"


class FolderObjects:
    """An object store in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, file: Path) -> None:
        """Keep what the file holds; within one disk it is only moved."""
        target = self._folder / name
        try:
            try:
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                file.replace(target)
            except OSError:  # another disk, or somebody tidied the folder away
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                fresh = target.with_name(f"{FRESH}{os.getpid()}-{target.name}")
                try:
                    shutil.copyfile(file, fresh)
                    fresh.replace(target)
                finally:
                    fresh.unlink(missing_ok=True)
                file.unlink()
        except OSError as error:
            raise ObjectsUnavailable(
                f"{target} cannot be written: {error.strerror}; make room there"
            ) from None

    def get(self, name: str) -> bytes:
        """The object. Raises NoSuchObject."""
        try:
            return (self._folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NoSuchObject(name) from None
        except OSError as error:
            raise ObjectsUnavailable(f"{self._folder / name} cannot be read: {error.strerror}") from None

    def names(self, prefix: str) -> list[str]:
        """The names that begin with that, sorted."""
        return sorted(
            os.path.relpath(os.path.join(folder, name), self._folder)
            for folder, _, names in os.walk(self._folder / prefix, onerror=_unreadable)
            for name in names
            if not name.startswith(FRESH)
        )

    def delete(self, prefix: str) -> None:
        """Delete all whose names begin with that, and the folder if it is empty then."""
        below = self._folder / prefix
        shutil.rmtree(below, ignore_errors=True)
        if below.exists():
            raise ObjectsUnavailable(f"{below} cannot be deleted: may this user write there?")
        self._tidy(below.parent)

    def move(self, name: str, to: str) -> None:
        """Call the object so, on another disk too if one lies there. Raises NoSuchObject."""
        file = self._folder / name
        if not file.exists():
            raise NoSuchObject(name)
        self.put(to, file)
        self._tidy(file.parent)

    def _tidy(self, folder: Path) -> None:
        """Delete empty folders, from that one upwards."""
        with suppress(OSError):  # others' objects are there
            while folder != self._folder:
                folder.rmdir()
                folder = folder.parent


def _unreadable(error: OSError) -> None:
    """A folder cannot be looked through: that it is gone meanwhile is no trouble."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise ObjectsUnavailable(f"{error.filename} cannot be read: {error.strerror}") from error
