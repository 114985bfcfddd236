"""Tar archives of what a test says, and how often they are gone through."""

import io
import tarfile
from pathlib import Path

import pytest

from batch.inputs import archives


def tar_of(file: Path, members: dict[str, bytes], mode: str = "w") -> None:
    """Write an archive; `mode` as `tarfile.open` has it."""
    with tarfile.open(file, mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))


def passes(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A list that grows by one whenever a tar is gone through from its beginning."""
    opened: list[object] = []
    really = archives._unpacked

    def counting(raw: io.BufferedReader) -> object:
        opened.append(raw)
        return really(raw)

    monkeypatch.setattr(archives, "_unpacked", counting)
    return opened
