"""Field tables: every type at its limits, every depth, bytes of any kind. Nothing raises; all is sent on as sent."""

import math
import struct
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broker.tables import DEPTH, decode, decode_table, encode, encode_name, join, split, text
from contract.numbers import Float32
from tests.helpers.odd_messages import FIELD_VALUES, nested

LIMITS: list[tuple[bytes, Any]] = [
    *FIELD_VALUES,
    *((b"U" + struct.pack(">h", n), n) for n in (-(2**15), 2**15 - 1)),  # which RabbitMQ does not take
    *(
        (kind + struct.pack(f">{code}", n), number(n))
        for kind, code, number in ((b"f", "f", Float32), (b"d", "d", float))
        for n in (math.inf, -math.inf)
    ),
    (b"D\x02" + struct.pack(">i", 12_345), Decimal("123.45")),
    (b"D\xff" + struct.pack(">i", -(2**31)), Decimal(-(2**31)).scaleb(-255)),
]


@pytest.mark.parametrize(("written", "value"), LIMITS)
def test_every_type_is_read_at_its_limits(written: bytes, value: Any) -> None:
    read = decode(written)
    assert read == value
    assert type(read) is type(value)
    assert split(b"\x01a" + written + b"\x01bt\x01") == [(b"a", written), (b"b", b"t\x01")]


@given(st.binary(max_size=300))
@example(b"\x01aF\x7f\xff\xff\xff\x01b")
@example(b"\xff")
@example(b"\x00A\x00\x00\x00\x05A\xff\xff\xff\xff")
@example(b"\x01aZ??")
def test_no_bytes_are_too_odd_to_be_read(table: bytes) -> None:
    decode_table(table)
    decode(table)
    decode_table(join(split(table)))


Written = st.recursive(
    st.sampled_from([written for written, _ in LIMITS]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: measured(b"A", b"".join(items))),
        st.lists(st.tuples(st.binary(max_size=255), inner), max_size=4).map(
            lambda fields: measured(b"F", join(fields))
        ),
    ),
    max_leaves=20,
)


def measured(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack(">I", len(content)) + content


@given(st.lists(st.tuples(st.binary(max_size=255), Written), max_size=8))
def test_what_is_taken_apart_and_put_together_is_as_it_was_sent(fields: list[tuple[bytes, bytes]]) -> None:
    table = join(fields)
    assert split(table) == fields
    assert join(split(table)) == table
    assert decode_table(table).keys() == {text(name) for name, _ in fields}


def test_a_type_that_nobody_knows_is_bytes_with_what_follows() -> None:
    table = b"\x01at\x01\x01bZ12\x01ct\x01"
    assert decode_table(table) == {"a": True, "b": b"Z12\x01ct\x01"}


@pytest.mark.parametrize("kind", [b"A", b"F"])
@pytest.mark.parametrize("depth", [1, DEPTH - 1, DEPTH, DEPTH + 1, 500, 1_000, 5_000, 14_000])
def test_nesting_is_read_to_a_depth_and_kept_beyond_it(kind: bytes, depth: int) -> None:
    written = nested(kind, depth)
    value, found = decode(written), 0
    while isinstance(value, list | dict):
        value = value[0] if isinstance(value, list) else value["n"]
        found += 1
    assert found == min(depth, DEPTH)
    assert value is True if depth <= DEPTH else isinstance(value, bytes)
    assert split(b"\x01a" + written) == [(b"a", written)]


Plain = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"])),
        st.binary(),
    ),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), inner)
    ),
    max_leaves=10,
)


@given(Plain)
def test_what_is_written_is_read_again(value: Any) -> None:
    if not isinstance(value, bytes):
        assert decode(encode(value)) == value
    assert decode(encode([value])) == [value]


def test_what_no_table_can_carry_becomes_text() -> None:
    endless: list[Any] = []
    endless.append(endless)
    for value in (
        2**70,
        10**5_000,
        Decimal("1e999"),
        Decimal("NaN"),
        math.nan,
        -math.inf,
        datetime(1900, 1, 1, tzinfo=UTC),
        "\ud800",
        object(),
    ):
        assert isinstance(decode(encode(value)), str)
    assert isinstance(decode(encode(endless)), list)
    assert decode(encode(Decimal("-1.25"))) == Decimal("-1.25")
    assert len(encode_name("ü" * 300)) == 255
    assert decode(encode({1: (True,)})) == {"1": [True]}
