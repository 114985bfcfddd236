"""A file that changes while it is watched, in all the ways in which files are changed."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from producer.catalogue.file.reload import News, Rejected, Reloaded, Reloader, follow, load
from producer.catalogue.file.watch import PATIENCE, FileWatch
from producer.errors import InvalidCameraFile
from tests.helpers.eventually import aeventually

ONE = b"cameras: [{id: a, source: demo:1}]\n"
TWO = b"cameras: [{id: b, source: demo:1}]\n"
BROKEN = b"cameras: [{id: a, source: demo:1, fps: x}, {id: b, source: demo:1}]\n"
assert len(ONE) == len(TWO)


class Clock:
    """Looks at the file at one time after the other, as long as it takes to settle."""

    def __init__(self) -> None:
        self.now = 0.0

    def settle(self, reloader: Reloader) -> list[News]:
        news = []
        for _ in range(4):
            self.now += 1.0
            news.append(reloader.poll(self.now))
        return [each for each in news if each is not None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cameras.yaml"
    path.write_bytes(ONE)
    return path


@pytest.fixture
def clock() -> Clock:
    return Clock()


def replace(path: Path, content: bytes) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


def ids(reloader: Reloader) -> list[str]:
    return list(reloader.current.cameras)


# --- when there is something new ------------------------------------------------------------------------


def test_a_file_that_stays_as_it_is_is_no_news(path: Path, clock: Clock) -> None:
    assert clock.settle(load(path, {})) == []


def test_a_change_is_read_once_it_has_settled(path: Path) -> None:
    watch = FileWatch(path, ONE, largest=1_000)
    assert watch.look(0.0) is None
    path.write_bytes(TWO)
    assert watch.look(1.0) is None
    assert watch.look(1.0 + PATIENCE - 0.01) is None
    path.write_bytes(TWO + b"#")
    assert watch.look(1.0 + PATIENCE) is None, "it changed again meanwhile"
    assert not watch.settled
    assert watch.look(1.0 + 2 * PATIENCE) == TWO + b"#"
    assert watch.settled
    assert watch.look(100.0) is None


def test_a_file_that_is_gone_has_not_settled(path: Path) -> None:
    watch = FileWatch(path, ONE, largest=1_000)
    for now in (0.0, PATIENCE):
        watch.look(now)
    assert watch.settled
    path.unlink()
    assert watch.look(2 * PATIENCE) is None
    assert not watch.settled
    with pytest.raises(FileNotFoundError):
        watch.look(3 * PATIENCE)


def test_without_a_known_content_the_first_one_is_news(path: Path) -> None:
    watch = FileWatch(path, largest=1_000, patience=0.0)
    assert watch.look(0.0) == ONE


def test_no_more_than_one_byte_too_many_is_read(path: Path) -> None:
    assert FileWatch(path, largest=10, patience=0.0).look(0.0) == ONE[:11]


def test_a_change_while_it_is_read_is_not_half_a_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open
    watch = FileWatch(path, largest=1_000, patience=0.0)

    def slowly(self: Path, mode: str) -> object:
        monkeypatch.undo()
        file = opened(self, mode)
        replace(path, TWO)
        return file

    monkeypatch.setattr(Path, "open", slowly)
    assert watch.look(0.0) is None
    assert watch.look(1.0) == TWO


def test_another_file_of_the_same_size_and_time_is_news(path: Path, clock: Clock) -> None:
    reloader = load(path, {})
    clock.settle(reloader)
    status = path.stat()
    new = path.with_suffix(".new")
    new.write_bytes(TWO)
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.replace(path)
    [news] = clock.settle(reloader)
    assert isinstance(news, Reloaded)
    assert ids(reloader) == ["b"]


def test_touching_and_rewriting_the_same_is_no_news(path: Path, clock: Clock) -> None:
    reloader = load(path, {})
    clock.settle(reloader)
    os.utime(path)
    assert clock.settle(reloader) == []
    replace(path, ONE)
    assert clock.settle(reloader) == []


def test_a_swapped_link_as_kubernetes_does_it_is_news(tmp_path: Path, clock: Clock) -> None:
    """cameras.yaml -> ..data/cameras.yaml, ..data -> ..1/, and the last one is renamed over."""
    for name, content in (("..1", ONE), ("..2", TWO)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cameras.yaml").write_bytes(content)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "cameras.yaml").symlink_to("..data/cameras.yaml")
    reloader = load(tmp_path / "cameras.yaml", {})
    assert clock.settle(reloader) == []
    (tmp_path / "..tmp").symlink_to("..2")
    (tmp_path / "..tmp").replace(tmp_path / "..data")
    [news] = clock.settle(reloader)
    assert isinstance(news, Reloaded)
    assert ids(reloader) == ["b"]


# --- what is made of it ---------------------------------------------------------------------------------


def test_a_reload_says_what_changed(path: Path, clock: Clock) -> None:
    reloader = load(path, {})
    replace(path, TWO)
    [news] = clock.settle(reloader)
    assert isinstance(news, Reloaded)
    assert news.changes.added == ("b",)
    assert news.changes.removed == ("a",)
    assert news.file is reloader.current


def test_a_camera_that_breaks_goes_on_and_is_told(path: Path, clock: Clock) -> None:
    reloader = load(path, {})
    replace(path, BROKEN)
    [news] = clock.settle(reloader)
    assert isinstance(news, Reloaded)
    assert [str(problem) for problem in news.file.problems] == ["line 1: camera a: fps: 'x' is not a number"]
    assert ids(reloader) == ["b", "a"]
    replace(path, BROKEN + b"# still\n")
    clock.settle(reloader)
    assert ids(reloader) == ["b", "a"], "from reload to reload"


@pytest.mark.parametrize("content", [b"", b"cameras:\n", b"cameras: [", b"\xff", ONE[:12], b"defaults: {}"])
def test_what_is_no_camera_file_changes_nothing_and_is_told_once(
    path: Path, clock: Clock, content: bytes
) -> None:
    reloader = load(path, {})
    path.write_bytes(content)
    [news] = clock.settle(reloader)
    assert isinstance(news, Rejected)
    assert news.problems
    assert ids(reloader) == ["a"]
    assert clock.settle(reloader) == []
    path.write_bytes(content + b"  ")
    again = clock.settle(reloader)
    assert all(isinstance(each, Rejected) for each in again)
    path.write_bytes(ONE)
    [news] = clock.settle(reloader)
    assert isinstance(news, Reloaded), "that it is good again is told"
    assert not news.changes


CAMERAS_ONLY = b"""cameras:
  - id: a
    source: http://10.0.0.7/one.jpg
    masks:
      - [[0, 0], [0.4, 0], [0.4, 0.25]]
      - [[0.8, 1], [1, 1], [1, 0.6]]
  - id: b
    source: http://10.0.0.7/two.jpg
    fps: 5

  # the third
  - id: c
    source: http://10.0.0.7/three.jpg
    district: Harbour
