"""Multipart streams as cameras write them, cut anywhere."""

from collections.abc import Iterable
from pathlib import Path

import aiohttp
import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.sources.folder import complete
from producer.sources.multipart import NotMultipart, Parts, PartTooLarge
from tests.helpers.media import image, jpeg, png

PICTURES = [jpeg(1), jpeg(2), png(3), jpeg(4)]
ANNOUNCED = "multipart/x-mixed-replace; boundary=frame"
MAX = 100_000


def written(
    before: bytes, headers: str, between: bytes, *, lengths: bool = True, newline: str = "\r\n"
) -> bytes:
    """PICTURES as a stream; each with `before`, header lines, an empty line, the content and `between`."""
    stream = b""
    for picture in PICTURES:
        length = f"Content-Length: {len(picture)}{newline}" if lengths else ""
        stream += before + f"{headers}{length}{newline}".encode() + picture + between
    return stream + before


def read(parts: Parts, pieces: Iterable[bytes]) -> list[bytes]:
    return [part.content for piece in pieces for part in parts.feed(piece, 0.0)]


STREAMS = {
    "by the book": (ANNOUNCED, written(b"--frame\r\n", "Content-Type: image/jpeg\r\n", b"\r\n")),
    "quoted": (
        'multipart/x-mixed-replace;charset=x; boundary="frame"',
        written(b"--frame\r\n", "Content-Type: image/jpeg\r\n", b"\r\n"),
    ),
    "dashes in the name": (
        "multipart/x-mixed-replace; boundary=--frame",
        written(b"--frame\r\n", "Content-Type: image/jpeg\r\n", b"\r\n"),
    ),
    "dashes forgotten": (ANNOUNCED, written(b"frame\r\n", "Content-Type: image/jpeg\r\n", b"\r\n")),
    "another boundary": (ANNOUNCED, written(b"--other\r\n", "Content-Type: image/jpeg\r\n", b"\r\n")),
    "no boundary named": (
        "multipart/x-mixed-replace",
        written(b"--other\r\n", "Content-Type: image/jpeg\r\n", b"\r\n"),
    ),
    "no lengths": (
        ANNOUNCED,
        written(b"--frame\r\n", "Content-Type: image/jpeg\r\n", b"\r\n", lengths=False),
    ),
    "no lengths, no newline": (ANNOUNCED, written(b"--frame\r\n", "X: y\r\n", b"", lengths=False)),
    "no headers": (ANNOUNCED, written(b"--frame\r\n", "", b"\r\n", lengths=False)),
    "line feeds": (ANNOUNCED, written(b"--frame\n", "X: y\n", b"\n", lengths=False, newline="\n")),
    "more empty lines": (ANNOUNCED, written(b"\r\n\r\n--frame\r\n\r\n", "X: y\r\n", b"\r\n\r\n\r\n")),
    "an empty line before the picture": (
        ANNOUNCED,
        written(b"--frame\r\n", "X: y\r\n\r\n", b"\r\n", lengths=False),
    ),
    "a preamble": (ANNOUNCED, b"This is MJPEG.\r\n" + written(b"--frame\r\n", "X: y\r\n", b"\r\n")),
    "lower case": (
        ANNOUNCED.upper().replace("FRAME", "frame"),
        written(b"--frame\r\n", "X: y\r\n", b"\r\n").replace(b"Content-Length: ", b"content-length:"),
    ),
}


@pytest.mark.parametrize("name", STREAMS)
@given(data=st.data())
def test_every_picture_arrives_wherever_the_stream_is_cut(name: str, data: st.DataObject) -> None:
    content_type, stream = STREAMS[name]
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12).map(sorted))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(Parts(content_type, MAX), pieces) == PICTURES


@pytest.mark.parametrize("name", STREAMS)
def test_byte_by_byte(name: str) -> None:
    content_type, stream = STREAMS[name]
    assert read(Parts(content_type, MAX), (stream[n : n + 1] for n in range(len(stream)))) == PICTURES


