"""The turn first, then the picture: permits of a lane whose broker is a list."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, structs

from broker import AsyncioLoop, Link, Message, Outcome
from contract.result import Reply, Result, parse_reply
from contract.task import TaskForm
from contract.topology import Lane
from producer.camera import capture
from producer.camera.camera import Camera
from producer.camera.capture import run_camera
from producer.frames import Captured, Due, Encoded, Skipped
from producer.lane import permit as permits
from producer.lane.flow import REPLY_TIMEOUT
from producer.lane.lanes import FrameReply, Lanes
from producer.lane.message import Form
from producer.lane.permit import Permit
from tests.helpers.cameras import camera
from tests.helpers.media import jpeg

PICTURE = Encoded(jpeg(), "image/jpeg")


class Queue:
    """Takes everything at once and confirms it, unless told otherwise."""

    usable = True
    outstanding = 0

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.outcomes: list[Outcome] = []  # of the next messages, if they are others

    def publish(self, message: Message, told: Callable[[Outcome], None]) -> None:
        self.frames.append(str(message.message_id))
        told(self.outcomes.pop(0) if self.outcomes else Outcome.CONFIRMED)


class Rig:
    """Cameras that take turns in one lane whose window is `window` frames."""

    def __init__(self, window: int, *names: str) -> None:
        self.cameras: dict[str, Camera] = {name: camera(camera_id=name) for name in names}
        link = Link(AsyncioLoop(), ["amqp://nowhere"], "test")  # which nobody starts
        self.lanes = Lanes(link, Form(TaskForm.COMPACT, 85, "p", 2.0))
        self.queue = Queue()
        self.lanes._carrier._publisher = self.queue  # type: ignore[assignment]
        self.lanes._listening("replies")
        for one in self.cameras.values():
            self.lanes.enter(one, Lane.LIVE, 1.0)
        self.lane = self.lanes.lane(Lane.LIVE)
        self.lane.flow.window._size = self.lane.flow.window._largest = float(window)

    async def turn(self, name: str, patience: float = 10.0) -> Permit:
        """The camera's permit, as the block of `async with` gets it."""
        return await self.lane.permit(self.cameras[name], patience).__aenter__()

    async def send(self, permit: Permit) -> None:
        """As `run_camera` does when the picture has come."""
        await permit.send(self.cameras[permit.camera_id].frame(Captured(2e9, PICTURE)))

    async def offer(self, name: str) -> None:
        """A picture comes unasked."""
        await self.send(self.lane.permit(self.cameras[name]))

    def answered(self, name: str) -> None:
        """The result of the camera's frame comes."""
        permit = self.lane.flow.under_way(name)
        assert permit is not None
        self.lane.flow.answered(permit, 0.0, 0.0, asyncio.get_running_loop().time())
        self.lane.wake()


async def leave(permit: Permit) -> None:
    """The block ends."""
    await permit.__aexit__(None, None, None)


