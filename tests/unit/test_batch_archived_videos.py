"""Videos that lie in archives: unpacked one at a time to a file without a name, within bounds."""

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from batch import temporary
from batch.errors import Unreadable
from batch.inputs import archives
from batch.inputs.found import Found
from batch.inputs.walk import Finder
from batch.store import Item
from batch.video_files import Interrupted, VideoFiles
from contract.task import MAX_BODY_BYTES
from tests.helpers.full_disk import files_of_at_most
from tests.helpers.processes import ROOT
from tests.helpers.tars import passes, tar_of

FILM = os.urandom(1 << 20) + bytes(MAX_BODY_BYTES)
"""Larger than a picture may be."""


def archive_of(file: Path, members: dict[str, bytes]) -> None:
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
            for name, data in members.items():
                made.writestr(name, data)
        return
    _, _, packing = file.name.partition(".tar")
    tar_of(file, members, f"w:{packing[1:]}")


def find(base: Path, name: str) -> list[Found]:
    return list(Finder(os.fsencode(base)).find([os.fsencode(name)]))


def item(found: Found) -> Item:
    return Item(1, found.path, found.archive, found.member, kind=found.kind)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    made = tmp_path / "job"
    made.mkdir()
    return made


def refused(files: VideoFiles, video: Item) -> str:
    with pytest.raises(Unreadable) as raised, files.opened(video):
        raise AssertionError("it was opened")
    return raised.value.reason


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_each_is_unpacked_while_it_is_read(tmp_path: Path, own: Path, kind: str) -> None:
    members = {
        "a.jpg": b"\xff\xd8\xff",
        "one.mp4": FILM,
        "sub/two.MOV": FILM[:9],
        "program.ts": b"x",
        "n.txt": b"x",
    }
    archive_of(tmp_path / f"some.{kind}", members)
    found = find(tmp_path, f"some.{kind}")
    assert [(each.member, each.kind) for each in found] == [
        ("a.jpg", "picture"),
        ("one.mp4", "video"),
        ("sub/two.MOV", "video"),
    ]
    files = VideoFiles(os.fsencode(tmp_path), own)
    for each in (*found[1:], found[1]):
        with files.opened(item(each)) as file:
            assert file.read_bytes() == members[str(each.member)]
            assert os.readlink(file).startswith(f"{own}/")
            assert os.listdir(own) == []  # it has no name: whoever is killed leaves nothing
            assert file.stat().st_mode & 0o077 == 0
    files.close()
    assert not file.exists()


def test_videos_of_a_tar_cost_one_pass(tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive_of(tmp_path / "a.tar.gz", {f"{number}.mp4": FILM[:50_000] for number in range(20)})
    opened = passes(monkeypatch)
    files = VideoFiles(os.fsencode(tmp_path), own)
    for each in find(tmp_path, "a.tar.gz"):
        with files.opened(item(each)) as file:
            assert file.read_bytes() == FILM[:50_000]
    assert len(opened) == 2  # to list, and to read


def test_one_that_is_not_wanted_any_more_does_not_spoil_the_next(tmp_path: Path, own: Path) -> None:
    archive_of(tmp_path / "a.tar.gz", {"one.mp4": FILM, "two.mp4": FILM[:9]})
    one, two = find(tmp_path, "a.tar.gz")
    files = VideoFiles(os.fsencode(tmp_path), own)
    with pytest.raises(Interrupted), files.opened(item(one), lambda: True):
        raise AssertionError("it was opened")
    with files.opened(item(two)) as file:
        assert file.read_bytes() == FILM[:9]


def test_the_named_folder_is_used_while_there_is_room(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive_of(tmp_path / "a.zip", {"film.mp4": FILM})
    (video,) = map(item, find(tmp_path, "a.zip"))
    files = VideoFiles(os.fsencode(tmp_path), own)
    named = tmp_path / "memory"
    named.mkdir()
    monkeypatch.setenv("BATCH_TEMP_DIR", str(named))
    with files.opened(video) as file:
        assert os.readlink(file).startswith(f"{named}/")
    free = {named: 2 * len(FILM) - 1, own: len(FILM) + temporary.LEFT_FREE}
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(0, 0, free[folder]))
    with files.opened(video) as file:
        assert os.readlink(file).startswith(f"{own}/")
    free[own] -= 1
    assert refused(files, video) == "no_room"
    monkeypatch.undo()
    monkeypatch.setenv("BATCH_TEMP_DIR", str(tmp_path / "none"))
    with files.opened(video) as file:
        assert os.readlink(file).startswith(f"{own}/")


def test_a_disk_that_fills_meanwhile_costs_the_one_video(tmp_path: Path, own: Path) -> None:
    archive_of(tmp_path / "a.zip", {"film.mp4": FILM, "small.mp4": FILM[:9]})
    film, small = map(item, find(tmp_path, "a.zip"))
    files = VideoFiles(os.fsencode(tmp_path), own)
    with files_of_at_most(3 << 20):
        assert refused(files, film) == "no_room"
        with files.opened(small) as file:
            assert file.read_bytes() == FILM[:9]


def test_what_unpacks_to_far_more_than_the_archive_is_a_bomb(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "film.mp4").open("wb") as film:
        film.truncate(8 << 30)
    subprocess.run(["tar", "-cSf", "holes.tar", "film.mp4"], cwd=tmp_path, check=True)
    assert (tmp_path / "holes.tar").stat().st_size < 1 << 20
    (found,) = find(tmp_path, "holes.tar")
    files = VideoFiles(os.fsencode(tmp_path), own)
    assert refused(files, item(found)) == "archive_bomb"
    archive_of(tmp_path / "zeros.tar.gz", {"one.mp4": bytes(64 << 20)})
    (found,) = find(tmp_path, "zeros.tar.gz")
    monkeypatch.setattr(archives, "UNSUSPICIOUS", 16 << 20)
    assert refused(files, item(found)) == "archive_bomb"


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_damaged_in_its_middle(tmp_path: Path, own: Path, kind: str) -> None:
    file = tmp_path / f"a.{kind}"
    archive_of(file, {"one.mp4": FILM, "two.mp4": FILM[:9]})
    found = find(tmp_path, file.name)
    data = bytearray(file.read_bytes())
    data[400_000:500_000] = bytes(100_000)
    file.write_bytes(data)
    files = VideoFiles(os.fsencode(tmp_path), own)
    assert refused(files, item(found[0])) == "corrupt_archive"
    if kind == "zip":
        with files.opened(item(found[1])) as opened:
            assert opened.read_bytes() == FILM[:9]


def test_kill_9_leaves_nothing(tmp_path: Path, own: Path) -> None:
    archive_of(tmp_path / "a.zip", {"film.mp4": FILM})
    (found,) = find(tmp_path, "a.zip")
    code = (
        "import os, sys; from pathlib import Path; from batch.store import Item; "
        "from batch.video_files import VideoFiles\n"
        "base, own, path, archive, member = sys.argv[1:]\n"
        "video = Item(1, path.encode(), archive.encode(), member)\n"
        "with VideoFiles(base.encode(), Path(own)).opened(video) as file:\n"
        "    print(file.stat().st_size, flush=True)\n"
        "    sys.stdin.read()"
    )
    arguments = [str(tmp_path), str(own), found.path.decode(), "a.zip", "film.mp4"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == len(FILM)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert os.listdir(own) == []
