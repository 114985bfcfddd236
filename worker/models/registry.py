"""All models that can be asked for by name: the built-in ones, the operator's, and loose files in MODEL_DIR."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from contract.models import MODEL_NAME_PATTERN
from worker.errors import InvalidRegistry, UnknownModel
from worker.models.entries import KINDS_TASK, ModelEntry, read_entries
from worker.models.labels import read_labels

BUILT_IN = Path(__file__).with_name("models.toml")
OPERATORS = "models.toml"

_NAME = re.compile(MODEL_NAME_PATTERN)


@dataclass(frozen=True)
class Registry:
    """`entries`: every model by its name. `notes`: sentences for the operator about files that were passed over."""

    entries: Mapping[str, ModelEntry]
    notes: tuple[str, ...] = ()

    @classmethod
    def load(cls, model_dir: Path | None) -> "Registry":
        """Read the built-in models, then `model_dir`/models.toml, then the ONNX files there that no entry names.

        An entry of the operator replaces a built-in one of that name as a whole. A file FOLDER/plates.onnx without
        an entry is the model `plates`, YOLO-style, with the labels of plates.txt beside it if that is there.
        Raises InvalidRegistry.
        """
        entries = read_entries(BUILT_IN)
        if model_dir is None:
            return cls(MappingProxyType(entries))
        own = model_dir / OPERATORS
        try:
            if own.exists():
                entries |= read_entries(own)
                _refuse_one_file_with_two_digests(entries, own)
            loose, notes = _loose(model_dir, entries)
        except OSError as error:
            raise InvalidRegistry(f"{model_dir} cannot be read: {error.strerror}") from None
        return cls(MappingProxyType(entries | loose), notes)

    def entry(self, name: str) -> ModelEntry:
        """The model of this name. Raises UnknownModel."""
        try:
            return self.entries[name]
        except KeyError:
            near = difflib.get_close_matches(name, self.entries, 1)
            suggestion = f": did you mean {near[0]}?" if near else "."
            raise UnknownModel(
                f"there is no model {name!r}{suggestion} Known are {', '.join(sorted(self.entries))}"
            ) from None


@cache
def _our_digests() -> frozenset[str | None]:
    return frozenset(entry.sha256 for entry in read_entries(BUILT_IN).values() if entry.sha256)


def is_ours(digest: str) -> bool:
    """Check that a file with this SHA-256 is one that the built-in registry pins, whatever it is called."""
    return digest in _our_digests()


def _refuse_one_file_with_two_digests(entries: Mapping[str, ModelEntry], path: Path) -> None:
    """Only one of the two could ever be in a folder, and each would fetch over the other."""
    seen: dict[str, ModelEntry] = {}
    for entry in entries.values():
        if entry.filename is None or entry.sha256 is None:
            continue
        other = seen.setdefault(entry.filename, entry)
        if other.sha256 != entry.sha256:
            raise InvalidRegistry(
                f"{path}: [{entry.name}] file: [{other.name}] has the same file {entry.filename} with another sha256"
            )


def _loose(folder: Path, entries: Mapping[str, ModelEntry]) -> tuple[dict[str, ModelEntry], tuple[str, ...]]:
    named = {entry.filename for entry in entries.values()}
    found, notes = {}, []
    for path in sorted(folder.glob("*.onnx")):
        if path.name in named or not path.is_file():
            continue
        name = path.stem
        if not _NAME.match(name):
            notes.append(
                f"{path} is not used: {name!r} is not a model name; rename it or name it in {OPERATORS}"
            )
        elif name in entries:
            notes.append(
                f"{path} is not used: the model {name} has the file {entries[name].filename}; rename it, or "
                f"write an entry [{name}] in {OPERATORS}"
            )
        else:
            found[name] = ModelEntry(
                name, "yolo", KINDS_TASK["yolo"], labels=_labels_beside(path), filename=path.name
            )
    return found, tuple(notes)


def _labels_beside(path: Path) -> tuple[str, ...]:
    labels = path.with_suffix(".txt")
    if not labels.exists():
        return ()
    try:
        return read_labels(labels)
    except ValueError as error:
        raise InvalidRegistry(f"labels of {path.name}: {error}") from None
