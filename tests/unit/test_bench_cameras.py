"""The rig's cameras: what they answer, byte for byte, and how a producer is told of them."""

import argparse
import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from bench.camera_addresses import addresses, as_file, as_source, names
from bench.cameras import chosen, dimensions, duration, share
from bench.pictures import at_most, encoded
from bench.snapshot_server import LARGEST_HEAD, Behaviour, Connection, Rig
from contract.picture import picture_size
from producer.catalogue.file.reader import read_cameras
from producer.catalogue.grammar import parse_sources

PICTURES = [b"first", b"second", b"third"]
LARGEST_VARIABLE = 128 * 1024
"""Of an environment, name and all: MAX_ARG_STRLEN, execve(2)."""
PLAIN = Behaviour()


def rig(behaviour: Behaviour = PLAIN, cameras: int = 2) -> Rig:
    return Rig(names(cameras), PICTURES, behaviour)


def request(path: str = "/c1.jpg", *fields: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.1.0.1:8090", *fields]).encode()


def body(data: bytes) -> bytes:
    """Of a whole answer whose length is right."""
    head, _, content = data.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(content)}".encode() in head.split(b"\r\n")
    return content


def status(data: bytes) -> int:
    return int(data.split(b" ", 2)[1])


def test_a_camera_takes_its_pictures_at_its_rate_however_often_it_is_asked() -> None:
    cameras = rig(Behaviour(rate=2.0))
    seen = [body(cameras.answer(request(), now).data) for now in (0.0, 0.4, 0.5, 0.9, 1.0, 60.0, 60.4)]
    assert seen == [b"second", b"second", b"third", b"third", b"first", b"second", b"second"]


def test_each_camera_has_its_own_place_in_the_round() -> None:
    cameras = rig()
    assert [body(cameras.answer(request(path), 0.0).data) for path in ("/c1.jpg", "/c2.jpg")] == [
        b"second",
        b"third",
    ]


def test_static_cameras_never_change_and_are_spread_over_all() -> None:
    cameras = rig(Behaviour(static=0.3), cameras=10)
    still = [
        path
        for path in (f"/{name}.jpg" for name in names(10))
        if cameras.answer(request(path), 0.0).data == cameras.answer(request(path), 100.0).data
    ]
    assert still == ["/c04.jpg", "/c07.jpg", "/c10.jpg"]


def test_errors_and_stalls_come_in_their_shares_and_the_same_ones_every_time() -> None:
    behaviour = Behaviour(errors=0.2, stalls=0.1, seed=5)

    def kinds() -> list[str]:
        cameras = rig(behaviour)
        return [cameras.answer(request(), float(now)).kind for now in range(1000)]

    first = kinds()
    assert first == kinds()
    assert 150 < first.count("error") < 250
    assert 60 < first.count("stall") < 140
    cameras = rig(replace(behaviour, errors=1.0, stalls=0.0))
    assert status(cameras.answer(request(), 0.0).data) == 503


