"""Reading, choosing and replaying dead letters: the parts that need no broker."""

import gzip
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker import Delivery
from broker.compare import Difference, read_difference
from broker.properties import Properties, fields_of
from broker.republishing import again
from cli.broker_url import broker_urls
from cli.dlq import tables
from cli.dlq.pictures import picture_of
from cli.dlq.selection import Selection, moment
from cli.errors import NoBroker
from cli.layout import Layout
from contract.dead_letters import (
    BROKERS_OWN,
    EXPIRATION,
    LEFT_OUT,
    NOT_OURS,
    TOLD,
    DeadLetter,
    is_trace,
    parse_dead_letter,
)
from contract.numbers import Float32
from contract.replay import destination, fresh
from contract.task import Task, TaskForm, encode_task, parse_task
from contract.topology import Lane
from gateway.dead_letters.reader import cursor_of

JPEG = b"\xff\xd8\xff\xe0picture"
TASK = Task(image=JPEG, timestamp=1_795_216_000.25, camera_id="gate-3", frame_id="f-1")
OURS: dict[str, Any] = {
    "x-framefleet-reason": "not_an_image",
    "x-framefleet-error": "neither JPEG nor PNG",
    "x-framefleet-origin": "frame_queue",
    "x-framefleet-node": "node-1",
    "x-framefleet-time": "1795216001.5",
    "x-framefleet-attempts": 2,
}
DEATH: dict[str, Any] = {
    "queue": "frame_queue.gpu",
    "reason": "delivery_limit",
    "count": 1,
    "time": 1_795_222_800,
    "exchange": "",
    "routing-keys": ["frame_queue.gpu"],
}


def letter(headers: dict[str, Any], body: bytes = b"x") -> DeadLetter:
    return parse_dead_letter(body, content_type=None, headers=headers, message_id="m-1")


def delivery(body: bytes, content_type: str | None = None, headers: dict[str, Any] | None = None) -> Delivery:
    properties = Properties(content_type=content_type, fields=fields_of(headers or {}))
    return Delivery(None, SimpleNamespace(), properties, body)


@pytest.mark.parametrize("form", TaskForm)
def test_our_own_dead_letter_tells_everything(form: TaskForm) -> None:
    task = encode_task(TASK, form)
    read = parse_dead_letter(
        task.body, content_type=task.content_type, headers=task.headers | OURS, message_id=None
    )
    assert (read.reason, read.error) == ("not_an_image", "neither JPEG nor PNG")
    assert (read.origin, read.node_id, read.time, read.attempts) == (
        "frame_queue",
        "node-1",
        1_795_216_001.5,
        2,
    )
    assert (read.camera_id, read.frame_id, read.timestamp) == ("gate-3", "f-1", TASK.timestamp)
    assert read.size == len(task.body)


def test_a_dead_letter_of_the_broker_has_its_reason_and_origin() -> None:
    read = letter({"x-death": [DEATH]})
    assert (read.reason, read.origin, read.attempts) == ("delivery_limit", "frame_queue.gpu", None)
    assert read.time == 1_795_222_800.0
    assert read.deaths[0].count == 1
    assert (read.camera_id, read.frame_id) == (None, "m-1")


def test_what_a_client_forged_is_not_shown_on_a_dead_letter_of_the_broker() -> None:
    read = letter(OURS | {"x-death": [DEATH]})
    assert (read.reason, read.origin, read.node_id) == ("delivery_limit", "frame_queue.gpu", None)
    assert (read.error, read.attempts, read.time) == (None, None, 1_795_222_800.0)
    waited = DEATH | {"queue": "frame_queue.gpu.retry.1s", "reason": "expired"}
    # A worker's, after a further attempt.
    assert letter(OURS | {"x-death": [waited]}).reason == "not_an_image"


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "names"),
    [
        (
            b'{"frame": "", "timestamp": "now", "camera_id": "gate-3", "frame_id": "7"}',
            None,
            {},
            ("gate-3", "7"),
        ),
        (b'{"camera_id": "gate-3"}', None, {"camera_id": "other"}, ("gate-3", "m-1")),
        (gzip.compress(b'{"camera_id": "gate-3"}', mtime=0), None, {}, ("gate-3", "m-1")),
        (JPEG, None, {"camera_id": "gate-3", "timestamp": "now"}, ("gate-3", "m-1")),
        (b"no picture", "image/jpeg", {"camera_id": "gate-3", "frame_id": "7"}, ("gate-3", "7")),
        (b'{"camera_id": "no/camera", "frame_id": 7}', None, {}, (None, "m-1")),
        (JPEG, None, {"camera_id": b"\xff", "frame_id": Float32(1)}, (None, "m-1")),
        (b"no json", None, {"camera_id": "gate-3"}, (None, "m-1")),
    ],
)
def test_of_what_is_no_task_the_camera_is_told_where_it_can_be(
    body: bytes, content_type: str | None, headers: dict[str, Any], names: tuple[str | None, str]
) -> None:
    read = parse_dead_letter(body, content_type=content_type, headers=headers, message_id="m-1")
    assert (read.camera_id, read.frame_id) == names


