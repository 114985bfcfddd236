"""The task's two forms, and a clear reason for everything that is none."""

import base64
import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidTask
from contract.failures import FailureReason
from contract.task import MAX_BODY_BYTES, Task, TaskForm, encode_task, parse_task

IMAGE = b"\xff\xd8\xff\xe0 an image"


def body(**fields: Any) -> bytes:
    return json.dumps(
        {"frame": base64.b64encode(IMAGE).decode(), "timestamp": 1795216000.123, **fields}
    ).encode()


tasks = st.builds(
    Task,
    image=st.binary(max_size=200).map(lambda rest: IMAGE + rest),
    timestamp=st.floats(0, 1e11),
    camera_id=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    frame_id=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=200),
    model=st.none() | st.just("yunet"),
)


@given(tasks, st.sampled_from(TaskForm))
def test_what_is_written_is_read_back(task: Task, form: TaskForm) -> None:
    encoded = encode_task(task, form)
    assert parse_task(encoded.body, content_type=encoded.content_type, headers=encoded.headers) == task


def test_a_plain_clients_task_needs_only_frame_and_timestamp() -> None:
    task = parse_task(body())
    assert (task.image, task.timestamp, task.camera_id, task.model) == (
        IMAGE,
        1795216000.123,
        "default",
        None,
    )


def test_frame_id_is_the_message_id_or_a_digest_of_the_body() -> None:
    assert parse_task(body(), message_id="m-1").frame_id == "m-1"
    assert parse_task(body(frame_id="f-1"), message_id="m-1").frame_id == "f-1"
    named = parse_task(body(camera_id="gate-3")).frame_id
    assert named == parse_task(body(camera_id="gate-3")).frame_id
    assert named.startswith("gate-3:")
    assert len(named) == len("gate-3:") + 16
    assert named != parse_task(body(camera_id="gate-3", model="haar")).frame_id


def test_unknown_fields_are_ignored() -> None:
    assert parse_task(body(exposure=3)).camera_id == "default"


def test_wrapped_base64_is_understood() -> None:
    wrapped = base64.encodebytes(IMAGE * 20).decode()
    assert "\n" in wrapped.strip()
    assert parse_task(body(frame=wrapped)).image == IMAGE * 20


@pytest.mark.parametrize("timestamp", [12.5, 12, "12.5", Decimal("12.5")])
def test_compact_headers_in_any_number_type(timestamp: Any) -> None:
    task = parse_task(IMAGE, content_type="image/jpeg", headers={"timestamp": timestamp, "camera_id": "a"})
    assert int(task.timestamp) == 12
    assert task.image == IMAGE


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", FailureReason.EMPTY),
        (b"{", FailureReason.NOT_JSON),
        (b"\xff\xfe", FailureReason.NOT_JSON),
        (b"[]", FailureReason.INVALID_TASK),
        (b'"text"', FailureReason.INVALID_TASK),
        (b"null", FailureReason.INVALID_TASK),
        (b'{"timestamp": 1}', FailureReason.INVALID_TASK),
        (b'{"frame": "aaaa"}', FailureReason.INVALID_TASK),
        (body(frame=7), FailureReason.INVALID_TASK),
        (body(timestamp="now"), FailureReason.INVALID_TASK),
        (body(timestamp=True), FailureReason.INVALID_TASK),
        (body(timestamp=-1), FailureReason.INVALID_TASK),
        (body(timestamp=1795216000123), FailureReason.INVALID_TASK),
        (body(camera_id="a.b"), FailureReason.INVALID_TASK),
        (body(camera_id="a\n"), FailureReason.INVALID_TASK),
        (body(camera_id=""), FailureReason.INVALID_TASK),
        (body(frame_id=""), FailureReason.INVALID_TASK),
        (body(frame="not base64!"), FailureReason.NOT_BASE64),
        (body(frame="ééé"), FailureReason.NOT_BASE64),
        (body(frame=""), FailureReason.EMPTY),
        (b" " * (MAX_BODY_BYTES + 1), FailureReason.TOO_LARGE),
    ],
)
def test_what_is_no_task_says_why(bad: bytes, reason: FailureReason) -> None:
    with pytest.raises(InvalidTask) as caught:
        parse_task(bad)
    assert caught.value.reason is reason
    assert str(caught.value)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"timestamp": None},
        {"timestamp": "x"},
        {"timestamp": float("nan")},
        {"timestamp": 1, "camera_id": 5},
    ],
)
def test_compact_form_with_bad_headers(headers: dict[str, Any]) -> None:
    with pytest.raises(InvalidTask) as caught:
        parse_task(IMAGE, content_type="image/jpeg", headers=headers)
    assert caught.value.reason is FailureReason.INVALID_TASK


@given(st.binary(max_size=300), st.none() | st.sampled_from(["application/json", "image/jpeg", "text/plain"]))
def test_no_bytes_make_the_parser_raise_anything_else(data: bytes, content_type: str | None) -> None:
    with contextlib.suppress(InvalidTask):
        parse_task(data, content_type=content_type)


def test_a_message_id_that_is_too_long_keeps_its_beginning_and_stays_one_of_its_own() -> None:
    ids = [parse_task(body(), message_id="camera-" + "x" * 240 + end).frame_id for end in ("a", "b", "a")]
    assert ids[0] == ids[2] != ids[1]
    assert ids[0].startswith("camera-xxx")
    assert len(ids[0]) == 200


@pytest.mark.parametrize("form", TaskForm)
def test_motion_travels_in_both_forms(form: TaskForm) -> None:
    task = Task(image=IMAGE, timestamp=1.0, camera_id="c", frame_id="f", motion=0.123456)
    encoded = encode_task(task, form)
    read = parse_task(encoded.body, content_type=encoded.content_type, headers=encoded.headers)
    assert read.motion == 0.1235
    none = encode_task(Task(image=IMAGE, timestamp=1.0, camera_id="c", frame_id="f"), form)
    assert "motion" not in none.headers
    assert b"motion" not in none.body


@pytest.mark.parametrize(
    "value", ["yes", "", -0.1, 1.1, True, [], {"x": [1]}, "nan", None, "0" * 99, 10**400, {"a": {"b": 1}}]
)
def test_a_field_of_a_stranger_that_is_called_motion_costs_no_frame(value: Any) -> None:
    assert parse_task(body(motion=value)).motion is None
    assert parse_task(IMAGE, headers={"timestamp": 1.0, "motion": value}).motion is None
