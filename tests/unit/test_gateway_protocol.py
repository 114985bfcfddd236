"""Bytes on the WebSocket, and what clients may say."""

import base64
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from contract.browser import Painted, Subscribe
from gateway.errors import InvalidMessage
from gateway.live.connection import MAX_REASON_BYTES
from gateway.live.hub import Hub
from gateway.live.protocol import (
    BINARY,
    DASHBOARD,
    FRAMES,
    PLAIN,
    TEXT,
    parse_message,
    plausible_age,
    protocol_for,
    subscribed,
    with_field,
    ws_frame,
)
from gateway.live.update import Subscription, Update
from gateway.live.viewer import Viewer, ViewerKind

RESULT = b'{"camera_id":"a","frame_id":"a:1"}'


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_frames_are_what_the_websockets_library_writes(size: int) -> None:
    payload = bytes(size)
    assert ws_frame(TEXT, payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
    assert ws_frame(BINARY, payload[: size // 2], payload[size // 2 :]) == Frame(
        Opcode.BINARY, payload
    ).serialize(mask=False)


def payload_of(frame: bytes) -> bytes:
    length = frame[1]
    skip = {126: 4, 127: 10}.get(length, 2)
    return frame[skip:]


def viewer_with(kind: ViewerKind, *updates: Update, pictures: tuple[Update, ...] = ()) -> Viewer:
    hub = Hub()
    viewer = Viewer(kind, lambda: None)
    hub.join(viewer, Subscription(None, frozenset(u.camera_id for u in pictures)), 0.0)
    for update in updates:
        hub.publish(update)
    for update in pictures:
        hub.publish_picture(update)
    return viewer


def test_results_pass_through_untouched_and_are_framed_once() -> None:
    update = Update("a", "a:1", 1.0, 0.0, RESULT)
    one = PLAIN.next(viewer_with(ViewerKind.PLAIN, update))
    two = PLAIN.next(viewer_with(ViewerKind.PLAIN, update))
    assert payload_of(one) == RESULT
    assert one == two
    assert list(update.forms) == ["plain"]


def test_pictures_in_base64() -> None:
    picture = Update("a", "a:1", 1.0, 0.0, RESULT, b"\xff\xd8jpeg", "image/jpeg")
    frame = FRAMES.next(viewer_with(ViewerKind.FRAMES, pictures=(picture,)))
    message = json.loads(payload_of(frame))
    assert base64.b64decode(message["frame"]) == b"\xff\xd8jpeg"
    assert message["frame_id"] == "a:1"


def test_pictures_in_binary() -> None:
    picture = Update("a", "a:1", 1.0, 0.0, RESULT, b"\x89PNGpng", "image/png")
    payload = payload_of(DASHBOARD.next(viewer_with(ViewerKind.DASHBOARD, pictures=(picture,))))
    (size,) = struct.unpack_from("!I", payload)
    assert json.loads(payload[4 : 4 + size]) == {**json.loads(RESULT), "content_type": "image/png"}
    assert payload[4 + size :] == b"\x89PNGpng"


def test_a_dashboard_gets_states_then_results_then_pictures() -> None:
    picture = Update("b", "b:1", 1.0, 0.0, RESULT, b"x", "image/jpeg")
    viewer = viewer_with(ViewerKind.DASHBOARD, Update("a", "a:1", 1.0, 0.0, RESULT), pictures=(picture,))
    viewer.offer_camera("a", b'{"camera_id":"a"}')
    viewer.offer_nodes(b"[]")
    protocol = DASHBOARD
    messages = [protocol.next(viewer) for _ in range(5)]
    assert [m[0] if m else None for m in messages] == [TEXT, TEXT, TEXT, BINARY, None]
    assert [json.loads(payload_of(m)) for m in messages[:3]] == [
        {"type": "nodes", "items": []},
        {"type": "cameras", "items": [{"camera_id": "a"}]},
        {"type": "results", "results": [json.loads(RESULT)]},
    ]
    hello = json.loads(payload_of(protocol.greeting(5.0, "1", 2.0)))
    assert hello == {"type": "hello", "time": 5.0, "staleness": 2.0, "version": "1"}


def test_the_protocol_is_the_client_s_choice() -> None:
    assert protocol_for(["other", "framefleet.v1"], PLAIN).kind is ViewerKind.DASHBOARD
    assert protocol_for([], PLAIN).kind is ViewerKind.PLAIN
    assert protocol_for(["other"], FRAMES).kind is ViewerKind.FRAMES


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), min_size=1))
def test_a_field_can_be_added_to_any_object(fields: dict[str, int | str]) -> None:
    body = json.dumps(fields).encode() + b" \n"
    assert json.loads(with_field(body, b"added", b"QUJD")) == {**fields, "added": "QUJD"}


