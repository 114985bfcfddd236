"""What senders write by mistake: read where it says the same, else refused with its remedy."""

import base64
import gzip
import json
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contract.errors import InvalidTask
from contract.failures import FailureReason
from contract.numbers import Float32
from contract.task import MAX_BODY_BYTES, parse_head, parse_task

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(255))
WHEN = 1795216000.123
BASE64 = base64.b64encode(JPEG).decode()
URL_SAFE = base64.urlsafe_b64encode(JPEG).decode()


def fields(**changes: Any) -> dict[str, Any]:
    return {"frame": BASE64, "timestamp": WHEN, "camera_id": "gate-3"} | changes


def body(**changes: Any) -> bytes:
    return json.dumps(fields(**changes)).encode()


def refused(data: bytes, **properties: Any) -> InvalidTask:
    with pytest.raises(InvalidTask) as caught:
        parse_task(data, **properties)
    return caught.value


@pytest.mark.parametrize(
    "data",
    [
        body(frame=f"data:image/jpeg;base64,{BASE64}"),
        body(frame=f"data:image/jpeg;charset=utf-8;base64,{BASE64}\n"),
        body(frame=URL_SAFE),
        body(frame=URL_SAFE.rstrip("=")),
        body(frame=BASE64.rstrip("=")),
        body(frame=f"  {BASE64[:40]} \r\n\t{BASE64[40:]}\n"),
        body(frame=str(base64.b64encode(JPEG))),
        body(frame=base64.b64encode(BASE64.encode()).decode()),
        body(timestamp=str(WHEN)),
        body(model=None, frame_id=None),
        json.dumps(body().decode()).encode(),
        gzip.compress(body(), mtime=0),
        zlib.compress(body()),
        b"\xef\xbb\xbf" + body(),
        body().decode().encode("utf-16"),
        body().decode().encode("utf-16-le"),
        body().decode().encode("utf-32-be"),
        gzip.compress(b"\xef\xbb\xbf" + body(), mtime=0),
        body() + b"\0",
        b"\r\n " + body() + b"\r\n",
    ],
)
@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", None, "image/jpeg"]
)
def test_json_that_says_the_same_is_read(data: bytes, content_type: str | None) -> None:
    task = parse_task(data, content_type=content_type)
    assert (task.image, task.timestamp, task.camera_id, task.model) == (JPEG, WHEN, "gate-3", None)
    head = parse_head(data, content_type=content_type)
    assert (head.timestamp, head.camera_id, head.frame_id) == (WHEN, "gate-3", task.frame_id)


def test_a_camera_that_is_null_is_the_default_one() -> None:
    assert parse_task(body(camera_id=None)).camera_id == "default"


@pytest.mark.parametrize(
    "content_type", ["image/jpeg", "IMAGE/JPEG; charset=binary", "application/octet-stream", "", None]
)
@pytest.mark.parametrize("picture", [JPEG, PNG])
@pytest.mark.parametrize("wrap", [bytes, gzip.compress, base64.b64encode, base64.urlsafe_b64encode])
def test_a_picture_is_the_compact_form_whatever_it_is_called(
    content_type: str | None, picture: bytes, wrap: Any
) -> None:
    headers = {"timestamp": WHEN, "camera_id": "gate-3"}
    task = parse_task(wrap(picture), content_type=content_type, headers=headers)
    assert (task.image, task.timestamp, task.camera_id) == (picture, WHEN, "gate-3")
    assert parse_head(wrap(picture), content_type=content_type, headers=headers).frame_id == task.frame_id


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (WHEN, WHEN),
        (1795216000, 1795216000.0),
        ("1795216000.123", WHEN),
        (b"1795216000.123", WHEN),
        (Decimal("1795216000.123"), WHEN),
        (datetime.fromtimestamp(1795216000, UTC), 1795216000.0),
        (datetime.fromtimestamp(1795216000, UTC).replace(tzinfo=None), 1795216000.0),
        (0.0, 0.0),
    ],
)
def test_the_compact_forms_time_in_every_type_of_amqp(written: Any, read: float) -> None:
    assert parse_task(JPEG, content_type="image/jpeg", headers={"timestamp": written}).timestamp == read


def test_the_same_picture_sent_again_is_another_frame() -> None:
    def frame_id(**headers: Any) -> str:
        names = {
            parse_task(JPEG, content_type="image/jpeg", headers=headers).frame_id,
            parse_head(JPEG, content_type="image/jpeg", headers=headers).frame_id,
        }
        assert len(names) == 1
        return names.pop()

    first = frame_id(timestamp=WHEN)
    assert first.startswith("default:")
    assert len(first) == len("default:") + 16
    assert first == frame_id(timestamp=str(WHEN)), (
        "a redelivery is recognised, whoever wrote the header again"
    )
    assert len({first, frame_id(timestamp=WHEN + 0.001), frame_id(timestamp=WHEN, model="haar")}) == 3


