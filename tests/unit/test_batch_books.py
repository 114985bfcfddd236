"""A job's books: each item is settled once, by the answer to its own picture; the counts are exact whatever comes."""

import csv
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batch.errors import BatchError
from batch.inputs.found import Found
from batch.job import Job, delete_job, open_job
from batch.outputs.target import target
from batch.progress import Pace
from batch.report import sum_up
from batch.store import Answer, State, Store
from batch.tasks import answered, digest_of, item_task, to_answer
from contract.jobs import answers_queue, is_job_queue
from contract.result import FailedReply
from contract.task import parse_task
from contract.topology import Lane
from tests.helpers.full_disk import files_of_at_most
from tests.helpers.results import result

FOUND = json.dumps([{"x": 1, "y": 2, "w": 10, "h": 20, "confidence": 0.5, "label": "face"}])
OK = Answer(ok=True, detections=FOUND, width=100, height=50, model="m@1", processing=0.01, seconds=0.1)
FAILED = Answer(ok=False, reason="not_an_image", error="it is none")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "items.sqlite3")
    opened.prepare()
    yield opened
    opened.close()


def exact(store: Store) -> dict[State, int]:
    """The counts, after comparing them with the items."""
    counted = dict.fromkeys(State, 0)
    counted |= {State(s): n for s, n in store._db.execute("SELECT state, count(*) FROM items GROUP BY state")}
    assert store.counts() == counted
    return counted


def test_an_item_s_way(store: Store) -> None:
    store.add(
        [Found(b"a", 1, 1), Found(b"b", 1, 1), Found(b"closed", reason="unreadable", error="no rights")]
    )
    a, b = store.open_items(State.WAITING)
    store.claim(a.number, "d" * 64, 1)
    store.sent(a.number)
    assert not store.settle(a.number, OK, "e" * 16)  # of another picture
    assert store.settle(a.number, OK, "d" * 16)
    assert not store.settle(a.number, FAILED, "d" * 16)  # a second answer changes nothing
    store.sent(a.number)  # confirmed after it was answered
    assert exact(store) == {State.OK: 1, State.FAILED: 1, State.WAITING: 1, State.SENT: 0}
    store.begin_listing()
    store.add([Found(b"a", 1, 1), Found(b"b", 2, 2)])
    assert exact(store) == {State.OK: 1, State.FAILED: 0, State.WAITING: 1, State.SENT: 0}
    store.add([Found(b"a", 1, 99)])  # a changed file is computed again
    assert [each.path for each in store.open_items(State.WAITING)] == [b"a", b"b"]
    assert not store.settle(a.number, OK, "d" * 16)  # by an answer to what it was
    store.settle(b.number, FAILED)
    assert store.retry_failed() == 1
    assert exact(store)[State.WAITING] == 2


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 6)), max_size=40))
def test_the_counts_are_exact_whatever_comes(store: Store, steps: list[tuple[int, int]]) -> None:
    for step, number in steps:
        match step:
            case 0:
                store.add([Found(str(number).encode(), 1, step + number)])
            case 1:
                store.sent(number)
            case 2:
                store.settle(number, OK)
            case 3:
                store.settle(number, FAILED)
            case _:
                store.retry_failed()
    exact(store)


def job(tmp_path: Path, *inputs: bytes, **how: Any) -> Any:
    return open_job(tmp_path / "jobs", inputs, **how)


def test_the_same_inputs_are_the_same_job(tmp_path: Path) -> None:
    with job(tmp_path, b"a", b"b") as first:
        first.store.add([Found(b"a", 1, 1)])
        with pytest.raises(BatchError, match="another process"), job(tmp_path, b"a", b"b"):
            pass
    with job(tmp_path, b"a", b"b") as again:
        assert again.job_id == first.job_id
        assert again.store.counts()[State.WAITING] == 1
    with job(tmp_path, b"a") as other, job(tmp_path, b"a", model="haar") as third:
        assert len({first.job_id, other.job_id, third.job_id}) == 3
    with job(tmp_path, name=first.job_id) as by_name:
        assert by_name.wish.inputs == (b"a", b"b")
    with pytest.raises(BatchError, match="of other inputs"), job(tmp_path, b"c", name=first.job_id):
        pass
    with pytest.raises(BatchError, match="there is no job"), job(tmp_path, name="nobody"):
        pass
    with pytest.raises(BatchError, match="letters"), job(tmp_path, b"a", name="../up"):
        pass
    delete_job(tmp_path / "jobs", first.job_id)
    with pytest.raises(BatchError, match="there is no job"):
        delete_job(tmp_path / "jobs", first.job_id)


def test_tasks_and_their_answers() -> None:
    picture = b"\xff\xd8\xff picture"
    digest = digest_of(picture)
    message = item_task("j", 7, digest, picture, Lane.BATCH, "haar")
    task = parse_task(
        message.body, content_type=str(message.content_type), headers=message.headers, message_id="m"
    )
    assert (task.image, task.model, task.camera_id) == (picture, "haar", "job-j")
    assert is_job_queue(message.reply_to)
    assert message.reply_to == answers_queue("j").name
    assert answered("j", str(message.correlation_id)) == (7, digest[:16])
    for foreign in (
        None,
        "",
        "j",
        "k:7:" + digest[:16],
        "j:x:" + digest[:16],
        "j:7:short",
        "j:²:" + digest[:16],
    ):
        assert answered("j", foreign) is None
    assert to_answer(result(1.0, status="expired"), 1.0) is None
    ok = to_answer(result(1.0), 1.0)
    assert ok is not None
    assert ok.ok
    fields = {
        name: getattr(result(1.0), name)
        for name in FailedReply.__struct_fields__
        if name not in ("status", "reason", "error", "sender")
    }
    failed = to_answer(FailedReply(**fields, reason="crashed", error="it did"), 1.0)
    assert failed == Answer(
        ok=False, reason="crashed", error="it did", node_id=fields["node_id"], seconds=1.0
    )


