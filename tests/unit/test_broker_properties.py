"""A message's properties, on the way in and out: nothing raises, what fits is as it was sent."""

import dataclasses
from typing import Any

import pika
from hypothesis import given
from hypothesis import strategies as st
from pika import frame, spec

from broker import tables
from broker.properties import ROOM, Properties, fields_of, read, write
from broker.sockets import WholeConnection
from broker.wire import Written, content_header

Shorts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.just(b"\xfc" * 255)
EVERY = Properties(
    content_type="image/jpeg",
    content_encoding="identity",
    fields=fields_of({"a": 1.5, "b": [None, {"c": b"\xff"}]}),
    delivery_mode=2,
    priority=9,
    correlation_id="c" * 255,
    reply_to=b"\xfc\xff",
    expiration="60000",
    message_id="ü" * 127,
    timestamp=2**64 - 1,
    type="frame",
    user_id="guest",
    app_id="",
    cluster_id="x",
)


def test_every_property_comes_through_as_pika_and_rabbitmq_write_it() -> None:
    assert read(write(EVERY)) == EVERY
    theirs = pika.BasicProperties(
        **{
            field.name: getattr(EVERY, field.name)
            for field in dataclasses.fields(EVERY)
            if field.name not in ("fields", "timestamp")
        },
        headers={"a": 1},
        timestamp=7,
    )
    assert read(b"".join(theirs.encode())) == dataclasses.replace(
        EVERY, fields=fields_of({"a": 1}), timestamp=7
    )
    decoded = pika.BasicProperties().decode(write(dataclasses.replace(EVERY, fields=fields_of({"a": 1}))))
    assert (decoded.headers, decoded.message_id, decoded.priority) == ({"a": 1}, "ü" * 127, 9)


@given(st.builds(Properties, *[Shorts] * 2, st.none(), *[st.none() | st.integers(0, 255)] * 2, *[Shorts] * 4))
def test_what_is_written_is_read_again(properties: Properties) -> None:
    assert read(write(properties)) == properties


@given(st.binary(max_size=100))
def test_flags_that_lie_cost_what_they_lie_about(content: bytes) -> None:
    write(read(content))
    assert read(content).headers is not None


@given(st.integers(0, len(write(EVERY))))
def test_what_comes_before_a_break_is_kept(length: int) -> None:
    found = read(write(EVERY)[:length])
    if length > 50:
        assert found.content_type == "image/jpeg"


def test_a_short_string_is_bounded_in_bytes_and_two_long_ones_stay_two() -> None:
    one, other = ("ü" * 199 + end for end in "ab")
    ids = [read(write(Properties(message_id=each))).message_id for each in (one, other, one)]
    assert ids[0] == ids[2] != ids[1]
    for each in ids:
        assert isinstance(each, str)
        assert each.startswith("ü" * 119 + "~")
        assert len(each.encode()) <= 255
    assert read(write(Properties(message_id=b"\xfc" * 300))).message_id is not None
    assert read(write(Properties(app_id="\ud800"))).app_id == "?"


def test_headers_that_are_too_large_are_left_out_and_named() -> None:
    large = {f"h{number}": "x" * (ROOM // 20) for number in range(30)}
    headers = {"small": 1} | large | {"x-framefleet-reason": "not_json"}
    written = write(dataclasses.replace(EVERY, fields=fields_of(headers)))
    assert len(written) <= ROOM
    found = read(written)
    assert found.app_id == ""
    assert found.headers["small"] == 1
    assert found.headers["x-framefleet-reason"] == "not_json"
    assert "11 headers that were too large together: h10, h11" in found.headers["x-framefleet-left-out"]
    assert 17 <= sum(name in found.headers for name in large) < 20


def test_many_small_headers_are_left_out_too() -> None:
    many = Properties(fields=fields_of({f"{number}": None for number in range(30_000)}))
    assert len(write(many)) <= ROOM
    assert len(write(many, room=4_000)) <= 4_000


def test_pika_asks_us_for_the_properties_of_what_it_receives() -> None:
    """If a new pika reads frames in another way, this fails, and broker.wire must follow."""
    seen: list[Any] = []
    connection: Any = WholeConnection.__new__(WholeConnection)
    connection._frame_buffer = b""
    connection.bytes_received = connection.frames_received = 0
    connection._process_frame = seen.append
    deep = b"F\x00\x00\x00\x00"
    for _ in range(3_000):
        deep = tables.join([(b"a", deep)])
        deep = b"F" + len(deep).to_bytes(4, "big") + deep
    odd = Properties(
        message_id=b"\xff" * 200,
        fields=(
            (b"when", tables.Raw(b"T" + (2**62).to_bytes(8, "big"))),
            (b"deep", tables.Raw(deep)),
            (b"?", tables.Raw(b"Z")),
        ),
    )
    method = frame.Method(1, spec.Basic.Deliver("tag", 1, False, "", "frame_queue"))
    wire = (
        method.marshal() + frame.Header(1, 2, Written(odd, ROOM)).marshal() + frame.Body(1, b"hi").marshal()
    )
    for byte in (wire[:50], wire[50:90], wire[90:-1], wire[-1:]):
        connection._on_data_available(byte)
    assert [type(each) for each in seen] == [frame.Method, frame.Header, frame.Body]
    assert seen[1].body_size == 2
    assert isinstance(seen[1].properties, Properties)
    assert seen[1].properties.headers["when"] == 2**62


def test_other_frames_are_pikas() -> None:
    assert content_header(frame.Heartbeat().marshal()) is None
    assert content_header(b"") is None
