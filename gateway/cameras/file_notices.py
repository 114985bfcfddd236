"""Mistakes in files of cameras, as sentences for people: what is wrong where, what goes on, and what to do. Pure."""

from collections.abc import Iterable

from contract.status import CameraFileProblem, CameraFileTrouble

SHOWN = 3
TEXT_SHOWN = 300


def file_notices(troubles: Iterable[CameraFileTrouble]) -> list[str]:
    """A sentence for each file; producers that share one say the same."""
    return sorted({_notice(trouble) for trouble in troubles})


def _notice(trouble: CameraFileTrouble) -> str:
    name = _printable(trouble.path)
    mistakes = f"{trouble.count:,} mistakes" if trouble.count != 1 else "a mistake"
    said = "; ".join(_problem(each) for each in trouble.problems[:SHOWN])
    further = trouble.count - len(trouble.problems[:SHOWN])
    more = f"; and {further:,} more: framefleet cameras check {name}" if further > 0 else ""
    goes_on = (
        "The other cameras are as it says; one that ran before runs on as it was"
        if trouble.used
        else "It changes nothing: the cameras that ran before run on"
    )
    correct = "Correct the file: it is read again by itself"
    return f"The file of cameras {name} has {mistakes}: {said}{more}. {goes_on}. {correct}."


def _problem(problem: CameraFileProblem) -> str:
    text = _printable(problem.text)[:TEXT_SHOWN].rstrip(".")
    return f"line {problem.line}: {text}" if problem.line else text


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "\ufffd" for each in text)
