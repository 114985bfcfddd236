"""`framefleet cameras check`: the mistakes in a file of cameras."""

import argparse
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from cli.errors import InvalidOption
from producer.catalogue.file.reload import load
from producer.errors import FileProblem, InvalidCameraFile


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What was found. Not `usable`: a producer that starts refuses the file, one that runs goes on with the last."""

    file: str
    usable: bool
    cameras: int
    problems: tuple[FileProblem, ...]


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet cameras check`; returns the exit status. Raises CommandError."""
    file = arguments.file or os.environ.get("CAMERAS", "").strip()
    if not file:
        raise InvalidOption("which file? `framefleet cameras check cameras.yaml`, or set CAMERAS")
    checked = check(Path(file).expanduser())
    print(json.dumps(asdict(checked), indent=2) if arguments.json else told(checked))
    return 1 if checked.problems else 0


def check(path: Path) -> CheckedFile:
    """Read the file as a producer does."""
    try:
        read = load(path, os.environ).current
    except InvalidCameraFile as error:
        return CheckedFile(str(path), False, 0, error.problems)
    return CheckedFile(str(path), True, len(read.cameras), read.problems)


def told(checked: CheckedFile) -> str:
    """Lines for people."""
    cameras = f"{checked.cameras:,} camera{'' if checked.cameras == 1 else 's'}"
    if not checked.problems:
        return f"{checked.file}: {cameras}, nothing is wrong"
    mistakes = f"{len(checked.problems):,} mistake{'' if len(checked.problems) == 1 else 's'}"
    if checked.usable:
        head = f"{checked.file}: {mistakes}; {cameras} can be used"
    else:
        head = f"{checked.file}: cannot be used. A producer that runs goes on with what it read before"
    return "\n".join([head, *(f"  {problem}" for problem in checked.problems)])
