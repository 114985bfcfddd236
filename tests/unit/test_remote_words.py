"""What is said to an endpoint, and what it answers: requests, answers, refusals, pictures."""

import json
from typing import Any

import numpy as np
import pytest

from contract.picture import PictureError
from tests.helpers.images import encoded
from worker.remote.answer import read_completion, read_pictures
from worker.remote.errors import (
    BadAnswer,
    CallFailed,
    Declined,
    EndpointRefuses,
    Passing,
    PictureRefused,
    Throttled,
)
from worker.remote.picture import PictureTooLarge, blurred, prepare
from worker.remote.refusals import refusal
from worker.remote.request import Dialect, chat_body, estimated_tokens
from worker.remote.usage import Usage

FACE = {"label": "face", "confidence": 0.9, "box": [0, 0, 500, 1000]}
GOOD = {"pictures": [{"description": "a face", "objects": [FACE]}]}


def completion(content: Any, **more: Any) -> bytes:
    choice = {"message": {"content": content}, "finish_reason": "stop"} | more.pop("choice", {})
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    return json.dumps({"choices": [choice], "usage": usage} | more).encode()


def test_a_good_answer_becomes_detections_in_pixels() -> None:
    said = read_completion(completion(json.dumps(GOOD)))
    assert said.usage == Usage(3, 4)
    (seen,) = read_pictures(said.text, 1)
    found = seen.detections(640, 480)
    assert found.boxes.tolist() == [[0, 0, 320, 480]]
    assert seen.description == "a face"


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{json.dumps(GOOD)}\n```",
        f"<think>hm</think> Here you are: {json.dumps(GOOD)} Anything else?",
        json.dumps(GOOD["pictures"][0]),
        json.dumps(GOOD).replace("[0, 0, 500, 1000]", "[500, 1000, 0, 0]"),
    ],
)
def test_what_models_put_around_it_is_left_out(text: str) -> None:
    (seen,) = read_pictures(text, 1)
    assert len(seen.found) == 1


@pytest.mark.parametrize(
    "text",
    [
        "I see two faces.",
        "{}",
        '{"pictures": []}',
        '{"pictures": [{}]}',
        '{"pictures": [{"objects": [{"label": "", "box": [0,0,1,1]}]}]}',
        '{"pictures": [{"objects": [{"label": "face", "box": [0,0,1]}]}]}',
        '{"pictures": [{"objects": [{"label": "face", "box": [0,0,64000,1]}]}]}',
        '{"pictures": [{"objects": [{"label": "face", "box": [0,0,1e999,1]}]}]}',
        "[" * 100_000,
        json.dumps({"pictures": [{"objects": [FACE] * 501}]}),
    ],
)
def test_an_answer_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(BadAnswer):
        read_pictures(text, 1)


def test_the_number_of_pictures_must_be_right() -> None:
    with pytest.raises(BadAnswer, match="1 pictures, not of 2"):
        read_pictures(json.dumps(GOOD), 2)


def test_words_of_a_model_are_printable_and_short() -> None:
    wild = {"pictures": [{"description": "a\x00b\x1b[31m" + "x" * 9_000, "objects": []}]}
    (seen,) = read_pictures(json.dumps(wild), 1)
    assert seen.description.isprintable()
    assert len(seen.description) <= 2_000


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", BadAnswer),
        (b"[1]", BadAnswer),
        (b"null", BadAnswer),
        (b'{"choices": []}', BadAnswer),
        (completion(None), BadAnswer),
        (completion("  "), BadAnswer),
        (completion("{}", choice={"finish_reason": "length"}), BadAnswer),
        (completion("", choice={"finish_reason": "content_filter"}), Declined),
        (completion("", choice={"message": {"content": None, "refusal": "no"}}), Declined),
        (completion("x")[:30], BadAnswer),
    ],
)
def test_an_envelope_that_holds_no_answer_is_told_apart(body: bytes, kind: type[CallFailed]) -> None:
    with pytest.raises(kind):
        read_completion(body)


@pytest.mark.parametrize(
    "usage", [None, "many", {"prompt_tokens": "3"}, {"prompt_tokens": 1.5, "completion_tokens": 1}]
)
def test_a_usage_that_is_none_is_none(usage: Any) -> None:
    assert read_completion(completion("x", usage=usage)).usage is None


def error(message: str = "", code: str = "") -> bytes:
    return json.dumps({"error": {"message": message, "code": code}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, b"", Throttled),
        (429, error("you exceeded your quota", "insufficient_quota"), EndpointRefuses),
        (401, error("bad key"), EndpointRefuses),
        (404, b"not found", EndpointRefuses),
        (302, b"", EndpointRefuses),
        (500, b"<html>", Passing),
        (503, b"", Passing),
        (529, b"", Passing),
        (408, b"", Passing),
        (400, error("the image is too large"), PictureRefused),
        (413, b"", PictureRefused),
        (422, b'{"error": "no"}', PictureRefused),
    ],
)
def test_what_an_answer_other_than_200_means(status: int, body: bytes, kind: type[CallFailed]) -> None:
    assert type(refusal(status, None, body)) is kind


def test_a_refusal_quotes_no_key() -> None:
    said = str(
        refusal(401, None, error("Incorrect API key provided: sk-proj-abcdef. See https://" + "x" * 80))
    )
    assert "abcdef" not in said
    assert "xxxx" not in said


def test_the_dialect_is_learnt_from_refusals() -> None:
    dialect = Dialect()
    assert dialect.learn("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    assert dialect.learn("'response_format' of type json_schema is not supported")
    assert dialect.learn("response_format is not supported")
    assert dialect.learn("'temperature' does not support 0")
    assert not dialect.learn("the image is too large")
    body = json.loads(chat_body("m", "", [b"x"], dialect, 10))
    assert body["max_completion_tokens"] == 10
    assert {"response_format", "temperature", "max_tokens"}.isdisjoint(body)


def test_an_estimate_of_tokens_grows_with_pictures() -> None:
    one = estimated_tokens("", [(512, 512)])
    assert one < estimated_tokens("", [(1024, 512)]) < estimated_tokens("", [(512, 512)] * 3)


def picture(width: int = 1600, height: int = 900) -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
    return encoded(noise, ".jpg")


def test_a_picture_is_made_to_fit() -> None:
    prepared = prepare(picture(), longest=640, most_bytes=20_000_000, max_pixels=10**8)
    assert (prepared.sent_width, prepared.sent_height, prepared.width, prepared.height) == (
        640,
        360,
        1600,
        900,
    )
    small = prepare(picture(), longest=640, most_bytes=40_000, max_pixels=10**8)
    assert len(small.jpeg) * 4 / 3 <= 40_000
    assert small.width == 1600
    with pytest.raises(PictureTooLarge):
        prepare(picture(), longest=640, most_bytes=300, max_pixels=10**8)
    with pytest.raises(PictureError):
        prepare(picture()[:-5_000], longest=640, most_bytes=10**6, max_pixels=10**8)
    with pytest.raises(PictureError):
        prepare(picture(), longest=640, most_bytes=10**6, max_pixels=1_000)


def test_faces_are_blurred_beyond_recognition_and_nothing_else() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (200, 300, 3)).astype(np.uint8)
    hidden = blurred(pixels, np.array([[100, 50, 60, 80]], np.float32))
    face = hidden[60:120, 110:150].astype(float)
    assert face.std() < 0.15 * pixels[60:120, 110:150].astype(float).std()
    assert (hidden[:, :80] == pixels[:, :80]).all()
    assert (hidden[:, 200:] == pixels[:, 200:]).all()
