"""Objects of jobs, in a folder and at a real server that speaks S3."""

import errno
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from batch.objects.places import object_store
from batch.objects.shelves import COLD, HOT, ShelvedObjects
from batch.objects.store import NoSuchObject, ObjectsUnavailable, of_job
from cli.ports import free_port
from tests.helpers.s3 import BUCKET, s3_server

pytestmark = pytest.mark.integration

JOB = of_job("9c1d22f0a7b3")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server(tmp_path_factory.mktemp("s3") / "moto.log") as address:
        yield address


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text("access:secret\n")
    return file


@pytest.fixture(params=["folder", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path, server: str, key: Path) -> ShelvedObjects:
    if request.param == "folder":
        return object_store(str(tmp_path / "objects"))
    return object_store(f"s3://{BUCKET}/{tmp_path.name}?endpoint={server}", key)


def file(tmp_path: Path, data: bytes) -> Path:
    made = tmp_path / "file"
    made.write_bytes(data)
    return made


def test_what_is_put_is_there_until_it_is_deleted(objects: ShelvedObjects, tmp_path: Path) -> None:
    large = bytes(range(256)) * 50_000  # more than S3 takes in one part
    for name, data in (("originals/1", b"one"), ("originals/2", large), ("frames/3/000.jpg", b"three")):
        objects.put(JOB + name, file(tmp_path, data))
        assert not (tmp_path / "file").exists()
    objects.put(of_job("9c000000a7b3") + "originals/1", file(tmp_path, b"another job's"))
    objects.put(JOB + "originals/1", file(tmp_path, b"anew"))
    assert objects.get(JOB + "originals/1") == b"anew"
    assert objects.get(JOB + "originals/2") == large
    assert objects.names(JOB + "originals/") == [JOB + "originals/1", JOB + "originals/2"]
    assert objects.names(JOB + "nothing/") == []
    with pytest.raises(NoSuchObject):
        objects.get(JOB + "originals/3")
    objects.delete(JOB)
    objects.delete(JOB)
    assert objects.names(JOB) == []
    assert objects.get(of_job("9c000000a7b3") + "originals/1") == b"another job's"


def raw(objects: ShelvedObjects) -> Any:
    return objects._store


def test_what_moves_to_the_cold_shelf_is_found_as_before(objects: ShelvedObjects, tmp_path: Path) -> None:
    other = of_job("9c000000a7b3") + "originals/1"
    written = {JOB + name: name.encode() for name in ("originals/1", "frames/3/0.jpg", "results.ndjson")}
    for name, data in (written | {other: b"another job's"}).items():
        objects.put(name, file(tmp_path, data))
    assert raw(objects).names(HOT) == sorted(HOT + name for name in (*written, other))
    assert objects.cool(JOB)
    assert raw(objects).names(HOT) == [HOT + other]
    assert raw(objects).names(COLD) == sorted(COLD + name for name in written)
    assert {name: objects.get(name) for name in objects.names(JOB)} == written
    assert objects.cool(JOB)  # again: there is nothing to do
    with pytest.raises(NoSuchObject):
        objects.get(JOB + "originals/7")
    with pytest.raises(NoSuchObject):
        raw(objects).move(HOT + JOB + "originals/7", COLD + JOB + "originals/7")
    objects.delete(JOB)
    assert (objects.names(JOB), objects.names(other[: len(JOB)])) == ([], [other])


class _Dies(Exception):
    """In place of a kill -9."""


def test_a_move_that_is_killed_loses_nothing_and_is_gone_on_with(
    objects: ShelvedObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        objects.put(f"{JOB}originals/{number}", file(tmp_path, bytes([number])))
    asked = iter([False, False, True])
    assert not objects.cool(JOB, lambda: next(asked))
    assert (len(raw(objects).names(HOT)), len(raw(objects).names(COLD))) == (4, 2)

    really = Path.replace, Path.unlink

    def replaced(self: Path, target: Path) -> Path:
        if "/hot/" in str(self):  # the cold shelf lies on another disk
            raise OSError(errno.EXDEV, "")
        return really[0](self, target)

    def unlinked(self: Path, **named: bool) -> None:
        if "/hot/" in str(self):
            raise _Dies
        really[1](self, **named)

    def deleted(*_: object) -> None:
        raise _Dies

    with monkeypatch.context() as patched:  # when it is copied, before it is deleted
        patched.setattr("obstore.delete", deleted)
        patched.setattr(Path, "replace", replaced)
        patched.setattr(Path, "unlink", unlinked)
        with pytest.raises(_Dies):
            objects.cool(JOB)
    assert len(raw(objects).names(HOT)) == 4
    names = [f"{JOB}originals/{number}" for number in range(6)]
    assert objects.names(JOB) == names
    assert [objects.get(name) for name in names] == [bytes([number]) for number in range(6)]
    assert objects.cool(JOB)
    assert raw(objects).names(HOT) == []
    assert [objects.get(name) for name in names] == [bytes([number]) for number in range(6)]
    objects.delete(JOB)
    assert objects.names(JOB) == []


def test_whoever_reads_meanwhile_finds_everything(objects: ShelvedObjects, tmp_path: Path) -> None:
    names = [f"{JOB}originals/{number:02}" for number in range(40)]
    for name in names:
        objects.put(name, file(tmp_path, name.encode()))
    with ThreadPoolExecutor(1) as threads:
        cooling = threads.submit(objects.cool, JOB)
        rounds = 0
        while not cooling.done() or not rounds:
            rounds += 1
            assert objects.names(JOB) == names
            assert [objects.get(name) for name in names[::7]] == [name.encode() for name in names[::7]]
        assert cooling.result()


def test_a_bucket_that_is_not_there_is_told_in_a_sentence(server: str, key: Path, tmp_path: Path) -> None:
    objects = object_store(f"s3://nowhere?endpoint={server}", key)
    with pytest.raises(ObjectsUnavailable, match="s3://nowhere does not do it"):
        objects.put("a", file(tmp_path, b"x"))
    assert (tmp_path / "file").exists()  # it is offered again


def test_a_server_that_is_not_there_is_told_within_a_minute(key: Path) -> None:
    objects = object_store(f"s3://{BUCKET}?endpoint=http://127.0.0.1:{free_port()}", key)
    with pytest.raises(ObjectsUnavailable):
        objects.get("a")


@pytest.mark.parametrize(
    "url",
    ["s3://", "s3://key:secret@bucket", "s3://bucket?server=http://x", "s3://bucket?endpoint=ftp://x"],
)
def test_an_address_that_makes_no_sense_says_how_one_looks(url: str, key: Path) -> None:
    with pytest.raises(ObjectsUnavailable, match="STORAGE_URL looks like"):
        object_store(url, key)


@pytest.mark.parametrize("text", ["", "access", ":secret", "access:"])
def test_a_key_that_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(ObjectsUnavailable, match="access key:secret key"):
        object_store("s3://bucket", tmp_path / "key")