async def soon() -> None:
    """Let everything run that can run now."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_turn_comes_at_once_while_the_window_has_room_and_its_frame_is_sent_at_once() -> None:
    rig = Rig(2, "a", "b")
    permit = await rig.turn("a")
    assert rig.lanes.outstanding == 1
    await rig.send(permit)
    assert rig.queue.frames == ["a:1:0"]
    assert rig.lanes.outstanding == 1


async def test_the_others_wait_until_a_place_is_free_and_take_turns() -> None:
    rig = Rig(1, "a", "b", "c")
    permit = await rig.turn("a")
    waiting = [asyncio.create_task(rig.turn(name)) for name in ("b", "c")]
    await soon()
    assert [task.done() for task in waiting] == [False, False]
    assert rig.cameras["b"].condition.waiting_for_queue, "who waits for its turn is not stalled"
    await rig.send(permit)
    rig.answered("a")
    await soon()
    assert [task.done() for task in waiting] == [True, False]
    await leave(waiting[0].result())  # it showed nothing new
    await soon()
    assert waiting[1].done()
    assert not rig.cameras["b"].condition.waiting_for_queue
    await leave(waiting[1].result())
    assert rig.lanes.outstanding == 0


async def test_a_slow_camera_keeps_nobody_waiting_and_its_frame_goes_into_the_slot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(permits, "HELD", 0.0)
    rig = Rig(1, "slow", "b")
    slow = await rig.turn("slow")
    monkeypatch.undo()
    waiting = asyncio.create_task(rig.turn("b"))
    b = await asyncio.wait_for(waiting, 5)  # the loop's timer gives the turn back
    await rig.send(slow)
    assert rig.queue.frames == []
    assert rig.lanes.waiting == 1
    await leave(b)
    await soon()
    assert rig.queue.frames == ["slow:1:0"]


async def test_a_slow_camera_that_is_due_again_has_its_old_frame_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(permits, "HELD", 0.0)
    rig = Rig(1, "slow", "b")
    async with rig.lane.permit(rig.cameras["slow"], 10) as slow:
        monkeypatch.undo()
        b = await rig.turn("b")
        await rig.send(slow)
    again = asyncio.create_task(rig.turn("slow"))
    await soon()
    assert rig.cameras["slow"].condition.dropped == {"replaced": 1}
    await leave(b)
    await rig.send(await again)
    assert rig.queue.frames == ["slow:1:1"]


async def test_without_a_turn_the_picture_is_fetched_all_the_same() -> None:
    rig = Rig(1, "a", "b")
    a = await rig.turn("a")
    b = await rig.turn("b", patience=0.0)
    await rig.send(b)
    assert (rig.queue.frames, rig.lanes.waiting) == ([], 1)
    await leave(a)
    await soon()
    assert rig.queue.frames == ["b:1:0"]


async def test_a_turn_that_comes_while_the_picture_is_fetched_without_one_is_kept_for_it() -> None:
    rig = Rig(1, "a", "b")
    a = await rig.turn("a")
    b = await rig.turn("b", patience=0.0)
    await leave(a)
    await soon()
    assert rig.lanes.outstanding == 1
    await rig.send(b)
    assert rig.queue.frames == ["b:1:0"]


async def test_what_comes_unasked_is_sent_at_once_or_waits_and_the_newest_wins() -> None:
    rig = Rig(1, "a", "b")
    for _ in range(3):
        await rig.offer("a")
    await rig.offer("b")
    assert rig.queue.frames == ["a:1:0"]
    assert rig.cameras["a"].condition.sent == 1
    assert rig.cameras["a"].condition.dropped == {"replaced": 1}
    rig.answered("a")
    await soon()
    rig.answered("b")
    await soon()
    assert rig.queue.frames == ["a:1:0", "b:1:0", "a:1:2"]


async def test_a_frame_that_waits_as_its_camera_goes_to_another_producer_is_counted() -> None:
    rig = Rig(1, "a", "b")
    a = await rig.turn("a")
    await rig.offer("b")
    rig.lanes.forget("b")
    assert rig.cameras["b"].condition.dropped == {"handed_over": 1}
    await leave(a)
    await soon()
    assert (rig.queue.frames, rig.lanes.idle) == ([], True)


async def test_an_error_within_the_block_frees_the_place() -> None:
    rig = Rig(1, "a")
    with pytest.raises(ValueError, match="no picture"):
        async with rig.lane.permit(rig.cameras["a"]):
            raise ValueError("no picture")
    assert rig.lanes.outstanding == 0


def reply(frame_id: str, **different: Any) -> Result:
    values: dict[str, Any] = {
        "timestamp": 1.0, "original_timestamp": 1.0, "node_id": "n", "detections": [], "camera_id": frame_id[0],
        "frame_id": frame_id, "width": 1, "height": 1, "model": "m", "status": "ok", "processing_seconds": 0.0,
        "queue_seconds": 0.0,
    }  # fmt: skip
    return Result(**{**values, **different})


async def test_a_reply_frees_the_place_of_its_frame_and_of_no_other() -> None:
    rig = Rig(2, "a", "b")
    await rig.offer("a")
    await rig.offer("b")
    rig.lanes._replied(FrameReply("a:1:7", reply("a:1:7")))  # of a frame that was given up before
    assert rig.lanes.outstanding == 2
    rig.lanes._replied(FrameReply("a:1:0", reply("a:1:0")))
    assert rig.lane.flow.under_way("a") is None
    assert rig.lane.flow.under_way("b") is not None


async def test_what_a_worker_did_not_compute_is_still_unseen_even_if_its_reply_is_late() -> None:
    rig = Rig(1, "a")
    unseen: list[None] = []
    rig.cameras["a"].send_next = lambda: unseen.append(None)  # type: ignore[method-assign]
    await rig.offer("a")
    rig.lanes._replied(FrameReply("a:1:0", reply("a:1:0")))
    assert unseen == []
    rig.lanes._replied(FrameReply("a:1:0", reply("a:1:0", status="expired")))
    assert len(unseen) == 1


def failed(frame_id: str, reason: str = "detector_error") -> Reply:
    said = structs.asdict(reply(frame_id)) | {"status": "failed", "reason": reason, "error": "no"}
    return parse_reply(msgspec.json.encode({name: said[name] for name in said if said[name] is not UNSET}))


async def test_a_frame_that_failed_frees_its_place_at_once_and_is_counted_with_its_reason() -> None:
    rig = Rig(1, "a", "b")
    unseen: list[None] = []
    rig.cameras["a"].send_next = lambda: unseen.append(None)  # type: ignore[method-assign]
    await rig.offer("a")
    await rig.offer("b")
    before = rig.lane.window
    rig.lanes._replied(FrameReply("a:1:0", failed("a:1:0")))
    await soon()
    assert rig.queue.frames == ["a:1:0", "b:1:0"]
    rig.lanes._replied(FrameReply("b:1:0", failed("b:1:0", "a reason that somebody made up")))
    assert (len(unseen), rig.lane.window, rig.lanes.outstanding) == (1, before, 0)
    registry = rig.cameras["a"]._metrics.registry
    count = partial(registry.get_sample_value, "framefleet_replies_failed_total")
    assert count({"camera_id": "a", "reason": "detector_error"}) == 1
    missing = registry.get_sample_value("producer_replies_missing_total", {"camera_id": "a"})
    assert not missing
    counted = rig.cameras["b"]._metrics.registry
    assert counted.get_sample_value("framefleet_replies_failed_total", {"camera_id": "b", "reason": "other"})


async def test_a_frame_without_a_reply_is_told_to_its_camera_and_frees_its_place() -> None:
    rig = Rig(1, "a", "b")
    told: list[str] = []
    rig.cameras["a"].frame_unanswered = lambda: told.append("unanswered")  # type: ignore[method-assign]
    rig.cameras["a"].send_next = lambda: told.append("unseen")  # type: ignore[method-assign]
    await rig.offer("a")
    await rig.offer("b")
    rig.lane.tick(asyncio.get_running_loop().time() + 2 * REPLY_TIMEOUT, taken=True, gain=1.0)
    await soon()
    assert told == ["unanswered", "unseen"]
    assert rig.queue.frames == ["a:1:0", "b:1:0"]


async def test_a_frame_that_the_broker_refuses_is_counted_unseen_and_frees_its_place() -> None:
    rig = Rig(1, "a", "b")
    unseen: list[None] = []
    rig.cameras["a"].send_next = lambda: unseen.append(None)  # type: ignore[method-assign]
    rig.queue.outcomes = [Outcome.UNROUTABLE]
    await rig.offer("a")
    assert rig.cameras["a"].condition.dropped == {"unroutable": 1}
    assert (rig.cameras["a"].condition.sent, len(unseen), rig.lanes.outstanding) == (0, 1, 0)


async def test_lanes_are_independent_and_a_camera_has_turns_in_one_of_them() -> None:
    rig = Rig(1, "a", "b")
    await rig.offer("a")
    await rig.offer("b")
    rig.lanes.enter(rig.cameras["b"], Lane.BATCH, 2.0)
    assert rig.cameras["b"].condition.dropped == {"handed_over": 1}
    await rig.send(rig.lanes.lane(Lane.BATCH).permit(rig.cameras["b"]))
    assert rig.queue.frames == ["a:1:0", "b:1:1"]
    assert {name: load.weight for name, load in rig.lanes.loads.items()} == {"live": 1.0, "batch": 2.0}


class Still:
    """A source with one picture, which is fetched when it is the camera's turn."""

    retries = False

    def __init__(self) -> None:
        self.fetching = asyncio.Event()  # at once, unless a test clears it
        self.fetching.set()

    async def frames(self) -> AsyncGenerator[Captured | Skipped | Due]:
        yield Due()
        await self.fetching.wait()
        yield Captured(2e9, PICTURE)


