"""The browser's contract: what the gateway writes byte by byte, and the document that describes it."""

import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from fastapi import FastAPI

from contract.api.cameras import CameraView
from contract.api.nodes import NodeView
from contract.browser import GoneCamera, Painted, Subscribe
from contract.document import ANSWERS, answer_schemas, document, message_schemas
from contract.result import DetectedObject, Result, encode_result
from gateway.http import openapi
from gateway.live.hub import Hub
from gateway.live.protocol import DASHBOARD, parse_message
from gateway.live.update import Subscription, Update
from gateway.live.viewer import Viewer, ViewerKind, Withheld

RESULT = Result(
    timestamp=2.5,
    original_timestamp=2.25,
    node_id="n",
    detections=[DetectedObject(x=1, y=2, w=3, h=4, confidence=0.5, label="face", landmarks=[(1, 2)])],
    camera_id="a",
    frame_id="a:1",
    width=640,
    height=480,
    model="yunet@eb",
    status="ok",
    processing_seconds=0.25,
    queue_seconds=0.0,
)
RESULT_BYTES = (
    b'{"timestamp":2.5,"original_timestamp":2.25,"node_id":"n","detections":[{"x":1,"y":2,"w":3,"h":4,'
    b'"confidence":0.5,"label":"face","landmarks":[[1,2]]}],"camera_id":"a","frame_id":"a:1","width":640,'
    b'"height":480,"model":"yunet@eb","status":"ok","processing_seconds":0.25,"queue_seconds":0.0,"schema":1}'
)
CAMERA = CameraView("a", "live", None, 1.0, name="Gate", fps=2.0)
CAMERA_BYTES = (
    b'{"camera_id":"a","state":"live","reason":null,"since":1.0,"name":"Gate","group":null,"location":null,'
    b'"district":null,"still":false,"fps":2.0,"last_result":null,"faces":null,"latency":null,"width":null,'
    b'"height":null,"producer_id":null,"sender":null}'
)
NODE = NodeView(
    *(
        "n",
        "running",
        "live",
        "yunet@eb",
        "yunet",
        None,
        1.0,
        0.5,
        1,
        1.0,
        2.0,
        7,
        None,
        True,
        None,
        "0",
        "h",
        9,
    )
)
NODE_BYTES = (
    b'{"node_id":"n","state":"running","lane":"live","model":"yunet@eb","detector":"yunet","fallback":null,'
    b'"fps":1.0,"busy":0.5,"prefetch":1,"since":1.0,"last_seen":2.0,"desired":7,"model_error":null,"settled":true,'
    b'"drain":null,"version":"0","host":"h","memory":9}'
)
GONE_BYTES = b'{"camera_id":"b","gone":true}'


def payload_of(frame: bytes) -> bytes:
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]


def sent() -> Iterator[bytes]:
    """One of each message that a dashboard gets, by the way that the gateway takes."""
    encode = msgspec.json.encode
    yield payload_of(DASHBOARD.greeting(5.5, "0.1", 2.0))
    viewer = Viewer(ViewerKind.DASHBOARD, lambda: None)
    hub = Hub()
    hub.join(viewer, Subscription(None, frozenset({"b"})), 0.0)
    body = encode_result(RESULT)
    hub.publish(Update("a", "a:1", 1.0, 0.0, body))
    hub.publish_picture(Update("b", "b:1", 1.0, 0.0, body, b"\xff\xd8jpeg", "image/jpeg"))
    viewer.offer_nodes(encode([NODE]))
    viewer.withhold(Withheld(frozenset({"c"}), frozenset({"b"})))
    viewer.offer_camera("a", encode(CAMERA))
    viewer.offer_camera("b", encode(GoneCamera("b", gone=True)))
    for _ in range(5):
        yield payload_of(DASHBOARD.next(viewer))


HEAD_BYTES = RESULT_BYTES[:-1] + b',"content_type":"image/jpeg"}'
EXPECTED = [
    ("HelloMessage", b'{"type":"hello","time":5.5,"staleness":2.0,"version":"0.1"}'),
    ("NodesMessage", b'{"type":"nodes","items":[' + NODE_BYTES + b"]}"),
    ("WithheldMessage", b'{"type":"withheld","unknown":["c"],"crowded":["b"]}'),
    ("CamerasMessage", b'{"type":"cameras","items":[' + CAMERA_BYTES + b"," + GONE_BYTES + b"]}"),
    ("ResultsMessage", b'{"type":"results","results":[' + RESULT_BYTES + b"]}"),
    ("PictureHead", struct.pack("!I", len(HEAD_BYTES)) + HEAD_BYTES + b"\xff\xd8jpeg"),
]


def faults(name: str, value: object) -> list[str]:
    """What keeps the value from being of the schema `name`."""
    made = document()
    schema = {"$ref": f"#/components/schemas/{name}", "components": made["components"]}
    return [error.message for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(value)]


def test_dashboards_get_these_bytes() -> None:
    assert list(sent()) == [expected for _, expected in EXPECTED]


@pytest.mark.parametrize(("name", "message"), EXPECTED, ids=[name for name, _ in EXPECTED])
def test_the_document_describes_what_dashboards_get(name: str, message: bytes) -> None:
    text = message[4 : 4 + len(HEAD_BYTES)] if name == "PictureHead" else message
    assert not faults(name, json.loads(text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Subscribe", '{"type":"subscribe","cameras":["a"],"pictures":[]}'),
        ("Subscribe", '{"type":"subscribe","cameras":null,"groups":["north"],"detections":true}'),
        ("Painted", '{"type":"painted","frame_id":"f","age":0.25}'),
    ],
)
def test_the_document_describes_what_dashboards_say(name: str, text: str) -> None:
    assert type(parse_message(text)) is {"Subscribe": Subscribe, "Painted": Painted}[name]
    assert not faults(name, json.loads(text))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Subscribe", {"type": "subscribe", "cameras": ["no camera"]}),
        ("Subscribe", {"type": "painted"}),
        ("Result", msgspec.to_builtins(RESULT) | {"detections": [{}]}),
        ("CamerasMessage", {"type": "cameras", "items": [{"camera_id": "a", "gone": False, "state": "?"}]}),
        ("NodesMessage", {"type": "nodes", "items": [{"node_id": "n"}]}),
    ],
)
def test_the_document_describes_nothing_else(name: str, value: object) -> None:
    assert faults(name, value)


def without_nulls(schema: Any) -> Any:
    """The schema as FastAPI shows it: without defaults that are null."""
    if isinstance(schema, dict):
        return {key: without_nulls(value) for key, value in schema.items() if value is not None}
    return [without_nulls(each) for each in schema] if isinstance(schema, list) else schema


def test_the_gateway_s_document_has_the_same_shapes() -> None:
    app = FastAPI()
    openapi.install(app)
    for number, answer in enumerate(ANSWERS):
        app.get(f"/{number}", response_model=answer)(lambda: None)
    schemas = app.openapi()["components"]["schemas"]
    assert schemas == without_nulls(message_schemas() | answer_schemas())


def test_a_view_is_written_whole() -> None:
    """Readers rely on it: what a `default` leaves out of a schema's `required` is sent all the same."""
    encoded = msgspec.json.encode(replace(CAMERA, name=None, fps=None))
    assert set(json.loads(encoded)) == set(document()["components"]["schemas"]["CameraView"]["properties"])
