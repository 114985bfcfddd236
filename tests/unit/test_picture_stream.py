"""Streams of pictures as cameras write them, cut anywhere."""

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import aiohttp
import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.picture import picture_extent
from producer.errors import NoPictures, TooLarge
from producer.sources.http.picture_stream import BrokenPicture, PictureStream, WholePicture
from tests.helpers.media import image, jpeg, png

PICTURES = [jpeg(1), jpeg(2), png(3), jpeg(4)]
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


def seen(stream: PictureStream, pieces: Iterable[bytes]) -> list[WholePicture | BrokenPicture]:
    return [item for piece in pieces for item in stream.feed(piece, 0.0)]


def read(stream: PictureStream, pieces: Iterable[bytes]) -> list[bytes]:
    return [item.content for item in seen(stream, pieces) if isinstance(item, WholePicture)]


FRAMED = written(b"--frame\r\n", "Content-Type: image/jpeg\r\n", b"\r\n")
TAIL = bytes(range(250)) * 40  # the rest of a memory of fixed size

STREAMS = {
    "by the book": FRAMED,
    "dashes forgotten": written(b"frame\r\n", "Content-Type: image/jpeg\r\n", b"\r\n"),
    "no lengths": written(b"--frame\r\n", "Content-Type: image/jpeg\r\n", b"\r\n", lengths=False),
    "no lengths, no newline": written(b"--frame\r\n", "X: y\r\n", b"", lengths=False),
    "no headers": written(b"--frame\r\n", "", b"\r\n", lengths=False),
    "line feeds": written(b"--frame\n", "X: y\n", b"\n", lengths=False, newline="\n"),
    "more empty lines": written(b"\r\n\r\n--frame\r\n\r\n", "X: y\r\n", b"\r\n\r\n\r\n"),
    "an empty line before the picture": written(b"--frame\r\n", "X: y\r\n\r\n", b"\r\n", lengths=False),
    "a preamble": b"This is MJPEG.\r\n" + written(b"--frame\r\n", "X: y\r\n", b"\r\n"),
    "an FF before the picture": written(b"--frame\r\n", "X: y\r\n\r\n\xff", b"\r\n"),
    "pictures alone": b"".join(PICTURES),
    "pictures and line breaks": b"\r\n".join(PICTURES),
    "pictures and zeros": bytes(1000).join(PICTURES),
    "joined in the middle of a picture": PICTURES[0][200:] + b"\r\n" + FRAMED,
    "pictures alone, joined in the middle of one": PICTURES[0][200:] + b"".join(PICTURES),
    "wrong lengths": FRAMED.replace(b"Content-Length: ", b"Content-Length: 1"),
    "lengths that are none": FRAMED.replace(b"Content-Length: ", b"Content-Length: -"),
    "empty parts": FRAMED.replace(b"--frame\r\n", b"--frame\r\nContent-Length: 0\r\n\r\n\r\n--frame\r\n"),
    "text parts": FRAMED.replace(b"--frame\r\n", b"--frame\r\nX: y\r\n\r\nstill alive\r\n--frame\r\n"),
    "padded": written(b"--frame\r\n", "X: y\r\n", TAIL + b"\r\n"),
    "with a preview after each": written(b"--frame\r\n", "X: y\r\n", jpeg(9) + bytes(10) + jpeg(8) + b"\r\n"),
    "as chunks of something": written(b"\r\n--frame\r\nX: y\r\n\r\n", "", b"", lengths=False),
    "another boundary each time": b"".join(
        b"--%d\r\nX: y\r\n\r\n%b\r\n" % (n, picture) for n, picture in enumerate(PICTURES)
    ),
    "headers once": b"--frame\r\nX: y\r\n\r\n" + b"\r\n".join(PICTURES),
}


@pytest.mark.parametrize("name", STREAMS)
@given(data=st.data())
def test_every_picture_arrives_wherever_the_stream_is_cut(name: str, data: st.DataObject) -> None:
    stream = STREAMS[name]
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12).map(sorted))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(PictureStream(MAX), pieces) == PICTURES


@pytest.mark.parametrize("name", STREAMS)
def test_byte_by_byte(name: str) -> None:
    stream = STREAMS[name]
    assert read(PictureStream(MAX), (stream[n : n + 1] for n in range(len(stream)))) == PICTURES


@pytest.mark.parametrize("name", ["by the book", "no lengths", "pictures alone"])
def test_a_picture_arrives_with_its_last_byte_and_does_not_wait_for_what_follows(name: str) -> None:
    stream = PictureStream(MAX)
    until = STREAMS[name].index(PICTURES[0]) + len(PICTURES[0])
    assert not stream.feed(STREAMS[name][: until - 1], 8.0)
    (found,) = stream.feed(STREAMS[name][until - 1 : until], 9.0)
    assert isinstance(found, WholePicture)
    assert (found.arrived, found.content, found.content_type) == (9.0, PICTURES[0], "image/jpeg")