def test_subscriptions_change_what_they_name() -> None:
    old = Subscription(frozenset({"a"}), frozenset({"p"}))
    cases: dict[str, Subscription] = {
        '{"type":"subscribe"}': old,
        '{"type":"subscribe","cameras":null}': Subscription(None, frozenset({"p"})),
        '{"type":"subscribe","cameras":["b","b"]}': Subscription(frozenset({"b"}), frozenset({"p"})),
        '{"type":"subscribe","pictures":[]}': Subscription(frozenset({"a"}), frozenset()),
        '{"type":"subscribe","groups":["Nördlich"],"nodes":["n"],"detections":true}': Subscription(
            frozenset({"a"}), frozenset({"p"}), frozenset({"Nördlich"}), frozenset({"n"}), True
        ),
    }
    for text, expected in cases.items():
        message = parse_message(text)
        assert isinstance(message, Subscribe)
        assert subscribed(old, message) == expected


def test_conditions_can_be_lifted() -> None:
    old = Subscription(None, groups=frozenset({"g"}), nodes=frozenset({"n"}), detections=True)
    message = parse_message('{"type":"subscribe","groups":null,"nodes":null,"detections":false}')
    assert isinstance(message, Subscribe)
    assert subscribed(old, message) == Subscription()


def test_other_messages() -> None:
    assert parse_message('{"type":"painted","frame_id":"f","age":0.2}') == Painted("f", 0.2)
    assert plausible_age(0.0)
    assert not plausible_age(-0.1)
    assert not plausible_age(1e9)
    assert not plausible_age(float("nan"))


def test_a_page_may_know_more_than_its_gateway() -> None:
    assert parse_message('{"type":"news","cameras":5}', tolerant=True) is None
    assert parse_message('{"type":"subscribe","novelty":{}}', tolerant=True) == Subscribe()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", 'no JSON object: {"type":"subscribe","cameras":["gate-3"]} is one'),
        ('{"cameras":["a"]}', 'the message has no type: {"type":"subscribe",...}'),
        ('{"type":"foo"}', "unknown type 'foo': there are subscribe and painted"),
        (
            '{"type":"subscribe","camera":["a"]}',
            "unknown field 'camera': subscribe has cameras, groups, nodes, detections, pictures",
        ),
        (
            '{"type":"subscribe","cameras":["a b"]}',
            "cameras is null or up to 1000 names made of A-Z a-z 0-9 _ -, up to 64 long",
        ),
        ('{"type":"subscribe","groups":[""]}', "groups is null or up to 100 names of 1 to 100 characters"),
        ('{"type":"painted","frame_id":"f"}', "painted needs age, a number of seconds"),
    ],
)
def test_a_refusal_is_a_sentence_for_people(text: str, words: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        parse_message(text)
    assert str(refused.value) == words


WORD = st.text(max_size=30) | st.sampled_from(["type", "subscribe", "painted", "cameras", "age"])


@given(st.text() | st.dictionaries(WORD, WORD | st.lists(WORD), max_size=3).map(json.dumps), st.booleans())
def test_whatever_a_client_sends_is_understood_or_refused(text: str, tolerant: bool) -> None:
    said = ""
    try:
        parse_message(text, tolerant=tolerant)
    except InvalidMessage as error:
        said = str(error)
    assert len(said.encode()) <= MAX_REASON_BYTES
    assert said == "" or said.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"type":5}',
        '{"type":"subscribe","cameras":"a"}',
        '{"type":"subscribe","cameras":["a b"]}',
        '{"type":"subscribe","pictures":null}',
        '{"type":"subscribe","pictures":[' + ",".join(['"a"'] * 257) + "]}",
        '{"type":"subscribe","cameras":[' + ",".join(['"a"'] * 1_001) + "]}",
        '{"type":"subscribe","groups":"north"}',
        '{"type":"subscribe","groups":[""]}',
        '{"type":"subscribe","groups":[' + ",".join(['"g"'] * 101) + "]}",
        '{"type":"subscribe","nodes":["' + "n" * 101 + '"]}',
        '{"type":"subscribe","detections":null}',
        '{"type":"painted"}',
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(InvalidMessage):
        parse_message(text)
