"""The turn first, then the picture: wishes at a sender whose broker is a list."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from broker import Message, Outcome
from contract.task import TaskForm
from contract.topology import Lane
from producer.camera.served import Served
from producer.frames import Captured, Encoded
from producer.lane import outlet
from producer.lane.message import Form
from producer.lane.outlet import Slot
from producer.lane.sender import Sender
from producer.metrics import ProducerMetrics
from tests.helpers.media import jpeg
from tests.helpers.served import served, wanted

PICTURE = Encoded(jpeg(), "image/jpeg")


class Queue:
    """Takes everything at once and confirms it."""

    usable = True
    outstanding = 0

    def __init__(self) -> None:
        self.frames: list[str] = []

    def publish(self, message: Message, told: Callable[[Outcome], None]) -> None:
        self.frames.append(str(message.message_id))
        told(Outcome.CONFIRMED)


class Rig:
    """Cameras at one sender whose window is `window` frames."""

    def __init__(self, window: int, *names: str) -> None:
        self.cameras: dict[str, Served] = {name: served(camera_id=name) for name in names}
        self.sender = Sender(
            Form(TaskForm.COMPACT, 85, "p", 2.0), self.cameras, ProducerMetrics(CollectorRegistry())
        )
        self.queue = Queue()
        self.sender.publisher = self.queue  # type: ignore[assignment]
        self.sender._listening("replies")
        for name in names:
            self.sender.weigh(wanted(camera_id=name))
        flow = self.sender._flow(Lane.LIVE)
        flow.window._size = flow.window._largest = float(window)
        self.slots = {name: Slot(self.sender, camera) for name, camera in self.cameras.items()}

    async def send(self, name: str) -> None:
        """As `run_camera` does when the picture has come."""
        camera = self.cameras[name].camera
        await self.slots[name].offer(camera.frame(Captured(2e9, PICTURE), 1.0, 1.0))

    def answered(self, frame_id: str) -> None:
        self.sender._flow(Lane.LIVE).answered(frame_id, 0.0, 0.0, asyncio.get_running_loop().time())
        self.sender._wake()


async def soon() -> None:
    """Let everything run that can run now."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_turn_comes_at_once_while_the_window_has_room_and_its_frame_is_sent_at_once() -> None:
    rig = Rig(2, "a", "b")
    await rig.slots["a"].turn()
    assert rig.sender.outstanding == 1
    await rig.send("a")
    assert rig.queue.frames == ["a:1:0"]
    assert rig.sender.outstanding == 1


async def test_the_others_wait_until_a_place_is_free_and_take_turns() -> None:
    rig = Rig(1, "a", "b", "c")
    await rig.slots["a"].turn()
    waiting = [asyncio.create_task(rig.slots[name].turn()) for name in ("b", "c")]
    await soon()
    assert [task.done() for task in waiting] == [False, False]
    assert rig.cameras["b"].camera.waiting_for_queue, "who waits for its turn is not stalled"
    await rig.send("a")
    rig.answered("a:1:0")
    await soon()
    assert [task.done() for task in waiting] == [True, False]
    rig.slots["b"].give_back()  # it showed nothing new
    await soon()
    assert waiting[1].done()
    assert not rig.cameras["b"].camera.waiting_for_queue
    rig.slots["c"].give_back()
    assert rig.sender.outstanding == 0


async def test_a_slow_camera_keeps_nobody_waiting_and_its_frame_goes_into_the_slot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outlet, "HELD", 0.0)
    rig = Rig(1, "slow", "b")
    await rig.slots["slow"].turn()
    waiting = asyncio.create_task(rig.slots["b"].turn())
    await asyncio.wait_for(waiting, 5)  # the loop's timer gives the turn back
    await rig.send("slow")
    assert rig.queue.frames == []
    assert rig.sender.waiting == 1
    rig.slots["b"].give_back()
    await soon()
    assert rig.queue.frames == ["slow:1:0"]


async def test_without_a_turn_the_picture_is_fetched_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "WITHOUT_TURN", 0.0)
    rig = Rig(1, "a", "b")
    await rig.slots["a"].turn()
    await rig.slots["b"].turn()
    await rig.send("b")
    assert (rig.queue.frames, rig.sender.waiting) == ([], 1)
    rig.slots["a"].give_back()
    await soon()
    assert rig.queue.frames == ["b:1:0"]


async def test_a_wish_that_nobody_waits_for_any_more_is_passed_over() -> None:
    rig = Rig(1, "a", "b", "c")
    await rig.slots["a"].turn()
    gone, last = (asyncio.create_task(rig.slots[name].turn()) for name in ("b", "c"))
    await soon()
    gone.cancel()
    await soon()
    rig.slots["a"].give_back()
    await soon()
    assert last.done()
    assert rig.sender.outstanding == 1


async def test_a_turn_that_is_granted_as_its_camera_is_closed_is_given_back() -> None:
    rig = Rig(1, "a", "b")
    await rig.slots["a"].turn()
    closing = asyncio.create_task(rig.slots["b"].turn())
    await soon()
    rig.sender.give_back("a")
    rig.sender._pump()
    closing.cancel()
    await asyncio.wait([closing])
    assert closing.cancelled()
    assert rig.sender.outstanding == 0


async def test_a_turn_that_the_broker_took_back_is_no_place_for_the_frame() -> None:
    rig = Rig(1, "a")
    await rig.slots["a"].turn()
    rig.sender._deaf()  # the reply queue is gone, nothing outstanding is awaited any more
    await rig.send("a")
    assert (rig.queue.frames, rig.sender.waiting) == ([], 1)
    rig.sender._listening("another")
    await soon()
    assert rig.queue.frames == ["a:1:0"]


async def test_a_camera_has_one_frame_under_way_and_asks_again_when_it_is_answered() -> None:
    rig = Rig(10, "a")
    await rig.slots["a"].turn()
    await rig.send("a")
    again = asyncio.create_task(rig.slots["a"].turn())
    await soon()
    assert not again.done()
    rig.answered("a:1:0")
    await soon()
    assert again.done()
    await rig.send("a")
    assert rig.queue.frames == ["a:1:0", "a:1:1"]


def test_forgetting_a_camera_takes_its_wish_along() -> None:
    async def scene() -> Any:
        rig = Rig(1, "a", "b")
        await rig.slots["a"].turn()
        waiting = asyncio.create_task(rig.slots["b"].turn())
        await soon()
        rig.sender.forget("b")
        waiting.cancel()
        await soon()
        return rig.sender.waiting

    assert asyncio.run(scene()) == 0
