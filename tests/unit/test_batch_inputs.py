"""What a job is made of: folders in circles, odd names, damaged archives and bombs. Nothing ends the listing."""

import bz2
import gzip
import io
import os
import tarfile
import tracemalloc
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from batch import names
from batch.errors import Misuse, Unreadable
from batch.inputs import archives
from batch.inputs.found import Found
from batch.inputs.listed import read_list, spool
from batch.inputs.loading import Loader
from batch.inputs.walk import Finder
from batch.job import open_job
from batch.store import Item
from contract.task import MAX_BODY_BYTES
from tests.helpers.tars import passes, tar_of

DATA = b"\xff\xd8\xff a picture"


def find(base: Path, *inputs: str | bytes) -> list[Found]:
    return list(Finder(os.fsencode(base)).find(os.fsencode(each) for each in inputs))


def good(found: Iterable[Found]) -> list[bytes]:
    return [each.path for each in found if each.reason is None]


def reasons(found: Iterable[Found]) -> dict[bytes, str]:
    return {each.path: each.reason for each in found if each.reason is not None}


def item(found: Found) -> Item:
    return Item(1, found.path, found.archive, found.member, None, 0)


def test_a_folder_is_gone_through_once_and_what_is_no_picture_is_counted(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.PNG", "notes.txt", "deep/er/c.jpeg", "clip.mp4", "program.ts"):
        file = tmp_path / "pictures" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(DATA)
    (tmp_path / "pictures/deep/back").symlink_to(tmp_path / "pictures")
    (tmp_path / "pictures/round").symlink_to("round")
    finder = Finder(os.fsencode(tmp_path))
    found = list(finder.find([b"pictures"]))
    assert good(found) == [
        b"pictures/a.PNG",
        b"pictures/b.jpg",
        b"pictures/clip.mp4",
        b"pictures/deep/er/c.jpeg",
    ]
    assert [each.path for each in found if each.kind == "video"] == [b"pictures/clip.mp4"]
    assert reasons(found) == {}
    assert finder.left_out == {".txt": 1, ".ts": 1, "round": 1}


def test_what_is_named_is_an_item_whatever_it_is(tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(DATA)
    (tmp_path / "film.mkv").write_bytes(DATA)
    os.mkfifo(tmp_path / "pipe.jpg")
    found = find(tmp_path, "picture", "film.mkv", "pipe.jpg", "absent.jpg", "no/*.such")
    assert good(found) == [b"picture", b"film.mkv"]
    assert [each.kind for each in found[:2]] == ["picture", "video"]
    assert reasons(found) == {
        b"pipe.jpg": "not_a_file",
        b"absent.jpg": "missing",
        b"no/*.such": "missing",
    }


def test_a_pipe_that_took_a_picture_s_place_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(Unreadable) as refused:
        Loader(os.fsencode(tmp_path)).load(Item(1, b"pipe.jpg", None, None, None, 0))
    assert refused.value.reason == "not_a_file"


def test_patterns(tmp_path: Path) -> None:
    for name in ("x/1.jpg", "x/y/2.jpg", "x/y/3.txt", "[4].jpg"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(DATA)
    assert sorted(good(find(tmp_path, "x/**/*"))) == [b"x/1.jpg", b"x/y/2.jpg"]
    assert good(find(tmp_path, "[4].jpg")) == [b"[4].jpg"]  # a file that is called so


def test_a_pattern_takes_what_links_lead_to_twice_once(tmp_path: Path) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "1.jpg").write_bytes(DATA)
    (tmp_path / "x" / "y" / "up").symlink_to("..")  # round in a circle
    (tmp_path / "again").symlink_to("x")
    (tmp_path / "x" / "y" / "link.jpg").symlink_to("1.jpg")  # a file by another name, as in a folder
    found = good(find(tmp_path, "**/*.jpg"))
    assert sorted(name.rpartition(b"/")[2] for name in found) == [b"1.jpg", b"link.jpg"]


def test_names_that_are_no_text(tmp_path: Path) -> None:
    odd = b"in\xffvalid\nname.jpg"
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + odd))).write_bytes(DATA)
    (found,) = find(tmp_path, b".")
    assert found.path == b"./" + odd
    assert Loader(os.fsencode(tmp_path)).load(item(found)) == DATA
    assert names.fields(found.path)["path"] == "./in\ufffdvalid\nname.jpg"
    assert names.fields(found.path)["path_base64"] == "Li9pbv92YWxpZApuYW1lLmpwZw=="
    assert names.fields("ü\n".encode()) == {"path": "ü\n"}
    assert "\n" not in names.shown(found.path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_rights_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "z.jpg").write_bytes(DATA)
    found = find(tmp_path, ".")
    assert reasons(found) == {b"./closed": "unreadable"}
    assert good(found) == [b"./z.jpg"]