@pytest.fixture
def settled(tmp_path: Path) -> Iterator[Job]:
    """A job of four: one ok, one broken, one ok in an archive that tries to get out, one that still waits."""
    with job(tmp_path, b"in") as opened:
        found = [Found(b"in/a.jpg", 1, 1), Found(b"in/bad\xff.jpg", 1, 1)]
        found += [
            Found(b"in/x.zip!/../../up.jpg", 1, 1, b"in/x.zip", "../../up.jpg"),
            Found(b"in/later.jpg", 1, 1),
        ]
        opened.store.add(found)
        for number, answer in ((1, OK), (2, FAILED), (3, OK)):
            opened.store.settle(number, answer)
        yield opened


def test_ndjson_and_csv_have_a_line_per_settled_input(settled: Job, tmp_path: Path) -> None:
    for _ in range(2):  # written again, it is the same file
        target(str(tmp_path / "o.ndjson"), None).write(settled)
    lines = [json.loads(line) for line in (tmp_path / "o.ndjson").read_text().splitlines()]
    assert [(each["path"], each["status"], each["reason"], len(each["detections"])) for each in lines] == [
        ("in/a.jpg", "ok", None, 1),
        ("in/bad\ufffd.jpg", "failed", "not_an_image", 0),
        ("in/x.zip!/../../up.jpg", "ok", None, 1),
    ]
    target(str(tmp_path / "o.csv"), None).write(settled)
    with (tmp_path / "o.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["path"], row["status"], row["count"]) for row in rows] == [
        ("in/a.jpg", "ok", "1"),
        ("in/bad\ufffd.jpg", "failed", "0"),
        ("in/x.zip!/../../up.jpg", "ok", "1"),
    ]
    assert list(tmp_path.glob(".*")) == []


def test_coco_and_yolo(settled: Job, tmp_path: Path) -> None:
    target(str(tmp_path / "o.json"), None).write(settled)
    coco = json.loads((tmp_path / "o.json").read_text())
    assert [image["id"] for image in coco["images"]] == [1, 2, 3]
    assert [each["bbox"] for each in coco["annotations"]] == [[1, 2, 10, 20]] * 2
    assert coco["categories"] == [{"id": 1, "name": "face"}]
    yolo = target(str(tmp_path / "deep/yolo"), "yolo")
    yolo.check()
    yolo.write(settled)
    written = {str(file.relative_to(tmp_path / "deep")) for file in (tmp_path / "deep").rglob("*.txt")}
    assert {"yolo/classes.txt", "yolo/failed.txt"} < written
    assert all(each.startswith("yolo/") for each in written)  # nothing got out
    labels = [file.read_text() for file in (tmp_path / "deep/yolo/labels").rglob("*.txt")]
    assert labels == ["0 0.060000 0.240000 0.100000 0.400000 0.500000\n"] * 2


def test_an_output_that_cannot_be_written_is_told_before_anything_is_computed(tmp_path: Path) -> None:
    for path, form in (("none/o.ndjson", None), ("", "ndjson")):
        with pytest.raises(BatchError):
            target(str(tmp_path / path), form).check()
    with pytest.raises(BatchError, match="by its ending"):
        target("o.parquet", None)


@pytest.mark.parametrize("name", ["o.ndjson", "o.csv", "o.json"])
def test_a_disk_that_fills_leaves_the_output_of_before(settled: Job, tmp_path: Path, name: str) -> None:
    output = target(str(tmp_path / name), None)
    output.write(settled)
    before = (tmp_path / name).read_bytes()
    with files_of_at_most(len(before) - 1), pytest.raises(BatchError, match="Nothing is lost"):
        output.write(settled)
    assert (tmp_path / name).read_bytes() == before
    assert list(tmp_path.glob(".*")) == []


def test_books_on_a_disk_that_fills_keep_what_they_have(tmp_path: Path) -> None:
    with job(tmp_path, b"in") as opened:
        opened.store.add([Found(b"in/%d.jpg" % number, 1, 1) for number in range(2_000)])
        opened.store.settle(1, OK)
        largest = max(file.stat().st_size for file in opened.folder.iterdir())
        more = [Found(b"in/more%d.jpg" % number, 1, 1) for number in range(200_000)]
        with files_of_at_most(largest + (1 << 16)), pytest.raises(sqlite3.Error):
            opened.store.add(more)
        opened.store.settle(2, FAILED)
        counts = opened.store.counts()
        assert (counts[State.OK], counts[State.FAILED], counts[State.WAITING]) == (1, 1, 1_998)
    with job(tmp_path, b"in") as again:
        assert again.store.counts() == counts


def test_the_report(settled: Job) -> None:
    report = sum_up(
        settled.job_id,
        settled.store,
        finished=False,
        retries=2,
        seconds=2.0,
        settled=3,
        sent_bytes=0,
        left_out={},
    )
    assert (report.items, report.ok, report.failed, report.waiting, report.rate) == (4, 2, 1, 1, 1.5)
    assert report.reasons == {"not_an_image": 1}
    assert report.quantiles == (0.1, 0.1, 0.1)
    assert report.exit_code == 130
    assert [each.ok for each in report.results()] == [True, False, True]


def test_the_rate_is_of_the_last_half_minute() -> None:
    pace = Pace()
    assert pace.sample(0, 0) == 0
    assert pace.sample(10, 100) == 10
    assert pace.sample(60, 100) == 0
    assert pace.sample(65, 150) == 10
