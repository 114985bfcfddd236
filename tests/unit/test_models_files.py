"""Where a model's file comes from: MODEL_DIR, the image, the cache, a download; and never a wrong one."""

import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.layout import CHECKOUT
from tests.helpers.model_server import ModelServer, model_server
from worker.models import (
    DownloadFailed,
    FileOrigin,
    ModelEntry,
    ModelUnavailable,
    Registry,
    copies,
    digest,
    locate,
    present,
)
from worker.models.download import LEFTOVER_SECONDS, download

CONTENT = bytes(range(256)) * 4096  # a megabyte: several chunks


def entry_of(data: bytes, *urls: str, size: int | None = None) -> ModelEntry:
    return ModelEntry(
        "m",
        "yolo",
        "object",
        filename="m.onnx",
        sha256=hashlib.sha256(data).hexdigest(),
        size=size,
        urls=urls,
    )


def silent(_text: str) -> None:
    """For tests in which nobody listens."""


@pytest.fixture(autouse=True)
def _without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server(CONTENT) as running:
        yield running


def test_a_file_is_taken_from_the_folder_then_the_image_then_the_cache(tmp_path: Path) -> None:
    model_dir, baked, cache = (tmp_path / name for name in ("models", "baked", "cache"))
    entry = entry_of(b"weights")
    assert present(entry, model_dir=model_dir, cache=cache, baked=baked) is None
    for folder, place in (
        (cache, FileOrigin.CACHE),
        (baked, FileOrigin.IMAGE),
        (model_dir, FileOrigin.MODEL_DIR),
    ):
        folder.mkdir()
        (folder / "m.onnx").write_bytes(b"weights")
        found = folder / "m.onnx"
        assert present(entry, model_dir=model_dir, cache=cache, baked=baked) == found
        assert locate(entry, model_dir=model_dir, cache=cache, baked=baked, report=silent) == found
        assert copies(entry, model_dir=model_dir, cache=cache, baked=baked)[0].place is place


def test_a_file_with_another_digest_is_passed_over_and_that_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    cache = tmp_path / "cache"
    cache.mkdir()
    (tmp_path / "m.onnx").write_bytes(b"tampered")
    (cache / "m.onnx").write_bytes(b"weights")
    found = locate(entry_of(b"weights"), model_dir=tmp_path, cache=cache, report=said.append)
    assert found == cache / "m.onnx"
    wrong, right = hashlib.sha256(b"tampered").hexdigest()[:8], hashlib.sha256(b"weights").hexdigest()[:8]
    assert said == [
        f"m: {tmp_path / 'm.onnx'} has another SHA-256 than expected ({wrong}, not {right}) and is not used"
    ]


def test_a_model_that_is_nowhere_says_where_was_looked_and_what_to_do(tmp_path: Path) -> None:
    entry = entry_of(b"weights", (tmp_path / "absent").as_uri())
    with pytest.raises(ModelUnavailable) as missing:
        locate(entry, model_dir=tmp_path, cache=tmp_path / "cache", report=silent)
    text = str(missing.value)
    assert text.startswith("model m: no m.onnx in ")
    assert str(tmp_path / "cache") in text
    assert "absent: No such file or directory" in text
    assert f"Put m.onnx (SHA-256 {entry.sha256}) into a folder and name it in MODEL_DIR" in text


def test_what_no_digest_vouches_for_is_taken_from_the_operators_folder_only(tmp_path: Path) -> None:
    folder, cache = tmp_path / "models", tmp_path / "cache"
    for place in (folder, cache):
        place.mkdir()
    entry = replace(entry_of(b""), sha256=None)
    (cache / "m.onnx").write_bytes(b"from somewhere")
    assert present(entry, model_dir=folder, cache=cache) is None
    with pytest.raises(ModelUnavailable, match=r"no m\.onnx in .*models\. Put m\.onnx into a folder"):
        locate(entry, model_dir=folder, cache=cache, report=silent)
    (folder / "m.onnx").write_bytes(b"anything")
    assert present(entry, model_dir=folder, cache=cache) == folder / "m.onnx"
    assert copies(entry, model_dir=folder, cache=cache)[0].digest == hashlib.sha256(b"anything").hexdigest()


def test_a_model_without_a_file_has_none_to_look_for(tmp_path: Path) -> None:
    haar = Registry.load(None).entry("haar")
    assert present(haar, model_dir=tmp_path, cache=tmp_path) is None
    with pytest.raises(ValueError, match="haar has no file"):
        locate(haar, model_dir=tmp_path, cache=tmp_path, report=silent)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_entered_is_said_to_be_that(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    with pytest.raises(ModelUnavailable, match=r"m\.onnx cannot be read \(Permission denied\)"):
        locate(entry_of(b"weights"), model_dir=closed, cache=tmp_path, report=silent)


def test_a_digest_is_that_of_the_file_as_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    for content in (b"weights", b"changed", b"longer than that"):
        path.write_bytes(content)
        for _ in range(2):
            assert digest(path) == hashlib.sha256(content).hexdigest()
    other = tmp_path / "other"
    other.write_bytes(b"moved in")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)
    assert digest(path) == hashlib.sha256(b"moved in").hexdigest()