async def test_a_camera_that_waits_as_it_changes_lanes_has_its_turn_in_the_new_one_at_once() -> None:
    rig = Rig(1, "a", "b")
    await rig.turn("a")
    b = rig.cameras["b"]
    b.source, b.lane = Still(), rig.lane
    running = asyncio.create_task(run_camera(b))
    await soon()
    b.change(replace(b.settings, lane=Lane.BATCH), rig.lanes.lane(Lane.BATCH))
    rig.lanes.enter(b, Lane.BATCH, 1.0)
    await asyncio.wait_for(running, 5)
    assert rig.queue.frames == ["b:1:0"]
    assert rig.lanes.waiting == 0


async def test_a_camera_whose_picture_comes_after_it_has_changed_lanes_sends_it_in_the_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(capture, "WITHOUT_TURN", 0.0)
    rig = Rig(1, "a", "b")
    await rig.turn("a")
    b, still = rig.cameras["b"], Still()
    still.fetching.clear()
    b.source, b.lane = still, rig.lane
    running = asyncio.create_task(run_camera(b))
    await asyncio.sleep(0.05)  # it fetches the picture without a turn
    b.change(replace(b.settings, lane=Lane.BATCH), rig.lanes.lane(Lane.BATCH))
    rig.lanes.enter(b, Lane.BATCH, 1.0)
    still.fetching.set()
    await asyncio.wait_for(running, 5)
    assert (rig.queue.frames, rig.lanes.waiting) == (["b:1:0"], 0)


