"""How many workers should run: a setting, or a file in which whoever starts them writes the number."""

from pathlib import Path

from runtime.followed_files import FollowedFile


class ExpectedWorkers:
    """`number` is None where nobody says. A file that cannot be read changes nothing."""

    def __init__(self, number: int | None, file: Path | None) -> None:
        self._number = number
        self._file = None if file is None else FollowedFile(file, _read, ValueError)

    @property
    def number(self) -> int | None:
        """The number as it is now; costs one stat."""
        if self._file is not None and (news := self._file.news()) is not None:
            self._number = news
        return self._number


def _read(file: Path) -> int:
    """The number in the file. Raises ValueError for anything else, OSError."""
    with file.open() as opened:
        number = int(opened.read(32))
    if number < 0:
        raise ValueError(f"{file}: {number} workers cannot be")
    return number
