"""What a service writes is its user's alone."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.umask import keep_private


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_new_files_are_private_and_those_of_children_too(tmp_path: Path) -> None:
    keep_private()
    (tmp_path / "ours").write_text("")
    (tmp_path / "folder").mkdir()
    subprocess.run(["touch", tmp_path / "of-a-child"], check=True)
    assert [rights(tmp_path / name) for name in ("ours", "folder", "of-a-child")] == [0o600, 0o700, 0o600]


def test_what_was_there_is_taken_from_everybody_and_links_are_not_followed(tmp_path: Path) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    data.mkdir()
    outside.write_text("")
    (data / "link").symlink_to(outside)
    for name, mode in (("history.sqlite3", 0o644), ("shared", 0o664), ("private", 0o600)):
        (data / name).write_text("")
        (data / name).chmod(mode)
    keep_private(data, tmp_path / "not-there")
    assert rights(data / "history.sqlite3") == 0o640
    assert rights(data / "shared") == 0o660  # a group's rights may be somebody's choice
    assert rights(data / "private") == 0o600
    assert rights(outside) == 0o644