def test_what_looks_like_a_boundary_inside_a_picture_is_none() -> None:
    picture = jpeg(1)[:-100] + b"\r\n--frame\r\n" + jpeg(1)[-100:]
    assert read(PictureStream(MAX), [b"--frame\r\nX: y\r\n\r\n" + picture + b"\r\n--frame\r\n"]) == [picture]


@pytest.mark.parametrize("end", [3, 10, 22, 100, 400, 700, len(PICTURES[0]) - 1])
def test_a_picture_that_is_cut_off_costs_no_other(end: int) -> None:
    head = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"
    parts = [*PICTURES[:2], PICTURES[0][:end], *PICTURES[2:], *PICTURES * 40]
    items = seen(PictureStream(MAX), [b"".join(head + part + b"\r\n" for part in parts)])
    assert [item.content for item in items if isinstance(item, WholePicture)] == PICTURES * 41
    assert sum(isinstance(item, BrokenPicture) for item in items) == 1


def test_the_last_boundary_ends_the_stream() -> None:
    stream = PictureStream(MAX)
    assert read(stream, [b"--frame\r\nX: y\r\n\r\n", PICTURES[0], b"\r\n--frame"]) == [PICTURES[0]]
    assert not stream.ended
    stream.feed(b"--\r\n", 0.0)
    assert stream.ended


def test_a_picture_that_is_too_large_is_refused() -> None:
    endless = PictureStream(MAX)
    endless.feed(b"--frame\r\nX: y\r\n\r\n\xff\xd8\xff\xe0\0\4\0\0", 0.0)
    with pytest.raises(TooLarge):
        read(endless, [bytes(1000)] * (MAX // 1000 + 2))


@pytest.mark.parametrize(
    "rubbish", [b"X: something that goes on and on\r\n" * 100, bytes(1000), b"\xff" * 999]
)
def test_what_never_becomes_a_picture_is_not_kept_and_given_up_in_the_end(rubbish: bytes) -> None:
    stream = PictureStream(MAX)
    for _ in range(MAX // len(rubbish)):
        stream.feed(rubbish, 0.0)
        assert len(stream._buffer) <= 2000
    with pytest.raises(NoPictures):
        read(stream, [rubbish] * 3)


def test_what_comes_between_pictures_is_counted() -> None:
    stream = PictureStream(MAX)
    read(stream, [FRAMED, *[b"\r\n\r\n\r\n--frame\r\n"] * 5])
    assert stream.parts == 6
    assert stream.between > 60
    read(stream, [PICTURES[0]])
    assert (stream.parts, stream.between) == (0, 0)


@given(rubbish=st.binary(max_size=2000), piece=st.integers(1, 100))
def test_rubbish_is_neither_kept_nor_fatal(rubbish: bytes, piece: int) -> None:
    stream = PictureStream(MAX)
    with suppress(TooLarge):  # a PNG may claim as much
        read(stream, (rubbish[n : n + piece] for n in range(0, len(rubbish), piece)))
        # What began in the rubbish may claim the next 64 KiB.
        assert read(stream, [FRAMED] * 40)[-2:] == PICTURES[-2:]


@pytest.mark.alone
@pytest.mark.parametrize(
    "rubbish",
    [
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\0\6\xff\xd8\xff\xe0",
        b"\n\r\n\xff\xd8\xff\xc0\0\x0b\x08\0\1\0\1\1\1\1\1\xff\xda\0\x08\1\1\0\0\x3f\0\xff\xd9",
        b"\n\r\n\xff\xd8\xff\xe0\0\4",
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_what_is_made_to_keep_it_busy_does_not(rubbish: bytes) -> None:
    stream, began = PictureStream(12 << 20), time.process_time()
    with suppress(TooLarge, NoPictures):
        for _ in range(32):
            stream.feed(rubbish * ((128 << 10) // len(rubbish)), 0.0)
    assert time.process_time() - began < 5


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
    seen = read(PictureStream(MAX), (written[n : n + piece] for n in range(0, len(written), piece)))
    assert [picture_extent(picture).end for picture in seen] == [len(picture) for picture in seen]
    assert len(set(seen)) == 10


async def test_what_aiohttp_writes() -> None:
    writer = aiohttp.MultipartWriter("x-mixed-replace")
    for picture in PICTURES:
        writer.append(picture, {"Content-Type": "image/jpeg"})
    written = await writer.as_bytes()
    stream = PictureStream(MAX)
    assert read(stream, [written]) == PICTURES
    assert stream.ended
