"""Objects as files in a folder. Each is there whole or not at all."""

import os
import shutil
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
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                file.replace(target)
            except OSError:  # another disk
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
        below = self._folder / prefix
        return sorted(
            str(file.relative_to(self._folder))
            for file in below.rglob("*")
            if file.is_file() and not file.name.startswith(FRESH)
        )

    def delete(self, prefix: str) -> None:
        """Delete all whose names begin with that, and the folder if it is empty then."""
        below = self._folder / prefix
        shutil.rmtree(below, ignore_errors=True)
        if below.exists():
            raise ObjectsUnavailable(f"{below} cannot be deleted: may this user write there?")
        try:
            below.parent.rmdir()
        except OSError:
            return  # others' objects are there