@pytest.mark.parametrize(
    ("data", "reason", "remedy"),
    [
        (body(timestamp=1795216000123), "invalid_task", "divide by 1000 (1795216000.123)"),
        (body(timestamp=1795216000123.0), "invalid_task", "milliseconds"),
        (body(timestamp="1795216000123"), "invalid_task", "milliseconds"),
        (body(timestamp=1795216000123456), "invalid_task", "divide by 1000000 (1795216000.123)"),
        (body(timestamp=1795216000123456789), "invalid_task", "divide by 1000000000 (1795216000.123)"),
        (body(timestamp=10**400), "invalid_task", "Unix seconds"),
        (body(timestamp="2026-11-21T01:06:40.123Z"), "invalid_task", "write 1795223200.123"),
        (body(timestamp="2026-11-21T03:06:40+02:00"), "invalid_task", "write 1795223200.000"),
        (body(timestamp="2026-11-21 01:06:40"), "invalid_task", "without a time zone"),
        (body(timestamp="now"), "invalid_task", "`timestamp` is \"now\": it is the time of capture in Unix seconds"),
        (body(timestamp=-5), "invalid_task", "negative"),
        (body(timestamp="-5"), "invalid_task", "negative"),
        (body(timestamp="nan"), "invalid_task", "Unix seconds"),
        (body(timestamp=float("nan")), "not_json", "no NaN"),
        (body(timestamp=float("inf")), "not_json", "no Infinity"),
        (body(timestamp=True), "invalid_task", "`timestamp` is true"),
        (body(timestamp=[1]), "invalid_task", "`timestamp` is an array"),
        (body(timestamp=None), "invalid_task", "`timestamp` is missing"),
        (json.dumps({"frame": BASE64, "ts": 1}).encode(), "invalid_task", "`ts` is there: it is called `timestamp`"),
        (json.dumps({"image": BASE64, "timestamp": 1}).encode(), "invalid_task", "it is called `frame`"),
        (json.dumps({"imageBase64": BASE64, "timestamp": 1}).encode(), "invalid_task", "it is called `frame`"),
        (json.dumps({"task": {}, "timestamp": 1}).encode(), "invalid_task", "`frame` is missing among task, timestamp"),
        (b"{}", "invalid_task", "no fields"),
        (body(frame=[255, 216]), "invalid_task", "`frame` is an array: it is text, base64"),
        (body(frame={"type": "Buffer"}), "invalid_task", "`frame` is an object: it is text, base64"),
        (body(frame="http://10.0.0.7/snapshot.jpg"), "not_base64", "an address"),
        (body(frame="/tmp/face.JPG"), "not_base64", "an address"),
        (body(frame=JPEG.decode("latin-1")), "not_base64", "Encode the bytes"),
        (body(frame=BASE64[:41]), "not_base64", "is it complete"),
        (body(frame="data:image/svg+xml,<svg/>"), "not_base64", "data URI"),
        (body(frame=base64.b64encode(b"RIFF\0\0\0\0WEBPVP8 ").decode()), "not_an_image", "is WebP: only JPEG and PNG"),
        (body(camera_id="gate 3.left"), "invalid_task", 'for example "gate_3_left"'),
        (body(camera_id="x" * 65), "invalid_task", "1 to 64 characters"),
        (body(camera_id=7), "invalid_task", 'it is text: write "7"'),
        (body(frame_id=7), "invalid_task", 'it is text: write "7"'),
        (body(frame_id=""), "invalid_task", "leave it out"),
        (body(model=""), "invalid_task", "leave it out"),
        (body(model=["yunet"]), "invalid_task", "`model` is an array: it is text"),
        (json.dumps([fields()]).encode(), "invalid_task", "a JSON array: each task is a message of its own"),
        (body() + b"\n" + body(), "not_json", "each task is a message of its own"),
        (b"42", "invalid_task", "no object"),
        (b"[object Object]", "not_json", "JSON.stringify"),
        (b"[[[[", "not_json", "is not JSON (Input data was truncated)"),
        (b"[1, 2", "not_json", "is not JSON"),
        (body(frame_id="\ud800"), "not_json", r"half a character, \ud800 without the other surrogate"),
        (body(camera_id="a\udc00b"), "not_json", r"half a character, \udc00 without"),
        (body(other=["\ud83d😀"]), "not_json", r"half a character, \ud83d without"),
        (body(frame_id="\ud800")[:-1], "not_json", "is not JSON"),
        (json.dumps({"data": fields()}).encode(), "invalid_task", "missing: it is inside `data`. A task's fields"),
        (b'{"data": {"image": ""}, "timestamp": 1}', "invalid_task", "`frame` is missing among data, timestamp: a"),
        (json.dumps({"frame": BASE64, "meta": {"timestamp": WHEN}}).encode(), "invalid_task", "it is inside `meta`"),
        (b'{"timestamp": 1, "boxes": [{"x": 1}], "to": {"y": 2}}', "invalid_task", "among timestamp, boxes, to: a"),
        (json.dumps({"x": '\\": {"frame":', "ü": 1}).encode(), "invalid_task", "`frame` is missing among x,"),
        (str(fields()).encode(), "not_json", "json.dumps"),
        (f"frame={BASE64}&timestamp=1".encode(), "not_json", "a form"),
        (b"<task/>", "not_json", "XML"),
        (b"\x28\xb5\x2f\xfd rest", "not_json", "zstd"),
        (b"GIF89a rest", "not_json", "is GIF: only JPEG and PNG are read"),
        (b"\x80\x04\x95 pickled", "not_json", "it begins with 80 04 95"),
        (b"hello", "not_json", "a task is a JSON object"),
        (gzip.compress(body())[:-9], "not_json", "ends before its end"),
        (b"\x1f\x8b\x08 damaged", "not_json", "damaged"),
        (gzip.compress(b" " * (MAX_BODY_BYTES + 1)), "too_large", "unpacks to more than"),
    ],
)  # fmt: skip
def test_the_rest_is_refused_with_its_remedy(data: bytes, reason: str, remedy: str) -> None:
    error = refused(data)
    assert error.reason == FailureReason(reason)
    assert remedy in str(error)
    assert len(str(error)) < 450, "it is cut at 500 in the dead letter"