def test_a_download_says_what_it_does_and_how_far_it_is(tmp_path: Path, server: ModelServer) -> None:
    seen: list[tuple[int, int | None]] = []
    said: list[str] = []
    path = locate(
        entry_of(CONTENT, server.url("right")),
        model_dir=None,
        cache=tmp_path / "cache",
        report=said.append,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert path == tmp_path / "cache" / "m.onnx"
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o644
    assert said == ["downloading m from 127.0.0.1"]
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert len(seen) > 3
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_addresses_are_tried_in_turn(tmp_path: Path, server: ModelServer) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    said: list[str] = []
    entry = entry_of(
        CONTENT, "http://127.0.0.1:1/m", server.url("absent"), source.as_uri(), size=len(CONTENT)
    )
    assert download(entry, tmp_path / "cache", said.append).read_bytes() == CONTENT
    assert len(said) == 3
    assert said[0] == "downloading m (1,049 kB) from 127.0.0.1"


@pytest.mark.parametrize(
    ("behaviour", "size", "says"),
    [
        ("absent", None, "404 Not Found"),
        ("short", None, r"ended after 524,288 of 1,048,576 bytes"),
        ("short", 524_288, r"1,048,576 bytes, more than the 524,288 expected"),
        ("endless", 1_500_000, r"more than the 1,500,000 bytes expected"),
        ("right", 1000, r"1,048,576 bytes, more than the 1,000 expected"),
        ("right", 2_000_000, r"ended after 1,048,576 of 2,000,000 bytes"),
        ("dripping", None, r"too slow: [\d,]+ bytes in 0 s"),
        ("silent", None, "no answer in time"),
    ],
)
def test_a_server_that_misbehaves_leaves_nothing_behind(
    tmp_path: Path, server: ModelServer, behaviour: str, size: int | None, says: str
) -> None:
    entry = entry_of(CONTENT, server.url(behaviour), size=size)
    begun = time.monotonic()
    with pytest.raises(DownloadFailed, match=r"^127\.0\.0\.1: " + says):
        download(entry, tmp_path, silent, silence=0.3, least_rate=10_000_000)
    assert time.monotonic() - begun < 20
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_is_refused_with_every_addresss_reason(tmp_path: Path, server: ModelServer) -> None:
    entry = entry_of(b"others", server.url("right"), (tmp_path / "absent").as_uri())
    got = hashlib.sha256(CONTENT).hexdigest()[:8]
    with pytest.raises(
        DownloadFailed, match=rf"1,048,576 bytes with another SHA-256 than expected \({got}\); file:.*No such"
    ):
        download(entry, tmp_path / "cache", silent)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_server_that_is_no_web_server_is_a_reason_like_any_other(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        entry = entry_of(CONTENT, f"http://127.0.0.1:{listening.getsockname()[1]}/m")
        with pytest.raises(DownloadFailed, match="SSH"):
            download(entry, tmp_path, silent)
        thread.join()


def test_a_cache_that_cannot_be_written_is_the_reason_and_no_server_is_blamed(
    tmp_path: Path, server: ModelServer
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    asked = len(server.asked)
    with pytest.raises(DownloadFailed, match=r"cache cannot be written: (Not a directory|File exists)"):
        download(entry_of(CONTENT, server.url("right")), tmp_path / "cache", silent)
    assert len(server.asked) == asked


def test_what_a_killed_process_left_is_swept_and_what_another_writes_is_not(
    tmp_path: Path, server: ModelServer
) -> None:
    old, young = tmp_path / ".m.onnx.old.part", tmp_path / ".m.onnx.young.part"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - LEFTOVER_SECONDS - 60,) * 2)
    download(entry_of(CONTENT, server.url("right")), tmp_path, silent)
    assert {path.name for path in tmp_path.iterdir()} == {young.name, "m.onnx"}


def test_a_wrong_file_in_the_cache_is_fetched_over(tmp_path: Path, server: ModelServer) -> None:
    (tmp_path / "m.onnx").write_bytes(b"tampered")
    entry = entry_of(CONTENT, server.url("right"))
    assert locate(entry, model_dir=None, cache=tmp_path, report=silent).read_bytes() == CONTENT


def test_processes_that_fetch_at_once_all_have_the_whole_file(tmp_path: Path, server: ModelServer) -> None:
    entry = entry_of(CONTENT, server.url("right"))
    program = (
        "import hashlib, pathlib, sys\n"
        "from worker.models import ModelEntry\n"
        "from worker.models.download import download\n"
        f"entry = ModelEntry('m', 'yolo', 'object', filename='m.onnx', sha256={entry.sha256!r}, "
        f"urls=({entry.urls[0]!r},))\n"
        "for _ in range(20):\n"
        "    path = download(entry, pathlib.Path(sys.argv[1]), lambda what: None)\n"
        "    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "cache")], cwd=CHECKOUT)
        for _ in range(3)
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["m.onnx"]
