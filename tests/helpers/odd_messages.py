"""Messages as clients write them by mistake or on purpose, each in a way that a library of ours once raised at.

Every one is legal AMQP: RabbitMQ takes it (3.10 and 4.0). What breaks AMQP itself costs its sender the connection.
"""

import base64
import gzip
import json
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from broker.properties import Fields, Properties, fields_of, write
from broker.tables import Raw
from contract.numbers import Float32
from contract.task import MAX_BODY_BYTES
from tests.helpers.raw_amqp import long


@dataclass(frozen=True)
class Odd:
    """One message; the properties as they are sent, flags first."""

    name: str
    properties: bytes
    body: bytes


FIELD_VALUES: list[tuple[bytes, Any]] = [
    (b"t\x00", False),
    (b"t\x01", True),
    *((b"b" + struct.pack(">b", n), n) for n in (-128, 0, 127)),
    *((b"B" + struct.pack(">B", n), n) for n in (0, 255)),
    *((b"s" + struct.pack(">h", n), n) for n in (-(2**15), 2**15 - 1)),
    *((b"u" + struct.pack(">H", n), n) for n in (0, 2**16 - 1)),
    *((b"I" + struct.pack(">i", n), n) for n in (-(2**31), 2**31 - 1)),
    *((b"i" + struct.pack(">I", n), n) for n in (0, 2**32 - 1)),
    *((b"l" + struct.pack(">q", n), n) for n in (-(2**63), 2**63 - 1)),
    *((b"L" + struct.pack(">q", n), n) for n in (-(2**63), 2**63 - 1)),
    *((b"f" + struct.pack(">f", n), Float32(n)) for n in (0.25, -3.4028234663852886e38)),
    *((b"d" + struct.pack(">d", n), n) for n in (1_795_216_000.123456, 5e-324, 1e308)),
    (b"T" + struct.pack(">Q", 1_795_216_000), 1_795_216_000),
    (b"T" + struct.pack(">Q", 1_795_216_000_123), 1_795_216_000_123),  # in milliseconds
    (b"T" + struct.pack(">q", -1), 2**64 - 1),  # before 1970
    (b"S" + long("ü".encode()), "ü"),
    (b"S" + long(b"\xfc"), b"\xfc"),
    (b"x" + long(b"a"), b"a"),
    (b"A" + long(b"t\x01V"), [True, None]),
    (b"F" + long(b"\x01at\x01"), {"a": True}),
    (b"V", None),
]
"""Every type of a field at its limits, as RabbitMQ takes it, and what it means. (Decimals are tested by themselves.)"""


BROKERS_VALUES: list[Any] = ["nonsense", -5, 2**63 - 1, [3, {}], [{"queue": [], "count": "many"}], None]
OUR_VALUES: list[Any] = ["result_queue", "nan", "inf", 1e300, -1, 2**63 - 1, [[]], b"\xff"]
"""For headers that RabbitMQ and we write ourselves, and take on trust from nobody."""


def nested(kind: bytes, depth: int) -> Raw:
    """Arrays (`A`) or tables (`F`) within each other, a `true` at the bottom."""
    name = b"\x01n" if kind == b"F" else b""
    sizes = [2 + len(name) + level * (5 + len(name)) for level in range(depth)]  # from the inside out
    return Raw(b"".join(kind + struct.pack(">I", size) + name for size in reversed(sizes)) + b"t\x01")


def odd_headers() -> Iterator[tuple[str, Fields]]:
    """Headers that a library may stumble over."""
    for number, (written, _) in enumerate(FIELD_VALUES):
        yield f"field {number}", ((b"x-mine", Raw(written)),)
    yield "decimal", ((b"x-mine", Raw(b"D\xff" + struct.pack(">i", -(2**31)))),)
    # RabbitMQ copies a header once for each level whenever it sends the message. 14,000 take it a second: unit tests.
    for depth in (33, 1_000, 4_000):
        yield f"arrays {depth} deep", ((b"deep", nested(b"A", depth)),)
        yield f"tables {depth} deep", ((b"deep", nested(b"F", depth)),)
    yield "names that are no text", ((b"\xff\xfe", Raw(b"t\x01")), (b"", Raw(b"V")), (b"n" * 255, Raw(b"V")))
    yield "the same name twice", ((b"a", Raw(b"V")), (b"a", Raw(b"t\x01")))
    yield "large", fields_of({f"h{number}": "x" * 1_000 for number in range(128)})
    yield "many", fields_of({f"{number}": None for number in range(15_000)})
    for name in ("x-death", "x-delivery-count", "x-acquired-count", "x-first-death-queue", "result"):
        for number, value in enumerate(BROKERS_VALUES):
            yield f"{name} {number}", fields_of({name: value})
    for name in ("reason", "error", "origin", "node", "time", "attempts", "expiration", "left-out"):
        for number, value in enumerate(OUR_VALUES):
            yield f"{name} {number}", fields_of({f"x-framefleet-{name}": value})


