"""What producer and decoding process tell each other survives the way, and nothing else is taken for it."""

import pytest

from producer.sources.streams.messages import (
    LENGTH_BYTES,
    Close,
    DecodedPicture,
    DecodeRequest,
    KeyframesOnly,
    LeftOut,
    News,
    Open,
    Order,
    Ping,
    Pong,
    StreamEnded,
    Take,
    framed,
    length_of,
    parse_news,
    parse_order,
)

REQUEST = DecodeRequest(
    url="rtsp://me:hunter2@h/s", shown="rtsp://h/s", open_timeout=10.0, fps=2.5, pace="media"
)


def body(message: Order | News) -> bytes:
    data = framed(message)
    assert length_of(data[:LENGTH_BYTES]) == len(data) - LENGTH_BYTES
    return data[LENGTH_BYTES:]


@pytest.mark.parametrize("order", [Open(1, REQUEST), Take(2), KeyframesOnly(3, True), Close(4), Ping()])
def test_orders_come_back_the_same(order: Order) -> None:
    assert parse_order(body(order)) == order


@pytest.mark.parametrize(
    "news",
    [
        DecodedPicture(1, 1795216000.123, b"\xff\xd8\x00\xff", 7, {"rate": 12}),
        LeftOut(2, {"corrupt": 1}, "v.avi has packets that do not decode"),
        StreamEnded(3),
        StreamEnded(4, "timeout", "it does not answer"),
        Pong({5: 0.25}),
    ],
)
def test_news_come_back_the_same(news: News) -> None:
    assert parse_news(body(news)) == news


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(ValueError, match="broken"):
        length_of(b"\xff\xff\xff\xff")
    with pytest.raises(ValueError, match="Ping"):
        parse_news(body(Ping()))
    with pytest.raises(ValueError, match="truncated"):
        parse_order(body(Open(1, REQUEST))[:-1])


def test_a_request_shows_no_password() -> None:
    assert "hunter2" not in repr(Open(1, REQUEST))
    assert "rtsp://h/s" in repr(REQUEST)
