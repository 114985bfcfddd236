"""`framefleet cameras check`: the mistakes in a file of cameras."""

import argparse
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from cli.cameras.connect import CheckAnswer, run_connect, summary
from cli.errors import InvalidOption
from producer.catalogue.file.reload import load
from producer.catalogue.settings import of_config
from producer.errors import FileProblem, InvalidCameraFile
from producer.settings import ProducerSettings


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What was found. Not `usable`: a producer that starts refuses the file, one that runs goes on with the last.

    `answers` is what the cameras said, None if they were not asked. `absent` are cameras whose file or folder is not
    here: no mistake, since the producer may run elsewhere.
    """

    file: str
    usable: bool
    cameras: int
    problems: tuple[FileProblem, ...]
    answers: tuple[CheckAnswer, ...] | None = None
    absent: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """True if nothing is wrong."""
        return not self.problems and all(answer.well for answer in self.answers or ())


def run(arguments: argparse.Namespace) -> int:
    """Run `framefleet cameras check`; returns the exit status. Raises CommandError."""
    file = arguments.file or os.environ.get("CAMERAS", "").strip()
    if not file:
        raise InvalidOption("which file? `framefleet cameras check cameras.yaml`, or set CAMERAS")
    checked = check(Path(file).expanduser(), ask=arguments.connect)
    print(json.dumps(asdict(checked), indent=2) if arguments.json else told(checked))
    return 0 if checked.well else 1


def check(path: Path, *, ask: bool = False) -> CheckedFile:
    """Read the file as a producer does, and `ask` its cameras for a picture."""
    try:
        read = load(path, os.environ).current
    except InvalidCameraFile as error:
        return CheckedFile(str(path), False, 0, error.problems)
    answers = None
    if ask:
        settings = ProducerSettings()
        answers = tuple(run_connect([of_config(each, settings) for each in read.cameras.values()], settings))
    absent = tuple(
        f"{each.spec.camera_id}: there is no {each.spec.shown} here"
        for each in read.cameras.values()
        if each.spec.missing
    )
    return CheckedFile(str(path), True, len(read.cameras), read.problems, answers, absent)


def told(checked: CheckedFile) -> str:
    """Lines for people."""
    cameras = f"{checked.cameras:,} camera{'' if checked.cameras == 1 else 's'}"
    mistakes = f"{len(checked.problems):,} mistake{'' if len(checked.problems) == 1 else 's'}"
    if not checked.usable:
        head = f"{checked.file}: cannot be used. A producer that runs goes on with what it read before"
    elif checked.problems:
        head = f"{checked.file}: {mistakes}; {cameras} can be used"
    elif checked.answers is None and not checked.absent:
        head = f"{checked.file}: {cameras}, nothing is wrong"
    else:
        head = f"{checked.file}: {cameras}, no mistakes in the file"
    lines = [head, *(f"  {problem}" for problem in checked.problems)]
    if checked.absent:
        lines += ["Not on this machine, or not for this user:", *(f"  {each}" for each in checked.absent)]
    if checked.answers is not None:
        lines += [f"Asked: {summary(checked.answers)}", *(f"  {answer}" for answer in checked.answers)]
    return "\n".join(lines)