def test_empty_large_and_vanished_files(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    with (tmp_path / "large.jpg").open("wb") as file:
        file.truncate(MAX_BODY_BYTES + 1)
    loader = Loader(os.fsencode(tmp_path))
    for name, reason in ((b"empty.jpg", "empty"), (b"large.jpg", "too_large"), (b"gone.jpg", "missing")):
        with pytest.raises(Unreadable) as refused:
            loader.load(Item(1, name, None, None, None, 0))
        assert refused.value.reason == reason


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_archives(tmp_path: Path, kind: str) -> None:
    members = {f"sub/{n}.jpg": DATA + bytes([n]) * (n * 1000) for n in range(20)} | {
        "../../up.jpg": DATA,
        "notes.txt": b"x",
    }
    file = tmp_path / f"some.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
    else:
        tar_of(file, members, f"w:{kind[4:]}")
    found = find(tmp_path, file.name)
    assert len(found) == 21
    loader = Loader(os.fsencode(tmp_path))
    read = {each.member: loader.load(item(each)) for each in found}
    assert read == {name: data for name, data in members.items() if name != "notes.txt"}
    backwards = {each.member: loader.load(item(each)) for each in reversed(found[:3])}
    assert backwards == {each.member: members[str(each.member)] for each in found[:3]}


def test_a_tar_is_read_in_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tar_of(tmp_path / "a.tar.gz", {f"{n}.jpg": DATA * 50 for n in range(300)}, "w:gz")
    opened = passes(monkeypatch)
    found = find(tmp_path, "a.tar.gz")
    loader = Loader(os.fsencode(tmp_path))
    assert all(loader.load(item(each)) == DATA * 50 for each in found)
    assert len(opened) == 2  # to list, and to read


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar"])
def test_damaged_archives_are_one_failed_item(tmp_path: Path, kind: str) -> None:
    (tmp_path / f"a.{kind}").write_bytes(b"no archive at all, of no kind" * 50)
    assert reasons(find(tmp_path, f"a.{kind}")) == {f"a.{kind}".encode(): "corrupt_archive"}


def test_of_a_truncated_archive_what_is_there_is_done(tmp_path: Path) -> None:
    tar_of(tmp_path / "whole.tar.gz", {f"{n}.jpg": os.urandom(5000) for n in range(20)}, "w:gz")
    whole = (tmp_path / "whole.tar.gz").read_bytes()
    (tmp_path / "half.tar.gz").write_bytes(whole[: len(whole) // 2])
    found = find(tmp_path, "half.tar.gz")
    assert 5 < len(good(found)) < 15
    assert reasons(found) == {b"half.tar.gz": "corrupt_archive"}


def test_an_encrypted_member_says_so(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.jpg", DATA)
    data = bytearray(file.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    file.write_bytes(data)
    (found,) = find(tmp_path, "a.zip")
    with pytest.raises(Unreadable) as refused:
        Loader(os.fsencode(tmp_path)).load(item(found))
    assert refused.value.reason == "encrypted"


def test_bombs_cost_neither_memory_nor_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "one.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", DATA)
        with archive.open("b.jpg", "w") as member:
            for _ in range(14):
                member.write(bytes(1 << 20))
    monkeypatch.setattr(archives, "UNSUSPICIOUS", 16 << 20)
    with tarfile.open(tmp_path / "header.tar", "w", format=tarfile.GNU_FORMAT) as tar:
        about = tarfile.TarInfo("x")
        about.type, about.size = tarfile.XHDTYPE, 1 << 40  # a header that asks for a terabyte
        tar.addfile(about)
    with bz2.open(tmp_path / "zeros.tar.bz2", "wb") as zeros:
        about = tarfile.TarInfo("large.jpg")
        about.size = 1 << 33
        zeros.write(about.tobuf())
        for _ in range(20):
            zeros.write(bytes(1 << 20))
    tracemalloc.start()
    found = find(tmp_path, "one.zip", "header.tar", "zeros.tar.bz2")
    loader = Loader(os.fsencode(tmp_path))
    small, large = (each for each in found if each.archive == b"one.zip")
    assert loader.load(item(small)) == DATA
    with pytest.raises(Unreadable) as refused:
        loader.load(item(large))
    assert refused.value.reason == "too_large"
    assert reasons(found) == {b"header.tar": "archive_bomb", b"zeros.tar.bz2": "archive_bomb"}
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


def test_a_zip_whose_directory_is_said_to_be_huge(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jpg", DATA)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    at = data.rindex(b"PK\x05\x06")
    data[at + 12 : at + 16] = (1 << 30).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(data)
    assert reasons(find(tmp_path, "a.zip")) == {b"a.zip": "archive_bomb"}


def test_gzip_of_something_else_is_no_tar(tmp_path: Path) -> None:
    (tmp_path / "a.tgz").write_bytes(gzip.compress(b"text" * 1000))
    assert reasons(find(tmp_path, "a.tgz")) == {b"a.tgz": "corrupt_archive"}


def test_lists(tmp_path: Path) -> None:
    first = spool(io.BytesIO(b"a b.jpg\r\n\nc\xff.jpg\nlast.jpg"), tmp_path / "list", null=False)
    assert list(read_list(tmp_path / "list")) == [b"a b.jpg", b"c\xff.jpg", b"last.jpg"]
    second = spool(io.BytesIO(b"a b.jpg\0c\xff.jpg\0last.jpg\0"), tmp_path / "list", null=True)
    assert first == second
    spool(io.BytesIO(b"new\nline.jpg\0"), tmp_path / "list", null=True)
    assert list(read_list(tmp_path / "list")) == [b"new\nline.jpg"]


def test_a_path_that_is_not_there_makes_no_job_and_says_what_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    jobs = tmp_path / "jobs"
    for given, said in (
        ([b"fotos"], r"^fotos: there is no such file or folder. Did you mean photos\?"),
        ([b"nothing/like/it"], "no such file or folder in"),
        ([b"photos/*.jpgg", b"phtos"], "phtos: .* Did you mean photos"),
        ([b"photos/**/*.jpgg"], "no file is called like that"),
    ):
        with pytest.raises(Misuse, match=said), open_job(jobs, given, sought=True):
            pass
    assert list(jobs.iterdir()) == []
    # One of them is there, or the job is: what is missing costs itself.
    with open_job(jobs, [b"photos", b"fotos"], sought=True) as job:
        assert job.job_id
    (tmp_path / "photos").rmdir()
    with open_job(jobs, [b"photos", b"fotos"], sought=True) as again:
        assert again.job_id == job.job_id
