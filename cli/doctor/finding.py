"""What the doctor finds: of a part of the system, how it is, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

LONGEST = 600
"""Characters of a sentence that are shown: parts of it may come from a stranger."""


class Level(StrEnum):
    """How bad it is. `unknown`: it could not be found out, which nobody should take for well."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AreaFinding:
    """One thing of one area: `found` says how it is, `todo` what to do; that is empty where nothing is to be done."""

    area: str
    name: str
    level: Level
    found: str
    todo: str = ""

    @property
    def failed(self) -> bool:
        """True if a script must not go on."""
        return self.level in (Level.ERROR, Level.UNKNOWN)


class Findings:
    """The findings of one area so far; what is noted counts even if the check is cut off later."""

    def __init__(self, area: str) -> None:
        self.area = area
        self.all: list[AreaFinding] = []

    def ok(self, name: str, found: str) -> None:
        """Note that something is well."""
        self._note(name, Level.OK, found, "")

    def warning(self, name: str, found: str, todo: str) -> None:
        """Note what somebody should look at."""
        self._note(name, Level.WARNING, found, todo)

    def error(self, name: str, found: str, todo: str) -> None:
        """Note what keeps the system from its work."""
        self._note(name, Level.ERROR, found, todo)

    def unknown(self, name: str, found: str, todo: str) -> None:
        """Note what could not be found out."""
        self._note(name, Level.UNKNOWN, found, todo)

    def _note(self, name: str, level: Level, found: str, todo: str) -> None:
        self.all.append(AreaFinding(self.area, _line(name), level, _line(found), _line(todo)))


def _line(text: str) -> str:
    """One line of printable characters: a stranger's answer does not command our terminal."""
    line = "".join(each if each.isprintable() else " " for each in text[: 2 * LONGEST])
    line = " ".join(line.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
