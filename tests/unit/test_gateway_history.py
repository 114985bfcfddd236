"""The history file: every frame once, bounded by age and rows."""

import sqlite3
from pathlib import Path

import msgspec
import pytest

from contract.result import DetectedObject, Result
from gateway import history as history_module
from gateway.history import History


def result(number: int) -> Result:
    return Result(
        timestamp=2.0,
        original_timestamp=1.0,
        node_id="n",
        detections=[DetectedObject(x=1, y=2, w=3, h=4, confidence=0.5, label="face")],
        camera_id="a",
        frame_id=f"a:{number}",
        width=640,
        height=480,
        model="m",
        status="ok",
        processing_seconds=0.1,
        queue_seconds=0.2,
    )


def test_every_frame_once(tmp_path: Path) -> None:
    history = History(tmp_path / "new" / "h.sqlite3")
    assert history.store([result(1), result(2), result(1)], 5.0) == 2
    assert history.store([result(2), result(3)], 6.0) == 1
    assert history.count() == 3
    history.close()
    again = History(tmp_path / "new" / "h.sqlite3")
    assert again.store([result(3)], 7.0) == 0
    assert again.count() == 3
    again.close()


def test_a_batch_is_all_or_nothing(tmp_path: Path) -> None:
    history = History(tmp_path / "h.sqlite3")
    with pytest.raises((ValueError, OverflowError)):
        history.store([result(1), msgspec.structs.replace(result(2), width=1 << 70)], 5.0)
    assert history.count() == 0
    assert history.store([result(1)], 5.0) == 1
    history.close()


def test_bounded_by_age_and_by_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "DELETE_AT_ONCE", 10)
    history = History(tmp_path / "h.sqlite3")
    history.store([result(n) for n in range(50)], 100.0)
    history.store([result(n) for n in range(50, 100)], 200.0)
    assert history.prune(older_than=50.0, rows=1000) == 0
    while history.prune(older_than=150.0, rows=1000):
        pass
    assert history.count() == 50
    while history.prune(older_than=0.0, rows=20):
        pass
    assert history.count() == 20
    while history.prune(older_than=1e9, rows=20):
        pass
    assert history.count() == 0
    assert history.prune(older_than=1e9, rows=20) == 0
    history.close()


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite3"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(sqlite3.DatabaseError, match="another version"):
        History(path)