def test_what_nobody_dead_lettered_says_so() -> None:
    assert (letter({}).reason, letter({}).error) == ("unknown", NOT_OURS)
    assert letter({"x-death": [DEATH]}).error is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-death": "nonsense"},
        {"x-death": [3, {}]},
        {"x-framefleet-reason": 7, "x-framefleet-time": "never"},
        {"x-framefleet-attempts": "many"},
    ],
)
def test_nothing_in_a_message_is_too_odd_to_be_read(headers: dict[str, Any]) -> None:
    assert letter(headers, b"\x00\xff").size == 2


Values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(),
        st.decimals(),
        st.text(st.characters(exclude_categories=["Cs"])),
        st.binary(),
    ),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["queue", "reason", "count", "time"]), inner)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [*TOLD, EXPIRATION, LEFT_OUT, *BROKERS_OWN, "timestamp", "camera_id", "frame_id", "model"]
        ),
        Values,
    ),
    st.binary() | st.just(encode_task(TASK).body),
    st.sampled_from([None, "image/jpeg", "application/json"]),
)
def test_whatever_it_is_it_is_read_listed_and_sent_as_json(
    headers: dict[str, Any], body: bytes, content_type: str | None
) -> None:
    """One that were not would close the queue to everybody."""
    dead = parse_dead_letter(body, content_type=content_type, headers=headers, message_id="m-1")
    assert tables.listing([dead], 1e9)
    assert tables.details(dead)
    assert msgspec.json.encode([dead, headers])
    assert cursor_of(dead)
    assert destination(dead).startswith("frame_queue.")
    assert not Selection(since=1.0).matches(dead) or dead.time is not None


def test_the_id_is_the_same_at_every_look_and_differs_between_dead_letters() -> None:
    first = letter(OURS)
    assert first.dead_letter_id == letter(OURS | {"x-delivery-count": 7}).dead_letter_id
    assert first.dead_letter_id != letter(OURS | {"x-framefleet-time": "1795216002.5"}).dead_letter_id
    assert first.dead_letter_id != letter(OURS, b"y").dead_letter_id


def test_all_filters_must_hold() -> None:
    task = encode_task(TASK)
    dead = parse_dead_letter(task.body, content_type=task.content_type, headers=OURS, message_id=None)
    assert Selection().matches(dead)
    assert Selection(reasons=frozenset({"not_an_image"}), cameras=frozenset({"gate-3"})).matches(dead)
    assert not Selection(reasons=frozenset({"not_an_image"}), cameras=frozenset({"gate-4"})).matches(dead)
    assert Selection(since=1_795_216_001.5, until=1_795_216_001.6).matches(dead)
    assert not Selection(until=1_795_216_001.5).matches(dead)
    assert not Selection(since=0.0).matches(letter({}))  # it does not say when it died
    assert Selection(ids=frozenset({dead.dead_letter_id})).matches(dead)


def test_times_are_ages_or_dates() -> None:
    assert [moment(text, 100_000.0) for text in ("90s", "15m", "2h", "0.5d")] == [
        99_910.0,
        99_100.0,
        92_800.0,
        56_800.0,
    ]
    assert moment("2026-11-21T01:00:00+00:00", 0.0) == 1_795_222_800.0
    local = moment("2026-11-21T01:00:00", 0.0)
    assert abs(local - 1_795_222_800.0) <= timedelta(hours=15).total_seconds()
    with pytest.raises(ValueError, match="write 90s"):
        moment("yesterday", 0.0)


def test_a_replayed_task_is_what_the_sender_wrote() -> None:
    headers = {"camera_id": "gate-3", "x-mine": 1, "timestamp": 1_795_216_000.25}
    theirs = {
        "x-death": [DEATH],
        "x-first-death-queue": "q",
        "x-last-death-reason": "r",
        "x-delivery-count": 3,
    }
    dead = delivery(b"body", "image/jpeg", headers | OURS | theirs)
    replayed = again(dead, "frame_queue.batch", without=is_trace)
    assert (replayed.body, replayed.properties.headers) == (b"body", headers)
    assert replayed.content_type == "image/jpeg"


