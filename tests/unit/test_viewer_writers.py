"""The writers: who is written to and when, with connections that only note it."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, cast

import pytest

from gateway.live import buffers
from gateway.live import writers as writers_module
from gateway.live.connection import ViewerConnection
from gateway.live.hub import Hub
from gateway.live.protocol import BATCH, DASHBOARD, FRAMES, LATEST, PLAIN, PROTOCOLS, TEXT, ws_frame
from gateway.live.update import Subscription, Update
from gateway.live.viewer import Viewer, ViewerKind
from gateway.live.writers import Recipient, ViewerWriter, Writers
from tests.helpers.viewers import catch_up


class Peer:
    """A connection that takes `room` writes and is congested then."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.writes: list[bytes] = []
        self.room = room
        self.on_room: Callable[[], None] = lambda: None

    @property
    def congested(self) -> bool:
        return self.room <= 0

    def write(self, frames: bytes) -> None:
        self.writes.append(frames)
        self.room -= 1

    @property
    def messages(self) -> bytes:
        return b"".join(self.writes)


class Crowd:
    def __init__(self, count: int, kind: ViewerKind = ViewerKind.PLAIN, **peer: int) -> None:
        writers = Writers()
        self.hub = Hub(on_waiting=writers.wake)
        self.broken: list[Viewer] = []
        self.overrun: list[Viewer] = []
        self.writer: ViewerWriter = writers[kind]
        self.peers = [Peer(**peer) for _ in range(count)]
        self.viewers = [self.add(peer) for peer in self.peers]
        for viewer in self.viewers:
            self.hub.join(viewer, Subscription(), 0.0)
            catch_up(viewer)

    def add(self, peer: Peer) -> Viewer:
        viewer = self.writer.add(
            Recipient(
                cast(ViewerConnection, peer),
                on_broken=lambda: self.broken.append(viewer),
                on_overrun=lambda: self.overrun.append(viewer),
            )
        )
        peer.on_room = viewer.wake
        return viewer


def update(number: int, camera: str = "a") -> Update:
    return Update(camera, f"{camera}:{number}", float(number), 0.0, b'{"n":%d}' % number)


def framed(*numbers: int) -> bytes:
    return b"".join(ws_frame(TEXT, b'{"n":%d}' % number) for number in numbers)


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_results_of_one_moment_are_one_write_for_each_viewer() -> None:
    crowd = Crowd(3)
    for number in (1, 2, 3):
        crowd.hub.publish(update(number))
    assert crowd.peers[0].writes == []
    await turns()
    assert [peer.writes for peer in crowd.peers] == [[framed(1, 2, 3)]] * 3
    assert crowd.peers[0].writes[0] is crowd.peers[1].writes[0]  # the same bytes, made once


def test_with_few_viewers_hardly_anything_waits_for_the_clock() -> None:
    pauses = {viewers: [protocol.pause(viewers) for protocol in PROTOCOLS] for viewers in (1, 100, 1000)}
    assert pauses[1] == [0.0001, 0.0001, 0.0001, 0.025]
    assert pauses[100] == [*[pytest.approx(0.01)] * 3, pytest.approx(0.05)]
    assert pauses[1000] == [0.02, 0.02, 0.02, 0.1]


async def test_who_cannot_be_written_to_waits_and_nobody_waits_for_it() -> None:
    crowd = Crowd(2)
    slow, fast = crowd.peers
    slow.room = 0
    for number in range(1, 101):
        crowd.hub.publish(update(number))
        if number % 10 == 0:
            await until(lambda last=number: fast.messages == framed(*range(1, last + 1)))
    assert slow.writes == []
    slow.room = 100
    slow.on_room()
    await until(lambda: slow.messages == framed(*range(1, 101)))
    crowd.hub.publish(update(101))
    await until(lambda: slow.writes[-1] == fast.writes[-1] == framed(101))
    assert slow.writes[-1] is fast.writes[-1]  # in step again


async def test_a_long_turn_lets_others_have_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers_module, "SLICE_SECONDS", 0.0)
    crowd = Crowd(50)
    crowd.hub.publish(update(1))
    seen = []
    for _ in range(60):
        await asyncio.sleep(0)
        seen.append(sum(map(len, (peer.writes for peer in crowd.peers))))
    assert seen[5] < 10
    assert seen[-1] == 50
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(seen))


async def test_more_than_a_message_holds_is_several_and_stops_where_it_must() -> None:
    crowd = Crowd(2, ViewerKind.DASHBOARD)
    stops, goes = crowd.peers
    stops.room = 1
    for number in range(BATCH + 10):
        crowd.hub.publish(update(1, f"c{number}"))
    await turns()
    assert (len(goes.writes), len(stops.writes)) == (2, 1)
    assert goes.messages.count(b'{"n":1}') == BATCH + 10
    stops.room = 10
    stops.on_room()
    await until(lambda: stops.messages.count(b'{"n":1}') == BATCH + 10)


async def test_what_cannot_be_made_ends_the_connection_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd = Crowd(2)

    def fails(results: list[Update]) -> bytes:
        raise RuntimeError("no bytes")

    with monkeypatch.context() as broken:
        broken.setattr(PLAIN, "results", fails)
        crowd.hub.publish(update(1))
        await turns()
        assert set(crowd.broken) == set(crowd.viewers)
        crowd.viewers[0].results.add(update(2))
        crowd.viewers[0].wake()
        await until(lambda: len(crowd.broken) == 3)
    crowd.hub.publish(update(3))
    await until(lambda: crowd.peers[1].messages == framed(3))


async def test_who_leaves_is_not_written_to() -> None:
    crowd = Crowd(2)
    crowd.hub.publish(update(1))
    gone, stays = crowd.viewers
    crowd.hub.leave(gone)
    crowd.writer.remove(gone)
    gone.wake()
    await turns()
    assert [len(peer.writes) for peer in crowd.peers] == [0, 1]
    assert stays.pending == 0


def test_every_kind_has_its_writer() -> None:
    writers = Writers()
    assert all(writers[kind] for kind in ViewerKind)
    assert [protocol.kind for protocol in (PLAIN, LATEST, FRAMES, DASHBOARD)] == list(ViewerKind)


async def test_who_cannot_get_every_result_any_more_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "MAX_UNREAD", 5)
    crowd = Crowd(2)
    slow, fast = crowd.peers
    slow.room = 0
    for number in range(1, 10):
        crowd.hub.publish(update(number))
        await until(lambda last=number: fast.messages == framed(*range(1, last + 1)))
    await until(lambda: crowd.overrun)
    assert set(crowd.overrun) == {crowd.viewers[0]}
    assert slow.messages == b""