"""
FULL = CAMERAS_ONLY.replace(b"district: Harbour", b"group: yard") + b"groups:\n  yard:\n    fps: 5\n"
BETWEEN_CAMERAS = {
    CAMERAS_ONLY.index(text) for text in (b"  - id: b", b"\n  # the third", b"  # the", b"  - id: c")
}
"""There a file that is cut off is one from which the last cameras were taken out."""


@pytest.mark.parametrize(("full", "whole_at"), [(FULL, set()), (CAMERAS_ONLY, BETWEEN_CAMERAS)])
@pytest.mark.parametrize("put", [Path.write_bytes, replace])
def test_a_file_cut_off_anywhere_removes_and_changes_no_camera(
    path: Path, clock: Clock, put: Callable[[Path, bytes], object], full: bytes, whole_at: set[int]
) -> None:
    path.write_bytes(full)
    reloader = load(path, {})
    whole = dict(reloader.current.cameras)
    for length in set(range(len(full))) - whole_at:
        put(path, full[:length])
        clock.settle(reloader)
        assert dict(reloader.current.cameras) == whole, full[:length]
    path.write_bytes(full)
    [news] = clock.settle(reloader)
    assert isinstance(news, Reloaded), "it is whole again"
    assert not news.changes


def test_a_file_that_is_cut_off_is_told_with_what_to_do(path: Path, clock: Clock) -> None:
    path.write_bytes(FULL)
    reloader = load(path, {})
    path.write_bytes(FULL[: FULL.index(b"three.jpg")])
    [news] = clock.settle(reloader)
    assert isinstance(news, Rejected)
    assert "line 13: its last line has no end" in str(news.problems[0])
    path.write_bytes(FULL[: FULL.index(b"    masks")])
    [news] = clock.settle(reloader)
    assert isinstance(news, Rejected)
    assert "it ends within what it said before" in str(news.problems[0])
    path.write_bytes(FULL[: FULL.index(b"    masks")] + b"# all\n")
    [news] = clock.settle(reloader)
    assert isinstance(news, Reloaded)
    assert ids(reloader) == ["a"]


def test_the_last_cameras_can_be_taken_out(path: Path, clock: Clock) -> None:
    lines = [b"cameras:", *(b"  - {id: %s, source: demo:1}" % name for name in (b"a", b"b", b"c"))]
    for ending in (b"\n", b""):
        path.write_bytes(b"\n".join(lines) + ending)
        reloader = load(path, {})
        for count in (2, 1):
            path.write_bytes(b"\n".join(lines[: count + 1]) + ending)
            [news] = clock.settle(reloader)
            assert isinstance(news, Reloaded)
            assert ids(reloader) == ["a", "b", "c"][:count]


def test_a_file_that_is_gone_changes_nothing_is_told_once_and_is_taken_on_again(
    path: Path, clock: Clock
) -> None:
    reloader = load(path, {})
    clock.settle(reloader)
    path.unlink()
    [news] = clock.settle(reloader)
    assert isinstance(news, Rejected)
    assert str(news.problems[0]) == "the file cannot be read: No such file or directory"
    assert clock.settle(reloader) == []
    assert ids(reloader) == ["a"]
    path.write_bytes(TWO)
    [news] = clock.settle(reloader)
    assert isinstance(news, Reloaded)
    assert ids(reloader) == ["b"]


def test_a_file_that_comes_back_as_it_was_is_told(path: Path, clock: Clock) -> None:
    reloader = load(path, {})
    path.unlink()
    clock.settle(reloader)
    path.write_bytes(ONE)
    [news] = clock.settle(reloader)
    assert isinstance(news, Reloaded)
    assert not news.changes


def test_a_moment_without_the_file_is_no_news(path: Path, clock: Clock) -> None:
    reloader = load(path, {})
    clock.settle(reloader)
    path.unlink()
    assert reloader.poll(clock.now + 0.5) is None
    path.write_bytes(ONE)
    path.unlink()
    assert reloader.poll(clock.now + 0.6) is None
    path.write_bytes(ONE)
    assert clock.settle(reloader) == []


def test_a_bad_file_that_is_then_gone_is_told_both_times(path: Path, clock: Clock) -> None:
    reloader = load(path, {})
    path.write_bytes(b"[")
    [bad] = clock.settle(reloader)
    path.unlink()
    [gone] = clock.settle(reloader)
    path.write_bytes(b"[")
    [back] = clock.settle(reloader)
    assert bad == back != gone


def test_the_first_time_a_file_must_be_usable(tmp_path: Path) -> None:
    with pytest.raises(InvalidCameraFile, match=r"^the file cannot be read: No such file or directory$"):
        load(tmp_path / "gone.yaml", {})
    with pytest.raises(InvalidCameraFile, match=r"^the file cannot be read: Is a directory$"):
        load(tmp_path, {})


async def test_following_tells_the_event_loop(path: Path) -> None:
    told: list[News] = []
    task = asyncio.create_task(follow(load(path, {}, patience=0.0), told.append, interval=0.01))
    replace(path, TWO)
    try:
        await aeventually("the new cameras are told", lambda: told)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    [news] = told
    assert isinstance(news, Reloaded)
    assert list(news.file.cameras) == ["b"]