@pytest.mark.parametrize("form", TaskForm)
def test_a_fresh_task_differs_in_its_time_only(form: TaskForm) -> None:
    task = encode_task(TASK, form)
    body, changed = fresh(task.body, content_type=task.content_type, captured=1_795_300_000.5)
    again = parse_task(body, content_type=task.content_type, headers=task.headers | OURS | changed)
    assert again == msgspec.structs.replace(TASK, timestamp=1_795_300_000.5)


def test_a_fresh_task_of_a_plain_client_too() -> None:
    task = encode_task(TASK, TaskForm.COMPACT)
    body, changed = fresh(task.body, content_type=None, captured=5.0)
    assert parse_task(body, headers=task.headers | changed).timestamp == 5.0
    packed = gzip.compress(encode_task(TASK).body)
    body, changed = fresh(packed, content_type="application/json", captured=5.0)
    assert parse_task(body, headers=changed).timestamp == 5.0


@pytest.mark.parametrize("body", [b"", b"no json", b"[1]", b"\xff", b"[" * 100_000, b"\x1f\x8b damaged"])
def test_what_is_no_task_is_replayed_as_it_is(body: bytes) -> None:
    assert fresh(body, content_type=None, captured=1.0) == (body, {})


def test_where_a_replayed_frame_goes() -> None:
    live = letter(OURS)
    assert destination(live) == "frame_queue.batch"
    assert destination(letter({})) == "frame_queue.batch"
    assert destination(live, Lane.LIVE) == "frame_queue"
    assert destination(letter({"x-death": [DEATH]})) == "frame_queue.gpu"


@pytest.mark.parametrize("origin", ["result_queue", "frame_queue.dlq", "frame_queue.gpu-2", "", 7, b"\xff"])
def test_who_may_only_send_frames_cannot_have_one_replayed_elsewhere(origin: Any) -> None:
    assert destination(letter(OURS | {"x-framefleet-origin": origin})) == "frame_queue.batch"


def test_the_picture_of_either_form_and_of_none() -> None:
    plain, compact = encode_task(TASK), encode_task(TASK, TaskForm.COMPACT)
    for task in (plain, compact):
        picture = picture_of(delivery(task.body, task.content_type, task.headers))
        assert (picture.content, picture.suffix, picture.why_not) == (JPEG, ".jpg", "")
    assert picture_of(delivery(JPEG)).suffix == ".jpg"  # a picture sent without anything
    none = picture_of(delivery(b'{"frame": 1}'))
    assert (none.content, none.suffix) == (b'{"frame": 1}', ".bin")
    assert none.why_not
    text = encode_task(msgspec.structs.replace(TASK, image=b"just text"))
    assert picture_of(delivery(text.body)).content == b"just text"


def test_what_a_message_says_cannot_command_the_terminal() -> None:
    read = letter(OURS | {"x-framefleet-error": "\x1b[2Jgone"})
    assert "\x1b" not in "\n".join([*tables.details(read), tables.listing([read], 0.0)])


@pytest.mark.parametrize(
    ("said", "difference"),
    [
        ("received '6' but current is '5'", Difference("x-max-length", 6, 5)),
        (
            "received the value '6' of type 'signedint' but current is none",
            Difference("x-max-length", 6, None),
        ),
        (
            "received none but current is the value '5' of type 'signedint'",
            Difference("x-max-length", 6, 5),
        ),
    ],
)
def test_the_brokers_refusals_are_understood(said: str, difference: Difference) -> None:
    text = f"PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'q' in vhost '/': {said}"
    assert read_difference(text, {"x-max-length": 6}) == difference
    assert read_difference("ACCESS_REFUSED - no", {}) is None


def test_the_broker_is_the_one_named_or_the_one_that_runs_here(tmp_path: Any) -> None:
    layout = Layout(tmp_path)
    with pytest.raises(NoBroker, match="make up"):
        broker_urls({}, layout)
    layout.run.mkdir()
    layout.endpoints.write_text('{"amqp": "amqp://here/"}')
    assert broker_urls({}, layout) == ["amqp://here/"]
    assert broker_urls({"AMQP_URL": "amqp://a/,amqp://b/"}, layout) == ["amqp://a/", "amqp://b/"]
