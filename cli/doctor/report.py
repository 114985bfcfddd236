"""The findings as text for people, by area, and as JSON for programs."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cli.console import is_plain
from cli.doctor.finding import AreaFinding, Level
from runtime.version import VERSION

COLOURS = {Level.OK: "32", Level.WARNING: "33", Level.ERROR: "1;31", Level.UNKNOWN: "35"}
WIDTH = max(map(len, Level))


def text_of(findings: Sequence[AreaFinding], *, verbose: bool) -> str:
    """A block per area: what is wrong, each with what to do; what is well in one line, or `verbose`ly in one each."""
    colour = not is_plain(sys.stdout)
    area_width = max((len(each.area) for each in findings), default=0)
    lines: list[str] = []
    for area in dict.fromkeys(each.area for each in findings):
        mine = [each for each in findings if each.area == area]
        good = [each for each in mine if each.level is Level.OK]
        if not verbose and good:
            names = ", ".join(dict.fromkeys(each.name for each in good))
            mine = [each for each in mine if each.level is not Level.OK]
            lines.append(_line(area.ljust(area_width), Level.OK, names, colour))
        for each in mine:
            lines.append(_line(area.ljust(area_width), each.level, f"{each.name}: {each.found}", colour))
            if each.todo:
                lines.append(f"{'':{area_width + WIDTH + 4}}-> {each.todo}")
    return "\n".join([*lines, "", summary(findings)])


def summary(findings: Sequence[AreaFinding]) -> str:
    """One line: how many of each, the worst first."""
    counts = Counter(each.level for each in findings)
    worst = [
        f"{counts[level]} {word}{'' if counts[level] == 1 or word in ('unknown', 'ok') else 's'}"
        for level, word in (
            (Level.ERROR, "error"),
            (Level.UNKNOWN, "unknown"),
            (Level.WARNING, "warning"),
            (Level.OK, "ok"),
        )
        if counts[level]
    ]
    return ", ".join(worst)


def json_of(findings: Sequence[AreaFinding], seconds: float) -> dict[str, Any]:
    """The report as docs/doctor.md describes it. `seconds`: how long it took."""
    counts = Counter(each.level for each in findings)
    return {
        "version": VERSION,
        "time": round(time.time(), 3),
        "seconds": round(seconds, 3),
        "failed": any(each.failed for each in findings),
        "counts": {level.value: counts[level] for level in Level},
        "findings": [
            {
                "area": each.area,
                "name": each.name,
                "level": each.level.value,
                "found": each.found,
                "todo": each.todo,
            }
            for each in findings
        ],
    }


def _line(area: str, level: Level, said: str, colour: bool) -> str:
    word = f"{level.value:{WIDTH}}"
    if colour:
        word = f"\x1b[{COLOURS[level]}m{word}\x1b[0m"
    return f"{area}  {word}  {said}"
