"""Results that were computed before: keys, bounds, levels, and what damage and failures cost."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from batch.cache.disk import DiskLevel
from batch.cache.key import agreed_recipe, content_digest, key
from batch.cache.levels import CacheLevels
from batch.cache.memory import MemoryLevel
from batch.cache.results import PictureFinding, levels, picture_findings
from contract.result import DetectedObject
from runtime.redis_level import LEFT_ALONE, MOST_BYTES, RemoteLevel
from tests.helpers.media import jpeg

DAY = 86_400.0
FACE = DetectedObject(x=1, y=2, w=10, h=12, confidence=0.9, label="face", landmarks=[(3, 4)])
FINDING = PictureFinding(detections=[FACE], width=64, height=48, model="yunet@ebafce4e")


@dataclass
class Heartbeat:
    recipe: str
    lane: str = "batch"
    state: str = "running"
    detector: str = "yunet"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_key_differs_with_all_that_changes_the_answer() -> None:
    one, other = content_digest(jpeg(1)), content_digest(jpeg(2))
    keys = [
        key(one, "a"),
        key(other, "a"),
        key(one, "b"),
        key(one, "a", kind="video"),
        key(one, "a", parameters="fps"),
        key(one, "af", parameters="ps"),
    ]
    assert len(set(keys)) == len(keys)
    assert key(one, "a") == keys[0]
    with pytest.raises(ValueError, match="no recipe"):
        key(one, "")


def test_nothing_is_looked_up_unless_all_workers_would_answer_alike() -> None:
    assert agreed_recipe([Heartbeat("a"), Heartbeat("a")], "batch") == "a"
    assert agreed_recipe([Heartbeat("a"), Heartbeat("b")], "batch") is None
    assert agreed_recipe([Heartbeat("a"), Heartbeat("")], "batch") is None  # an older worker
    assert agreed_recipe([Heartbeat("")], "batch") is None
    assert agreed_recipe([], "batch") is None
    elsewhere = [Heartbeat("a"), Heartbeat("b", lane="live"), Heartbeat("c", state="stopped")]
    assert agreed_recipe(elsewhere, "batch") == "a"
    assert agreed_recipe([Heartbeat("a")], "batch", "yunet") == "a"
    assert agreed_recipe([Heartbeat("a")], "batch", "haar") is None


def test_a_finding_comes_back_as_it_was_and_for_its_recipe_only(tmp_path: Path) -> None:
    kept = picture_findings(levels(tmp_path))
    content = content_digest(jpeg())
    assert kept.lookup(content, "a") is None
    kept.store(content, "a", FINDING)
    assert kept.lookup(content, "a") == FINDING
    assert kept.lookup(content, "b") is None
    assert kept.lookup(content_digest(jpeg(1)), "a") is None


def test_the_next_run_finds_it_on_disk_and_then_in_memory(tmp_path: Path) -> None:
    content, first = content_digest(jpeg()), levels(tmp_path)
    picture_findings(first).store(content, "a", FINDING)
    first.close()
    second = levels(tmp_path)
    kept = picture_findings(second)
    assert [kept.lookup(content, "a") for _ in range(3)] == [FINDING] * 3
    assert second.counts.known == {"disk": 1, "memory": 2}
    assert (second.counts.asked, second.counts.hit_share) == (3, 1.0)
    second.close()


def test_what_no_worker_can_have_found_is_a_miss_and_counted(tmp_path: Path) -> None:
    whole = json.loads(b'{"detections":[],"width":64,"height":48,"model":"m"}')
    box = {"x": 1, "y": 2, "w": 10, "h": 12, "confidence": 0.9, "label": "face"}
    for value in (
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        json.dumps({**whole, "width": -1}).encode(),
        json.dumps({**whole, "detections": [{**box, "x": 60}]}).encode(),
        json.dumps({**whole, "detections": [{**box, "confidence": 7}]}).encode(),
        json.dumps({**whole, "detections": [{**box, "w": -5}]}).encode(),
        json.dumps({**whole, "detections": [box] * 20_000}).encode(),
    ):
        disk = DiskLevel(tmp_path, 1 << 30, DAY)
        all_levels = CacheLevels([disk])
        content = content_digest(jpeg())
        disk.put(key(content, "a"), value)
        assert picture_findings(all_levels).lookup(content, "a") is None
        assert all_levels.counts.damaged == {"disk": 1}
        assert all_levels.counts.hit_share == 0
        disk.close()


def test_what_a_near_level_has_damaged_a_far_one_may_know(tmp_path: Path) -> None:
    near, far = MemoryLevel(1 << 20, DAY), DiskLevel(tmp_path, 1 << 30, DAY)
    near.put(b"k", b"nonsense")
    far.put(b"k", b"17")
    both = CacheLevels([near, far])
    assert both.get(b"k", int) == 17
    assert both.get(b"k", int) == 17
    assert both.counts.known == {"disk": 1, "memory": 1}
    far.close()


def test_memory_is_bounded_in_bytes_and_time() -> None:
    clock = Clock()
    level = MemoryLevel(100_000, 60.0, clock)
    for n in range(1000):
        level.put(b"%d" % n, bytes(700))
    assert sum(level.get(b"%d" % n) is not None for n in range(1000)) == 100
    assert level.get(b"999") == bytes(700)
    level.put(b"large", bytes(50_000))
    assert level.get(b"large") is None  # it would push out half of all others
    clock.now += 61
    assert level.get(b"999") is None


def test_the_disk_is_bounded_and_keeps_what_was_used(tmp_path: Path) -> None:
    clock = Clock()
    level = DiskLevel(tmp_path, 1 << 30, DAY, most_entries=1000, clock=clock)
    for n in range(2500):
        clock.now += 10
        level.put(b"%d" % n, b"value")
        level.get(b"0")  # used at least once an hour
    level.close()
    level = DiskLevel(tmp_path, 1 << 30, DAY, most_entries=1000, clock=clock)
    known = [n for n in range(2500) if level.get(b"%d" % n) is not None]
    assert 800 <= len(known) <= 1000
    assert (known[0], known[-1]) == (0, 2499)
    clock.now += DAY
    assert level.get(b"2499") is None
    clock.now -= 10 * DAY  # a clock that was put back makes nothing eternal
    assert level.get(b"2499") is None
    level.close()


def test_a_damaged_database_is_begun_anew(tmp_path: Path) -> None:
    level = DiskLevel(tmp_path, 1 << 30, DAY)
    level.put(b"k", b"v")
    level.close()
    file = tmp_path / "results.sqlite"
    file.write_bytes(b"nonsense" * 1000)
    level = DiskLevel(tmp_path, 1 << 30, DAY)
    assert level.get(b"k") is None
    level.put(b"k", b"v")
    assert level.get(b"k") == b"v"
    level.close()


def test_damage_while_it_is_open_costs_hits_only(tmp_path: Path) -> None:
    level = DiskLevel(tmp_path, 1 << 30, DAY)
    for n in range(2000):
        level.put(b"%d" % n, bytes(100))
    level.close()
    file = tmp_path / "results.sqlite"
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    file.write_bytes(data)
    level = DiskLevel(tmp_path, 1 << 30, DAY)
    assert [level.get(b"%d" % n) for n in range(50)] == [None] * 50
    level.put(b"k", b"v")
    assert level.get(b"k") == b"v"
    level.close()


def test_another_programs_table_is_no_result(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        database.execute("CREATE TABLE results (key TEXT, value TEXT)")
    database.close()
    level = DiskLevel(tmp_path, 1 << 30, DAY)
    level.put(b"k", b"v")
    assert level.get(b"k") is None
    level.close()


def test_a_folder_that_cannot_be_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    level = DiskLevel(tmp_path / "file" / "folder", 1 << 30, DAY)
    level.put(b"k", b"v")
    assert level.get(b"k") is None
    level.close()


def test_only_its_user_reads_what_was_found(tmp_path: Path) -> None:
    level = DiskLevel(tmp_path / "results", 1 << 30, DAY)
    level.put(b"k", b"v")
    assert (tmp_path / "results").stat().st_mode & 0o077 == 0
    assert (tmp_path / "results" / "results.sqlite").stat().st_mode & 0o077 == 0
    level.close()


class Failing:
    """A Redis that raises what it is given, and counts how often it is asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    def _fail(self, *_given: object, **_named: object) -> Any:
        self.asked += 1
        raise self.error

    getrange = set = _fail

    def close(self) -> None: ...