async def test_a_permit_that_nobody_waits_for_any_more_is_passed_over() -> None:
    rig = Rig(1, "a", "b", "c")
    permit = await rig.turn("a")
    gone, last = (asyncio.create_task(rig.turn(name)) for name in ("b", "c"))
    await soon()
    gone.cancel()
    await soon()
    await leave(permit)
    await soon()
    assert last.done()
    assert rig.lanes.outstanding == 1


async def test_a_turn_that_is_granted_as_its_camera_is_closed_is_given_back() -> None:
    rig = Rig(1, "a", "b")
    permit = await rig.turn("a")
    closing = asyncio.create_task(rig.turn("b"))
    await soon()
    await leave(permit)
    rig.lane._pump()
    closing.cancel()
    await asyncio.wait([closing])
    assert closing.cancelled()
    assert rig.lanes.outstanding == 0


async def test_a_turn_that_the_broker_took_back_is_no_place_for_the_frame() -> None:
    rig = Rig(1, "a")
    permit = await rig.turn("a")
    rig.lanes._deaf()  # the reply queue is gone, nothing outstanding is awaited any more
    await rig.send(permit)
    assert (rig.queue.frames, rig.lanes.waiting) == ([], 1)
    rig.lanes._listening("another")
    await soon()
    assert rig.queue.frames == ["a:1:0"]


async def test_a_camera_has_one_frame_under_way_and_asks_again_when_it_is_answered() -> None:
    rig = Rig(10, "a")
    await rig.send(await rig.turn("a"))
    again = asyncio.create_task(rig.turn("a"))
    await soon()
    assert not again.done()
    rig.answered("a")
    await soon()
    assert again.done()
    await rig.send(again.result())
    assert rig.queue.frames == ["a:1:0", "a:1:1"]


def test_forgetting_a_camera_takes_its_waiting_permit_along() -> None:
    async def scene() -> Any:
        rig = Rig(1, "a", "b")
        await rig.turn("a")
        waiting = asyncio.create_task(rig.turn("b"))
        await soon()
        rig.lanes.forget("b")
        waiting.cancel()
        await soon()
        return rig.lanes.waiting

    assert asyncio.run(scene()) == 0


async def test_what_the_broker_has_confirmed_is_counted_by_lane_for_the_books() -> None:
    rig = Rig(2, "a", "b")
    rig.queue.outcomes = [Outcome.QUEUE_DOWN]
    for name in ("a", "b"):
        await rig.send(await rig.turn(name))
    rig.lanes.lossless.stored["live"] += 1
    rig.lanes.lossless.stored["batch"] += 2
    assert rig.lanes.stored == {"live": 2, "batch": 2}
