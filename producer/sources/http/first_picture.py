"""Finds the first picture of an HTTP answer, and whether more follow. What the answer claims is not believed."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

import aiohttp

from contract.picture import (
    ENOUGH_TO_TELL,
    LEAD,
    ContentType,
    PictureCutOff,
    PictureError,
    Walk,
    find_start,
    other_format,
)
from producer.errors import CutShort, SourceError, VideoAnswer
from producer.sources.http.answers import MAX_BYTES, CameraAnswer, content_length, content_type

REST = 256 * 1024
"""So many bytes behind a picture are read, to keep the connection; where more follow, it is closed."""
REST_SECONDS = 0.25
UNPACKED = ("gzip", "x-gzip", "deflate")
_BLANK = b"\r\n\t \0\xff\xef\xbb\xbf"


class First(NamedTuple):
    """A picture, and when its last byte arrived (Unix seconds).

    `streams`: others follow in the same answer. `lingers`: the answer ended neither with the picture nor soon after.
    """

    content: bytes
    content_type: ContentType
    arrived: float
    streams: bool
    lingers: bool


async def first_picture(answer: CameraAnswer, shown: str, *, wait: bool) -> First:
    """Read up to the end of the first picture and, if `wait`, what comes shortly after it.

    Raises VideoAnswer for a video, SourceError where there is no picture, and CutShort where the answer ends within it.
    """
    pieces = aiter(answer.response.content.iter_any())
    length = content_length(answer.response)
    body = bytearray()
    walk: Walk | None = None
    count = 0
    async for piece in pieces:
        count += len(piece)
        body += piece
        if walk is None and (walk := _beginning(body, final=False)) is None:
            if len(body) >= ENOUGH_TO_TELL and not body.startswith(b"--"):
                _refuse_video(content_type(answer.response))
            if count > MAX_BYTES or (count > LEAD and (length or 0) > MAX_BYTES):
                raise _too_large(shown)
            del body[2 * LEAD :]
            continue
        end = _end(walk, body, shown)
        if end is not None:
            arrived = time.time()
            extent = walk.extent(end)
            content = bytes(body[extent.begin : end])
            framed = b"\n" in body[: extent.begin] and bool(body[: extent.begin].strip(_BLANK))
            body = body[end:]
            packed = "Content-Encoding" in answer.response.headers
            left = length - count if length is not None and length <= MAX_BYTES and not packed else None
            streams, lingers = framed, True
            if left is not None and left <= 0 and not framed:
                lingers = False
            elif wait and not framed:
                streams, lingers = await _rest(pieces, body, left, b"MPF\0" in content[:LEAD])
            return First(content, extent.content_type, arrived, streams, lingers)
        if len(body) - walk.begin > MAX_BYTES:
            raise _too_large(shown)
    raise _without_a_picture(body, walk, answer, shown)


def _beginning(body: bytearray, *, final: bool) -> Walk | None:
    """The walk along the picture that begins here, if one does. Raises VideoAnswer if a video does."""
    if len(body) < ENOUGH_TO_TELL and not final:
        start = find_start(body)
        return Walk(start) if start == 0 else None
    other = other_format(body)
    if other is not None:
        if "video" in other or "playlist" in other:
            raise VideoAnswer(other)
        return None
    start = find_start(body[: LEAD + 8])
    return None if start < 0 else Walk(start)


def _refuse_video(said: str) -> None:
    """Raise VideoAnswer where nobody knows the bytes, but the answer claims that they are a video."""
    if said.startswith("video/") or "mpegurl" in said:
        raise VideoAnswer("an HLS playlist" if "mpegurl" in said else said)


def _end(walk: Walk, body: bytearray, shown: str) -> int | None:
    try:
        end = walk.end(body)
        if end is not None:
            walk.size()
    except PictureCutOff:
        raise CutShort("not_an_image", f"{shown} sends pictures that are cut off") from None
    except PictureError as error:
        raise SourceError("not_an_image", f"{shown} sends a picture that is broken: {error}") from None
    return end


async def _rest(
    pieces: AsyncIterator[bytes], rest: bytearray, left: int | None, is_album: bool
) -> tuple[bool, bool]:
    """Read what follows the picture. Returns whether it is a stream, and whether the answer has no end yet.

    `left` bytes were announced beyond `rest`. `is_album` if the picture says that others belong to it.
    """
    try:
        async with asyncio.timeout(REST_SECONDS):
            while len(rest) <= REST and (left is None or left <= REST):
                if _goes_on(rest, bare=left is None and not is_album):
                    return True, True
                if (piece := await anext(pieces, None)) is None:
                    return False, False
                rest += piece
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass  # the picture is there, and whatever is wrong with the rest hurts nobody
    return _goes_on(rest, bare=left is None and not is_album), True


def _goes_on(rest: bytearray, *, bare: bool) -> bool:
    """Whether the next part follows, or the next picture, if `bare` pictures are looked for."""
    following = rest[:LEAD].lstrip(b"\r\n\t ")
    if following.startswith(b"--"):
        line = following.partition(b"\n")[0].rstrip()
        return not (len(line) > 4 and line.endswith(b"--")) and len(line) < len(following)
    return bare and find_start(following[:8]) == 0


def _too_large(shown: str) -> SourceError:
    return SourceError("too_large", f"{shown} sends more than {MAX_BYTES >> 20} MiB")


def _without_a_picture(body: bytearray, walk: Walk | None, answer: CameraAnswer, shown: str) -> SourceError:
    if not body:
        return SourceError("not_an_image", f"{shown} answers with nothing")
    if walk is None:
        walk = _beginning(body, final=True)
    if walk is not None:
        return CutShort("not_an_image", f"{shown} sends pictures that are cut off")
    packed = answer.response.headers.get("Content-Encoding", "").strip().lower()[:20]
    if packed not in ("", "identity", *UNPACKED):
        text = (
            f"{shown} answers with something packed as {packed}, which is not unpacked here: switch that off"
        )
        return SourceError("not_an_image", text)
    said, really = content_type(answer.response), other_format(body)
    if said and really and really.lower() not in said:
        said = f"{said} that is {really}"
    if said in ("image/jpeg", "image/jpg", "image/png") and really is None:
        return SourceError("not_an_image", f"{shown} says {said}, and what it sends is not a JPEG or PNG")
    what = said or really or "something else"
    return SourceError("not_an_image", f"{shown} answers with {what}, not with a JPEG or PNG")