def test_a_picture_with_a_length_does_not_wait_for_the_next_boundary() -> None:
    parts = Parts(ANNOUNCED, MAX)
    head = f"--frame\r\nContent-Length: {len(PICTURES[0])}\r\n\r\n".encode()
    assert not parts.feed(head, 7.0)
    assert not parts.feed(PICTURES[0][:-1], 8.0)
    (part,) = parts.feed(PICTURES[0][-1:], 9.0)
    assert (part.arrived, part.content) == (9.0, PICTURES[0])


@pytest.mark.parametrize("wrong", [-20, -1, 30, 100])
def test_wrong_lengths_are_found_out_and_believed_no_more(wrong: int) -> None:
    stream = b"".join(
        f"--frame\r\nContent-Length: {len(picture) + wrong}\r\n\r\n".encode() + picture + b"\r\n"
        for picture in PICTURES * 2
    )
    seen = read(Parts(ANNOUNCED, MAX), [stream, b"--frame\r\n"])
    assert seen[-6:] == (PICTURES * 2)[-6:]


def test_what_looks_like_a_boundary_inside_a_picture_is_none() -> None:
    picture = jpeg(1)[:100] + b"--frame and more" + jpeg(1)[100:]
    stream = b"--frame\r\nX: y\r\n\r\n" + picture + b"\r\n--frame\r\n"
    assert read(Parts(ANNOUNCED, MAX), [stream]) == [picture]


def test_the_last_boundary_ends_the_stream() -> None:
    parts = Parts(ANNOUNCED, MAX)
    stream = (
        b"--frame\r\nX: y\r\n\r\n"
        + PICTURES[0]
        + b"\r\n--frame--\r\n--frame\r\nX: y\r\n\r\nmore\r\n--frame\r\n"
    )
    assert read(parts, [stream]) == [PICTURES[0]]
    assert parts.ended


def test_a_part_that_is_too_large_is_refused_when_it_is_announced_and_when_it_is_not() -> None:
    with pytest.raises(PartTooLarge):
        Parts(ANNOUNCED, MAX).feed(f"--frame\r\nContent-Length: {MAX + 1}\r\n\r\n".encode(), 0.0)
    endless = Parts(ANNOUNCED, MAX)
    endless.feed(b"--frame\r\nX: y\r\n\r\n\xff", 0.0)
    with pytest.raises(PartTooLarge):
        read(endless, [bytes(1000)] * (MAX // 1000 + 2))


def test_headers_without_an_end_are_refused() -> None:
    parts = Parts(ANNOUNCED, MAX)
    parts.feed(b"--frame\r\n", 0.0)
    with pytest.raises(NotMultipart):
        read(parts, [b"X: something that goes on and on\r\n"] * 1000)


@given(rubbish=st.binary(max_size=2000), piece=st.integers(1, 100))
def test_rubbish_is_neither_kept_nor_fatal(rubbish: bytes, piece: int) -> None:
    parts = Parts(ANNOUNCED, MAX)
    read(parts, (rubbish[n : n + piece] for n in range(0, len(rubbish), piece)))


def test_what_never_becomes_a_boundary_is_not_kept() -> None:
    parts = Parts(ANNOUNCED, MAX)
    for _ in range(1000):
        parts.feed(b"x" * 1000, 0.0)
        assert len(parts._buffer) <= 17_000


@pytest.mark.parametrize("piece", [1000, 100_000])
def test_what_ffmpeg_writes(tmp_path: Path, piece: int) -> None:
    file = tmp_path / "stream"
    with av.open(str(file), "w", format="mpjpeg") as container:
        stream = container.add_stream("mjpeg", rate=5)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for n in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image(n), format="bgr24")))
        container.mux(stream.encode())
    written = file.read_bytes()
    parts = Parts("multipart/x-mixed-replace;boundary=ffmpeg", MAX)
    seen = read(parts, (written[n : n + piece] for n in range(0, len(written), piece)))
    assert [complete(picture) for picture in seen] == ["image/jpeg"] * 10
    assert len(set(seen)) == 10


async def test_what_aiohttp_writes() -> None:
    writer = aiohttp.MultipartWriter("x-mixed-replace")
    for picture in PICTURES:
        writer.append(picture, {"Content-Type": "image/jpeg"})
    written = await writer.as_bytes()
    parts = Parts(writer.content_type, MAX)
    assert read(parts, [written]) == PICTURES
    assert parts.ended
