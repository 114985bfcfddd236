"""Objects of jobs, in a folder and at a real server that speaks S3."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.objects.places import object_store
from batch.objects.store import NoSuchObject, ObjectStore, ObjectsUnavailable, of_job
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
def objects(request: pytest.FixtureRequest, tmp_path: Path, server: str, key: Path) -> ObjectStore:
    if request.param == "folder":
        return object_store(str(tmp_path / "objects"))
    return object_store(f"s3://{BUCKET}/{tmp_path.name}?endpoint={server}", key)


def file(tmp_path: Path, data: bytes) -> Path:
    made = tmp_path / "file"
    made.write_bytes(data)
    return made


def test_what_is_put_is_there_until_it_is_deleted(objects: ObjectStore, tmp_path: Path) -> None:
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
