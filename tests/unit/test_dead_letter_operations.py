"""Groups, forecasts and the record of replays and purges: the parts that need no broker."""

import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from contract.api.dead_letters import DeadLetterOperationView
from contract.dead_letters import DeadLetter
from contract.errors import PictureError
from contract.letter_picture import letter_picture, shown_picture
from contract.senders import Sender
from contract.task import Task, encode_task
from contract.topology import Lane
from gateway.dead_letters.forecast import forecast_purge, forecast_replay
from gateway.dead_letters.groups import groups_view
from gateway.dead_letters.operations import Operation
from gateway.dead_letters.reader import DeadLetterSnapshot
from gateway.dead_letters.records import FILE, MAX_RECORDS, OperationRecords
from gateway.dead_letters.selection import LetterSelection
from gateway.tokens.roles import needed_role

LETTER = DeadLetter(
    dead_letter_id="000000000000",
    reason="crashed",
    error="it ended its process",
    origin="frame_queue",
    node_id="a1",
    time=1_795_216_000.0,
    attempts=2,
    camera_id="gate-3",
    frame_id="f-1",
    timestamp=1_795_215_990.0,
    content_type="image/jpeg",
    size=60_000,
    deaths=[],
)


def letters(count: int, **fields: Any) -> list[DeadLetter]:
    return [replace(LETTER, dead_letter_id=f"{n:012x}", frame_id=f"f-{n}", **fields) for n in range(count)]


def snapshot(found: list[DeadLetter]) -> DeadLetterSnapshot:
    return DeadLetterSnapshot(found, len(found), True, 1_795_216_100.0)


def told(found: list[DeadLetter], lane: Lane | None = None, **how: Any) -> tuple[str, str, dict[str, int]]:
    said = forecast_replay(found, lane, {}, how.pop("consumers", lambda queue: 1), **({"fresh": False} | how))
    return said.summary, " ".join(said.notes), said.queues


def test_a_replay_says_in_numbers_what_it_will_do() -> None:
    summary, notes, queues = told(letters(12))
    assert summary == "Replay 12 frames of gate-3 to frame_queue.batch"
    assert queues == {"frame_queue.batch": 12}
    assert "true time of capture" in notes
    assert "expire" in told(letters(12), Lane.LIVE)[1]
    assert "expire there" not in told(letters(12), Lane.LIVE, fresh=True)[1]
    assert "new ones" in told(letters(12), Lane.LIVE, fresh=True)[1]
    _, notes, _ = told([*letters(9, reason="not_json"), *letters(1)], consumers=lambda queue: 0)
    assert "9 will fail again" in notes
    assert "No worker takes frames from frame_queue.batch now" in notes
    assert "WORKER_LANE=batch" in notes
    assert "is unknown" in told(letters(1), consumers=lambda queue: None)[1]
    summary, _, queues = told([*letters(1, camera_id=None), *letters(2, camera_id="yard", sender="school")])
    assert summary == (
        "Replay 3 frames of yard (1 of an unknown one) to frame_queue.batch, frame_queue.from.school"
    )
    assert queues == {"frame_queue.batch": 1, "frame_queue.from.school": 2}
    batch = {"school": Sender(name="school", lanes=(Lane.LIVE, Lane.BATCH))}
    said = forecast_replay(letters(1, sender="school"), None, batch, lambda queue: 1, fresh=False)
    assert said.queues == {"frame_queue.batch.from.school": 1}
    assert "Deletes 12 dead letters (0.7 MB) for good" in forecast_purge(letters(12)).notes[0]
    assert forecast_purge(letters(1, camera_id=None)).summary == "Purge 1 frame of an unknown camera"


def test_groups_are_largest_first_and_bounded() -> None:
    found = [*letters(3), *letters(5, camera_id=None, reason="unknown"), *letters(1, sender="school")]
    view = groups_view(snapshot(found), found, 2)
    assert [(g.reason, g.camera_id, g.count) for g in view.items] == [
        ("unknown", None, 5),
        ("crashed", "gate-3", 3),
    ]
    assert (view.left_out, view.total, view.items[0].first) == (1, 9, LETTER.time)
    only = LetterSelection(groups=frozenset({view.items[1].group_id})).of(found)
    assert {(each.camera_id, each.sender) for each in only} == {("gate-3", None)}
    assert LetterSelection().empty
    assert groups_view(snapshot([]), [], 2).items == []


def test_fifty_thousand_are_grouped_in_a_blink() -> None:
    found = [replace(each, camera_id=f"gate-{n % 900}") for n, each in enumerate(letters(50_000))]
    began = time.process_time()
    view = groups_view(snapshot(found), found, 200)
    assert (len(view.items), view.left_out) == (200, 700)
    assert time.process_time() - began < 2.0


def test_who_dies_again_is_counted() -> None:
    found = letters(3)
    operation = Operation(view_of("a"), found[:2], frozenset(each.dead_letter_id for each in found), None)
    assert operation.died_again(snapshot(found)) == 0
    again = replace(found[0], dead_letter_id="ffffffffffff")
    other = replace(found[2], dead_letter_id="eeeeeeeeeeee")  # of another frame
    assert operation.died_again(snapshot([again, other])) == 1


def view_of(operation_id: str, state: Any = "done") -> DeadLetterOperationView:
    return DeadLetterOperationView(
        operation_id=operation_id,
        kind="replay",
        state=state,
        summary="Replay 1 frame",
        notes=[],
        count=1,
        size=1,
        queues={},
        lane=None,
        fresh=False,
        by="ada",
        address="10.0.0.7",
        created=1.0,
    )


def test_the_record_outlives_the_gateway_and_is_bounded(tmp_path: Path) -> None:
    records = OperationRecords(tmp_path)
    records.load()
    for number in range(MAX_RECORDS + 3):
        records.put(view_of(str(number)))
    records.put(view_of("7", "running"))
    records.save(records.encoded())
    again = OperationRecords(tmp_path)
    again.load()
    assert (len(again.all), again.all[0].operation_id) == (MAX_RECORDS, str(MAX_RECORDS + 2))
    (cut,) = [each for each in again.all if each.operation_id == "7"]
    assert (cut.state, "still dead letters" in cut.trouble) == ("interrupted", True)


def test_a_record_that_nobody_can_read_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b'[{"operation_id": 7')
    records = OperationRecords(tmp_path)
    records.load()
    assert records.all == []
    assert [each.name for each in tmp_path.iterdir()] == ["dead-letter-operations.unreadable"]


def test_only_what_is_a_picture_is_shown() -> None:
    def shown(body: bytes, content_type: str | None = None) -> bytes:
        found = letter_picture(body, content_type=content_type, headers={}, message_id=None)
        return shown_picture(found).content

    huge = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0" + b"\0" * 4
    broken = encode_task(
        Task(image=b"\xff\xd8\xff\xe0picture", timestamp=1.0, camera_id="a", frame_id="b")
    ).body
    for body in (b"<svg onload=alert(1)>", b"", b"GIF89a", b"\xff\xd8\xff\xe0\0\0", huge, broken):
        with pytest.raises(PictureError):
            shown(body, "image/jpeg")


def test_dead_letters_are_the_operators() -> None:
    for path in ("/api/dlq", "/api/dlq/groups", "/api/dlq/letters/0/picture", "/api/dlq/operations"):
        assert needed_role("GET", path) == "operator"
    assert needed_role("GET", "/api/queues") == "viewer"
    assert needed_role("POST", "/api/dlq/operations") == "operator"
