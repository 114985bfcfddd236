"""Heads of HTTP answers that break the rules."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.errors import NotHttp
from producer.sources.http.tolerant import AnswerHead, read_head
from tests.helpers.media import jpeg

PICTURE = jpeg(1)


def head(data: bytes) -> AnswerHead:
    found = read_head(data)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("data", "status", "headers"),
    [
        (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 200, [("A", "b")]),
        (b"HTTP/1.0 404\n\n", 404, []),
        (b"ICY 200 OK\r\na:b\r\n\r\n", 200, [("a", "b")]),
        (b"\r\n\r\nhttp/1.1 401 x\r\nA : b c \r\n\r\n", 401, [("A", "b c")]),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n\tc\r\nA: d\r\n\r\n", 200, [("A", "b c"), ("A", "d")]),
        (b"HTTP/1.1 200 OK\r\nA: b\r\nA: c\r\n d\r\n\r\n", 200, [("A", "b"), ("A", "c d")]),
        (
            b"HTTP/1.1 200 OK\r\nno colon\r\n: no name\r\ntwo words: x\r\nA: 1\x002\r\n\r\n",
            200,
            [("A", "12")],
        ),
        (b"HTTP/1.1 200 OK\r\n folded\r\n\r\n", 200, []),
    ],
)
def test_what_can_be_understood_is(data: bytes, status: int, headers: list[tuple[str, str]]) -> None:
    found = head(data + PICTURE)
    assert (found.status, list(found.headers.items()), found.end) == (status, headers, len(data))
    for end in range(len(data)):
        assert read_head(data[:end]) is None, "not before it is complete"


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nA: b\r\n"])
def test_a_picture_begins_its_body_where_nothing_else_does(data: bytes) -> None:
    assert head(data + PICTURE).end == len(data)
    assert head(data + PICTURE).status == 200


@pytest.mark.parametrize(
    "data", [b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail.example ESMTP\r\n", b"\x15\x03\x01" + bytes(20)]
)
def test_what_is_no_http_is_refused(data: bytes) -> None:
    with pytest.raises(NotHttp):
        read_head(data)


def test_headers_without_an_end_are_refused() -> None:
    with pytest.raises(NotHttp):
        read_head(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000)


@given(st.binary(max_size=300))
def test_whatever_comes_is_a_head_or_none_yet_or_no_http(data: bytes) -> None:
    for sent in (data, b"HTTP/1.1 200 OK\r\n" + data, b"HTTP/1.1 200 OK\r\n" + data + b"\r\n\r\n"):
        try:
            found = read_head(sent)
        except NotHttp:
            continue
        assert found is None or found.end <= len(sent)


@pytest.mark.alone
def test_a_head_that_comes_byte_by_byte_takes_no_time() -> None:
    data, began = b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5_000, time.process_time()
    for end in range(len(data) - 2_000, len(data)):
        assert read_head(data[:end]) is None
    assert time.process_time() - began < 1