def test_a_stall_is_half_of_what_was_promised() -> None:
    whole = rig().answer(request(), 0.0).data
    stalled = rig(Behaviour(stalls=1.0)).answer(request(), 0.0)
    assert stalled.stalls
    assert stalled.data == whole[: len(whole) // 2]


@pytest.mark.parametrize("field", ["If-None-Match", "if-none-match"])
def test_an_unchanged_picture_is_told_by_its_etag(field: str) -> None:
    cameras = rig(Behaviour(etags=True, rate=1.0))
    tag = next(
        line for line in cameras.answer(request(), 0.0).data.split(b"\r\n") if line.startswith(b"ETag: ")
    )
    known = request("/c1.jpg", f"{field}: {tag.removeprefix(b'ETag: ').decode()}", "Accept: */*")
    assert status(cameras.answer(known, 0.5).data) == 304
    assert body(cameras.answer(known, 1.5).data) == b"third"
    assert b"ETag" not in rig().answer(request(), 0.0).data


def test_what_is_no_camera_or_no_question_is_said_and_counted() -> None:
    cameras = rig()
    assert status(cameras.answer(request("/c3.jpg"), 0.0).data) == 404
    assert status(cameras.answer(request(method="POST"), 0.0).data) == 405
    assert status(cameras.answer(request("/readyz"), 0.0).data) == 200
    cameras.answer(request(), 0.0)
    counted = body(cameras.answer(request("/metrics"), 0.0).data).decode()
    for kind, count in {"unknown": 1, "refused": 1, "asked": 1, "picture": 1}.items():
        assert f'rig_answers_total{{kind="{kind}"}} {count}\n' in counted


class Wire:
    """Stands for a transport: keeps what is written."""

    def __init__(self, address: str = "127.1.0.1") -> None:
        self.written: list[bytes] = []
        self.aborted = False
        self._address = address

    def get_extra_info(self, name: str) -> Any:
        assert name == "sockname"
        return (self._address, 8090)

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def abort(self) -> None:
        self.aborted = True


def connected(wire: Wire, cameras: Rig) -> Connection:
    connection = Connection(cameras)
    connection.connection_made(cast(asyncio.Transport, wire))
    return connection


def receive(connection: Connection, data: bytes) -> None:
    buffer = connection.get_buffer(-1)
    buffer[: len(data)] = data
    connection.buffer_updated(len(data))


async def test_requests_may_come_in_pieces_and_several_at_once() -> None:
    wire = Wire()
    connection = connected(wire, rig())
    stream = (request() + b"\r\n\r\n") * 3
    for piece in (stream[:10], stream[10:-3], stream[-3:]):
        receive(connection, piece)
    assert [status(answer) for answer in wire.written] == [200, 200, 200]
    assert [len(wire.written), wire.aborted] == [3, False]


async def test_after_a_stall_there_is_silence() -> None:
    wire = Wire()
    connection = connected(wire, rig(Behaviour(stalls=1.0)))
    receive(connection, (request() + b"\r\n\r\n") * 2)
    assert len(wire.written) == 1


async def test_a_head_without_end_and_a_foreign_client_are_cut_off() -> None:
    endless, foreign = Wire(), Wire("192.0.2.7")
    connection = connected(endless, rig())
    for _ in range(LARGEST_HEAD // 1024 + 1):
        assert not endless.aborted
        receive(connection, b"x" * 1024)
    assert endless.aborted
    connected(foreign, rig())
    assert foreign.aborted


def test_a_producer_understands_both_ways_of_telling_it_the_cameras() -> None:
    cameras = addresses(300, 8090, hosts=300)
    told = {camera.camera_id: camera.url for camera in cameras}
    assert len({url.split("/")[2] for url in told.values()}) == len(told) == 300
    assert {spec.camera_id: spec.target for spec in parse_sources(as_source(cameras))} == told
    file = read_cameras(as_file(cameras, fps=0.2).encode(), {})
    assert {camera_id: camera.spec.target for camera_id, camera in file.cameras.items()} == told
    assert {camera.fps for camera in file.cameras.values()} == {0.2}
    assert file.problems == ()


def test_cameras_may_share_an_address_and_thousands_fit_into_a_variable() -> None:
    assert {camera.url.split("/")[2] for camera in addresses(5, 8090, hosts=2)} == {
        "127.1.0.1:8090",
        "127.1.0.2:8090",
    }
    assert len("SOURCE=" + as_source(addresses(3000, 65535, hosts=3000))) < LARGEST_VARIABLE


def test_pictures_have_the_size_that_was_asked_for_and_no_more_bytes() -> None:
    images = chosen(None, (320, 240), 9_000, most=10)
    assert {picture_size(image) for image in images} == {(320, 240)}
    assert 5 <= len(set(images)) == len(images) <= 10
    assert max(map(len, images)) <= 9_000


def test_a_picture_that_fits_stays_as_it_is_and_one_that_never_can_is_said() -> None:
    noise = encoded(np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8))
    assert at_most(noise, len(noise)) is noise
    assert len(at_most(noise, len(noise) // 2)) <= len(noise) // 2
    with pytest.raises(ValueError, match="160x120"):
        at_most(noise, 100)


def test_values_of_the_command_line() -> None:
    assert [duration(text) for text in ("20ms", "0.5s", "2", "0ms")] == pytest.approx([0.02, 0.5, 2.0, 0.0])
    assert dimensions("640x480") == (640, 480)


@pytest.mark.parametrize(
    ("read", "wrong"),
    [(duration, "-1s"), (duration, "nan"), (share, "1.5"), (share, "-1"), (dimensions, "0x480")],
)
def test_values_that_make_no_sense_are_refused_with_the_reason(
    read: Callable[[str], object], wrong: str
) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=" is not "):
        read(wrong)
