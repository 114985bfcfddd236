"""The first picture of whatever an HTTP camera answers, in whatever pieces it comes."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from producer.errors import SourceError, VideoAnswer
from producer.sources.http.answers import CameraAnswer
from producer.sources.http.first_picture import First, first_picture
from tests.helpers.media import jpeg, png

PICTURE = jpeg(1)
PART = b"--X\r\nContent-Type: image/jpeg\r\n\r\n" + PICTURE + b"\r\n"


@dataclass
class Body:
    """An answer whose body comes in these pieces and then ends."""

    pieces: Sequence[bytes]
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    status: int = 200

    @property
    def content(self) -> "Body":
        return self

    async def iter_any(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    def close(self) -> None:
        pass


async def first(*pieces: bytes, **headers: str) -> First:
    body = Body(pieces, CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}))
    return await first_picture(CameraAnswer(body, elsewhere=False), "the camera", wait=True)


@pytest.mark.parametrize(
    ("body", "streams"),
    [
        (PICTURE, False),
        (PICTURE + bytes(70_000), False),
        (b"\r\n\xff" + PICTURE + b"\r\n", False),
        (png(1), False),
        (PICTURE + b"\r\n--X--\r\n", False),
        (PART, True),
        (PICTURE + b"\r\n" + PART, True),
        (PICTURE * 2, True),
        (PICTURE + b"\r\n" + png(1), True),
        (PICTURE[:2] + b"\xff\xe2\0\x06MPF\0" + PICTURE[2:] + PICTURE, False),
    ],
)
async def test_what_follows_a_picture_shows_whether_it_is_a_stream(body: bytes, streams: bool) -> None:
    found = await first(body)
    assert found.streams is streams
    assert found.content in body


async def test_of_what_has_a_length_nothing_is_waited_for() -> None:
    found = await first(PICTURE * 2, Content_Length=str(2 * len(PICTURE)))
    assert (found.content, found.streams, found.lingers) == (PICTURE, False, False)


@given(st.binary(max_size=600), st.integers(1, 300), st.integers(0, 3))
async def test_whatever_comes_is_a_picture_or_has_a_reason(rubbish: bytes, size: int, kind: int) -> None:
    body = [rubbish, PICTURE[:-20] + rubbish, rubbish + PICTURE, PICTURE + rubbish][kind]
    try:
        found = await first(*(body[n : n + size] for n in range(0, len(body), size)))
    except (SourceError, VideoAnswer):
        assert kind < 3, "what follows a picture hurts nobody"
    else:
        assert found.content in body


@pytest.mark.parametrize("coding", ["br", "zstd", " BR "])
async def test_a_coding_that_is_not_unpacked_is_named(coding: str) -> None:
    with pytest.raises(SourceError, match=f"packed as {coding.strip().lower()}, which is not unpacked here"):
        await first(bytes(range(1, 200)), Content_Type="image/jpeg", Content_Encoding=coding)


@pytest.mark.parametrize("said", ["image/jpeg", "image/png"])
async def test_what_only_says_that_it_is_a_picture_is_told_without_contradiction(said: str) -> None:
    with pytest.raises(SourceError, match=f"says {said}, and what it sends is not a JPEG or PNG"):
        await first(bytes(range(1, 200)), Content_Type=said)