@pytest.mark.parametrize(
    ("headers", "remedy"),
    [
        ({}, "the header `timestamp` is missing"),
        ({"Timestamp": WHEN}, "`Timestamp` is there: it is called `timestamp`"),
        ({"timestamp": 1795216000123}, "the header `timestamp` is 1795216000123: these are milliseconds"),
        ({"timestamp": datetime(2026, 11, 21, tzinfo=UTC) - timedelta(days=365 * 99)}, "negative"),
        (
            {"timestamp": Float32(1795215936)},
            "32-bit float, which cannot hold Unix seconds (it is off by up to 64)",
        ),
        ({"timestamp": float("nan")}, "Unix seconds"),
        ({"timestamp": "1e400"}, "Unix seconds"),
        ({"timestamp": Decimal("1e400")}, "Unix seconds"),
        ({"timestamp": Decimal("sNaN")}, "Unix seconds"),
        ({"timestamp": 10**400}, "Unix seconds"),
        ({"timestamp": True}, "the header `timestamp` is true"),
        ({"timestamp": b"\xff"}, "the header `timestamp` is bytes"),
        ({"timestamp": {"a": 1}}, "the header `timestamp` is an object"),
        ({"timestamp": WHEN, "camera_id": "gate.3"}, 'for example "gate_3"'),
        ({"timestamp": WHEN, "camera_id": 3}, 'write "3"'),
        ({"timestamp": WHEN, "model": b"\xff"}, "the header `model` is bytes: it is text"),
    ],
)
@pytest.mark.parametrize("content_type", ["image/jpeg", "application/octet-stream"])
def test_headers_are_refused_with_their_remedy(
    headers: dict[str, Any], remedy: str, content_type: str
) -> None:
    error = refused(JPEG, content_type=content_type, headers=headers)
    assert error.reason is FailureReason.INVALID_TASK
    assert remedy in str(error)


def test_what_is_no_picture_is_left_to_the_decoder_in_the_compact_form() -> None:
    odd = b"\n" + JPEG
    assert parse_task(odd, content_type="image/jpeg", headers={"timestamp": WHEN}).image == odd
    assert "HEIF or AVIF" in str(
        refused(b"\0\0\0\x18ftypheic", content_type="image/heic", headers={"timestamp": WHEN})
    )


@pytest.mark.alone
@pytest.mark.parametrize(
    "made",  # when its test runs: together they take 120 MB
    [
        lambda: b'{"frame": "' + b"=" * (MAX_BODY_BYTES - 100) + b'", "timestamp": 1}',
        lambda: b'{"frame": "' + b" " * (MAX_BODY_BYTES - 100) + b'", "timestamp": "1"}',
        lambda: b"{" + b",".join(b'"%d":0' % n for n in range(1_000_000)) + b"}",
        lambda: b"[" * 1_000_000,
        lambda: b'{"frame": [' + b"[]," * 4_000_000 + b'0], "timestamp": 1}',
        lambda: b'{"x": [' + b"[]," * 4_000_000 + b"0]}",
        lambda: b'{"timestamp": ' + b"1" * 5_000_000 + b"}",
        lambda: b": " * 5_000_000 + b"NaN",
        lambda: b"a" * 10_000_000 + b"=",
        lambda: gzip.compress(b"[" * 10_000_000),
        lambda: b'{"a": "' + rb"\u0041" * 1_900_000,
        lambda: b'{"a": "' + rb"\ud800" * 1_900_000,
        lambda: b'{"a": "' + b"\\" * 12_000_000,
        lambda: b'{"a": "' + b"\\" * 10_000_000 + rb"\ud800" * 9_000,
        lambda: b"{" + b'"a": {}, ' * 1_300_000 + b'"b": 1}',
    ],
)
def test_nothing_takes_long(made: Callable[[], bytes]) -> None:
    data = made()
    begun = time.process_time()
    refused(data)
    assert time.process_time() - begun < 2