def test_a_redis_that_failed_is_left_alone_for_a_while() -> None:
    clock, store = Clock(), Failing(OSError("gone"))
    level = RemoteLevel(store, DAY, failures=(OSError,), clock=clock)
    for _ in range(1000):
        assert level.get(b"k") is None
        level.put(b"k", b"v")
    assert (store.asked, level.failed) == (1, 1)
    clock.now += LEFT_ALONE
    level.get(b"k")
    assert store.asked == 2


def test_a_key_of_another_type_is_no_failure_of_the_redis() -> None:
    store = Failing(OSError("WRONGTYPE Operation against a key holding the wrong kind of value"))
    level = RemoteLevel(store, DAY, failures=(OSError,))
    assert [level.get(b"k") for _ in range(3)] == [None] * 3
    assert store.asked == 3


def test_too_large_a_value_is_neither_read_nor_written() -> None:
    class Large:
        def getrange(self, _name: bytes, start: int, end: int) -> bytes:
            return bytes(end - start + 1)

        def set(self, *_given: object, **_named: object) -> None:
            raise AssertionError("written")

        def close(self) -> None: ...

    level = RemoteLevel(Large(), DAY, failures=(OSError,))
    assert level.get(b"k") is None
    level.put(b"k", bytes(MOST_BYTES + 1))
