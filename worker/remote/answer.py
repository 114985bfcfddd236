"""Reads a chat completion: what it says of each picture, and what it took. Pure.

Nothing in it is believed: a model writes what it likes, and a server between may have cut it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct

from worker.detection.detections import Detections
from worker.remote.errors import BadAnswer, Declined
from worker.remote.usage import Usage

MAX_OBJECTS = 500
MAX_LABEL = 64
MAX_DESCRIPTION = 2_000
SCALE = 1_000
"""A box is told in thousandths of the picture's sides."""
THOUGHTS_END = "</think>"
MOST_OBJECTS = 50
"""That are tried, of an answer with many braces."""


class _Object(Struct):
    label: Annotated[str, Meta(min_length=1)]
    box: Annotated[list[float], Meta(min_length=4, max_length=4)]
    confidence: float = 0.5


class _Picture(Struct):
    objects: Annotated[list[_Object], Meta(max_length=MAX_OBJECTS)]
    description: str = ""


class _Pictures(Struct):
    pictures: list[_Picture]


class _Usage(Struct):
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Seen:
    """What the model says of one picture: boxes in thousandths of its sides."""

    found: Detections
    description: str

    def detections(self, width: int, height: int) -> Detections:
        """The detections in pixels of the frame, clipped to it."""
        return self.found.scaled(width / SCALE, height / SCALE).clipped(width, height)


@dataclass(frozen=True)
class ChatCompletion:
    """The text of a chat completion, and its usage where that is told."""

    text: str
    usage: Usage | None


_pictures = msgspec.json.Decoder(_Pictures)
_picture = msgspec.json.Decoder(_Picture)
_decoder = json.JSONDecoder()


def read_completion(body: bytes) -> ChatCompletion:
    """Read the answer's envelope. Raises BadAnswer, or Declined."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadAnswer("the answer is not JSON, or was cut off") from None
    usage = _usage(answer)
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        content, ended = message.get("content"), choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise BadAnswer("the answer is not a chat completion", usage) from None
    if ended == "content_filter" or message.get("refusal"):
        raise Declined("the endpoint declines to look at this picture", usage)
    if isinstance(content, list):  # parts, as some servers have them
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if isinstance(content, str) and content.strip():
        if ended == "length":
            raise BadAnswer("the answer was too long and was cut off: raise WORKER_REMOTE_MAX_TOKENS", usage)
        return ChatCompletion(content, usage)
    thoughts = message.get("reasoning_content") or message.get("reasoning")
    if not isinstance(thoughts, str):
        raise BadAnswer("the answer has no text", usage)
    if ended == "length" or "{" not in thoughts:
        raise BadAnswer(
            "the model has only thought and not answered: raise WORKER_REMOTE_MAX_TOKENS, or switch its thinking off "
            "at the server",
            usage,
        )
    return ChatCompletion(thoughts, usage)  # some servers take an answer without thoughts for thoughts


def read_pictures(text: str, count: int) -> list[Seen]:
    """Read what is said of `count` pictures. Raises BadAnswer."""
    why: Exception | None = None
    for data in _objects(text):
        try:
            pictures = _told(data, count)
        except (msgspec.DecodeError, RecursionError) as error:
            why = why or error
            continue
        if len(pictures) != count:
            raise BadAnswer(f"the answer tells of {len(pictures)} pictures, not of {count}")
        return [_seen(picture) for picture in pictures]
    raise BadAnswer(f"the answer is not of the form that was asked for: {_short(why)}")


def _told(data: bytes, count: int) -> list[_Picture]:
    try:
        return _pictures.decode(data).pictures
    except (msgspec.DecodeError, RecursionError):
        if count != 1:
            raise
        try:
            return [_picture.decode(data)]  # small models leave the list out
        except (msgspec.DecodeError, RecursionError):
            pass
        raise


def _usage(answer: Any) -> Usage | None:
    told = answer.get("usage") if isinstance(answer, dict) else None
    try:
        usage = msgspec.convert(told, _Usage)
    except (msgspec.ValidationError, ValueError, OverflowError):
        return None
    return Usage(usage.prompt_tokens, usage.completion_tokens)


def _objects(text: str) -> Iterator[bytes]:
    """What may be the JSON, without the fence, the thoughts and the friendly words that models put around it."""
    text = text.rpartition(THOUGHTS_END)[2]
    begin, end = text.find("{"), text.rfind("}")
    yield (text[begin : end + 1] if 0 <= begin < end else text).encode("utf-8", "replace")
    for _ in range(MOST_OBJECTS):  # braces in the words around it
        if begin < 0:
            return
        try:
            _, end = _decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            end = begin + 1
        else:
            yield text[begin:end].encode("utf-8", "replace")
        begin = text.find("{", end)


def _seen(picture: _Picture) -> Seen:
    corners = np.array([each.box for each in picture.objects], np.float64).reshape(-1, 4)
    confidence = np.array([each.confidence for each in picture.objects], np.float64)
    if not (np.isfinite(corners).all() and np.isfinite(confidence).all()):
        raise BadAnswer("a box or a confidence is not a number")
    if len(corners) and (corners.min() < -SCALE or corners.max() > 2 * SCALE):
        raise BadAnswer("a box lies far outside the picture: it is told in thousandths of its sides")
    near = np.minimum(corners[:, :2], corners[:, 2:]).clip(0, SCALE)
    far = np.maximum(corners[:, :2], corners[:, 2:]).clip(0, SCALE)
    found = Detections(
        np.hstack([near, far - near]).astype(np.float32),
        confidence.clip(0, 1).astype(np.float32),
        tuple(_plain(each.label, MAX_LABEL) for each in picture.objects),
    )
    return Seen(
        found.chosen(np.argsort(-found.confidence, kind="stable")),
        _plain(picture.description, MAX_DESCRIPTION),
    )


def _plain(text: str, most: int) -> str:
    """Printable text of that length at most: it will stand on pages and in logs of others."""
    return "".join(each if each.isprintable() else " " for each in text[:most]).strip()


def _short(error: Exception | None) -> str:
    return str(error)[:120]