def odd_properties() -> Iterator[tuple[str, dict[str, Any]]]:
    """Properties beside the headers, likewise."""
    for name in ("correlation_id", "reply_to", "message_id", "app_id", "type", "content_encoding"):
        yield f"{name}, no text", {name: b"\xfc" * 200}
        yield f"{name}, long", {name: "x" * 255}
        yield f"{name}, empty", {name: ""}
    yield "content type, no text", {"content_type": b"\xfc\xff" * 100}
    yield "priority", {"priority": 255}
    yield "timestamp", {"timestamp": 2**64 - 1}
    yield "reply to a queue of ours", {"reply_to": "result_queue"}
    yield "reply to nobody", {"reply_to": "amq.rabbitmq.reply-to.nobody"}
    for expiration in ("1", "60000", "4294967295"):
        yield f"expires after {expiration} ms", {"expiration": expiration}


def odd_bodies(picture: bytes) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Bodies and compact forms that mistakes make, some of them readable."""
    now, text = time.time(), base64.b64encode(picture).decode()

    def task(**fields: Any) -> bytes:
        return json.dumps({"frame": text, "timestamp": now, "camera_id": "odd"} | fields).encode()

    yield "frame_id of 200 umlauts", task(frame_id="ü" * 200), {}
    yield "frame_id with NUL", task(frame_id="a\x00b"), {}
    yield "frame_id of 200 four-byte characters", task(frame_id="😀" * 200), {}
    yield "milliseconds", task(timestamp=now * 1_000), {}
    yield "ISO time", task(timestamp="2026-11-29T14:00:00Z"), {}
    yield "data URI", task(frame=f"data:image/jpeg;base64,{text}"), {}
    yield "URL-safe base64", task(frame=text.replace("+", "-").replace("/", "_").rstrip("=")), {}
    yield "byte order mark", b"\xef\xbb\xbf" + task(), {}
    yield "UTF-16", task().decode().encode("utf-16"), {}
    yield "gzip", gzip.compress(task()), {"content_encoding": "gzip"}
    yield "deep JSON", b"[" * 100_000, {}
    yield "a lone surrogate", task(camera_id="\ud800", frame_id="\udfff"), {}
    yield "a picture without its type", picture, {"content_type": None}
    yield "half a picture", picture[: len(picture) // 2], {"content_type": "image/jpeg", "fields": _at(now)}
    yield "a picture in its own type", picture, {"content_type": "image/x-" + "x" * 200, "fields": _at(now)}
    yield "empty", b"", {}
    yield "too large", b"{" + b" " * MAX_BODY_BYTES, {}
    for number, moment in enumerate(
        (now, repr(now), str(int(now * 1_000)), -1, "nan", "inf", 10**18, b"\xff", [])
    ):
        yield f"compact, time {number}", picture, {"content_type": "image/jpeg", "fields": _at(moment)}
    stamp = int(now)
    for number, seconds in enumerate((stamp, stamp * 1_000, 2**64 - 1)):
        written = Raw(b"T" + struct.pack(">Q", seconds))
        yield f"compact, AMQP time {number}", picture, {"content_type": "image/jpeg", "fields": _at(written)}


def odd_messages(picture: bytes) -> list[Odd]:
    """All of them, for a task queue: what is odd beside the body with a picture and with nonsense as the body."""
    found = []
    for name, properties in [
        *((name, {"fields": fields}) for name, fields in odd_headers()),
        *odd_properties(),
    ]:
        whole = fields_of({"timestamp": repr(time.time()), "camera_id": "odd"}) + tuple(
            properties.get("fields", ())
        )
        compact = {"content_type": "image/jpeg"} | properties | {"fields": whole}
        found.append(_odd(f"{name}, picture", picture, compact))
        found.append(_odd(f"{name}, nonsense", b"no task: " + name.encode(), properties))
    found += [_odd(name, body, properties) for name, body, properties in odd_bodies(picture)]
    # If these went along with the dead letter, it would come again as a task, for ever.
    for header in ("CC", "BCC"):
        routes = fields_of({header: ["frame_queue"]})
        found.append(_odd(f"{header} of nonsense", b"no task: " + header.encode(), {"fields": routes}))
    return found


def _odd(name: str, body: bytes, properties: dict[str, Any]) -> Odd:
    return Odd(name, write(Properties(**properties)), body)


def _at(moment: Any) -> Fields:
    return fields_of({"timestamp": moment, "camera_id": "odd"})
