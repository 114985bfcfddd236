"""Named senders at a running worker on a real broker: identity, limits, replies, attempts, and coming and going."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from broker import Consumer, Delivery, Message, Outcome
from broker.errors import NoSuchQueue
from broker.session import session
from contract.senders import Sender
from contract.topology import EphemeralQueue, Lane
from tests.conftest import StartService
from tests.faults.patched import patch
from tests.helpers.bus import Bus, Collector, bus, results
from tests.helpers.eventually import aeventually
from tests.helpers.images import astronaut, jpeg, task
from tests.helpers.processes import Service
from tests.helpers.senders import SCHOOL, Announcer, announcing, send
from tests.helpers.vhosts import VirtualHosts

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

FRAME = jpeg(astronaut())
LIMITED = Sender(name="school", max_cameras=3, max_pixels=512 * 512, models=("haar",))
FAILS = """
from worker.detection.haar import Haar

detect = Haar.detect

def failing(self, image):
    if image.width == 64:
        raise RuntimeError("out of order")
    return detect(self, image)

Haar.detect = failing
"""


class Desk:
    """The test's connection, the worker, and everything that comes out: results and the sender's dead letters."""

    def __init__(self, url: str, worker: Service, opened: Bus, announcer: Announcer) -> None:
        self.url = url
        self.worker = worker
        self.bus = opened
        self.got = results()
        self.dead = Collector("frame_queue.dlq.from.school")
        self.lane_dead = Collector("frame_queue.dlq")
        self.announce = announcer.change

    async def taken(self, queue: str, consumers: int) -> None:
        async with session([self.url], "count") as ours:
            for _ in range(600):
                try:
                    if (await ours.count(queue))[1] == consumers:
                        return
                except NoSuchQueue:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError(f"{queue} has not {consumers} consumers")

    async def result(self, frame_id: str) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            all_of_them = (json.loads(each.body) for each in self.got.deliveries)
            return [each for each in all_of_them if each["frame_id"] == frame_id]

        await aeventually(f"the result of {frame_id}", found)
        return found()[0]

    async def letter(self, message_id: str) -> Delivery:
        def found() -> list[Delivery]:
            return [each for each in self.dead.deliveries if each.message_id == message_id]

        await aeventually(f"the dead letter {message_id}", found)
        return found()[0]

    def counted(self, what: str) -> float:
        return self.worker.metric(f'cv_sender_frames_total{{node_id="n-1",outcome="{what}",sender="school"}}')


@pytest.fixture(scope="module")
def worker(
    virtual_hosts: VirtualHosts, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Service]]:
    folder: Path = tmp_path_factory.mktemp("senders")
    url = virtual_hosts.take()
    failing = patch(folder / "failing", FAILS)
    started = Service(
        "worker", folder / "worker.log", AMQP_URL=url, NODE_ID="n-1", WORKER_DETECTOR="haar", **failing
    )
    yield url, started.ready()
    started.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(worker: tuple[str, Service]) -> AsyncIterator[Desk]:
    url, service = worker
    async with bus(url) as opened, announcing(opened, LIMITED) as announcer:
        made = Desk(url, service, opened, announcer)
        await made.taken("frame_queue.from.school", 1)
        for role in (made.got, made.dead, made.lane_dead):
            opened.connection.add(role)
        await aeventually("all are heard", lambda: made.dead.subscribed and made.got.subscribed)
        yield made


async def test_a_senders_frame_comes_out_under_its_name_and_says_whose_it_is(desk: Desk) -> None:
    assert await send(desk.bus, LIMITED, task(FRAME, camera_id="yard", frame_id="f-1")) is Outcome.CONFIRMED
    result = await desk.result("school:f-1")
    assert (result["camera_id"], result["sender"], result["status"]) == ("school-yard", "school", "ok")
    assert result["detections"]
    await aeventually("it is counted", lambda: desk.counted("ok") >= 1)
    assert desk.worker.metric('cv_sender_seconds_total{node_id="n-1",sender="school"}') > 0
    assert desk.worker.metric('cv_sender_frame_age_seconds_count{node_id="n-1"}') >= 1


async def test_what_it_may_not_is_refused_with_a_sentence_and_costs_its_own_dead_letters(desk: Desk) -> None:
    large = jpeg(astronaut().repeat(2, axis=0))
    await send(desk.bus, LIMITED, task(large, camera_id="yard"), message_id="pixels")
    await send(desk.bus, LIMITED, task(FRAME, camera_id="yard", model="yunet"), message_id="model")
    for number in range(4):
        await send(desk.bus, LIMITED, task(FRAME, camera_id=f"c-{number}"), message_id=f"camera-{number}")
    letters = {name: (await desk.letter(name)).headers for name in ("pixels", "model", "camera-3")}
    assert {name: told["x-framefleet-reason"] for name, told in letters.items()} == {
        "pixels": "too_many_pixels",
        "model": "not_allowed",
        "camera-3": "not_allowed",
    }
    assert "ask the operator" in letters["camera-3"]["x-framefleet-error"]
    assert letters["model"]["x-framefleet-origin"] == "frame_queue.from.school"
    assert (await desk.result("school:camera-1"))["camera_id"] == "school-c-1"
    assert desk.lane_dead.deliveries == []


BACK = {"queue": "frame_queue.batch.retry.60s", "reason": "expired", "count": 1}
FORGED: dict[str, Any] = {
    "x-framefleet-attempts": 1,
    "x-framefleet-reason": "crashed",
    "x-framefleet-origin": "mine",
}


async def test_attempts_that_a_client_forges_make_nothing_of_its_frame(desk: Desk) -> None:
    """As a suspect each would be computed in a process of its own, a second of computing time each."""
    before = desk.worker.log.read_text().count("computing a frame apart")
    body = task(FRAME, camera_id="yard")
    for number in range(3):
        await send(desk.bus, LIMITED, body, headers=FORGED, message_id=f"forged-{number}")
        message = Message("", "frame_queue", body, headers=FORGED, message_id=f"unnamed-{number}")
        await desk.bus.publish(message)
        await desk.result(f"school:forged-{number}")
        await desk.result(f"unnamed-{number}")
    assert desk.worker.log.read_text().count("computing a frame apart") == before
    await send(desk.bus, LIMITED, b"?", headers=FORGED, message_id="no task")
    letter = await desk.letter("no task")
    told = {name: letter.headers[f"x-framefleet-{name}"] for name in ("reason", "origin", "attempts")}
    assert told == {"reason": "not_json", "origin": "frame_queue.from.school", "attempts": 1}


async def test_a_frame_that_fails_gets_one_more_attempt_apart_in_its_own_queue_and_one_answer(
    desk: Desk,
) -> None:
    small = jpeg(astronaut()[:64, :64])
    async with session([desk.url], "mailbox") as ours, ours.channel() as channel:
        mailbox = "sender.school.suspects"
        await channel.call(lambda done: channel.raw.queue_declare(mailbox, callback=done))
        body = task(small, camera_id="yard")
        await send(desk.bus, LIMITED, body, message_id="fails", reply_to=mailbox, correlation_id="c-1")
        letter = await desk.letter("fails")
        await aeventually("it is counted", lambda: desk.counted("failed") >= 1)
        good = task(FRAME, camera_id="yard", frame_id="after it")
        await send(desk.bus, LIMITED, good, reply_to=mailbox)
        await desk.result("school:after it")
        answers: list[Delivery] = []
        while len(answers) < 2:
            if answer := await channel.get(mailbox):
                answers.append(answer)
        await channel.delete(mailbox)
    told = json.loads(answers[0].body)
    assert [each.correlation_id for each in answers] == ["c-1", "after it"]
    assert (told["status"], told["reason"], told["frame_id"]) == ("failed", "detector_error", "school:fails")
    assert "out of order" not in told["error"]
    assert "out of order" in letter.headers["x-framefleet-error"]
    told = {name: letter.headers[f"x-framefleet-{name}"] for name in ("reason", "origin", "attempts")}
    assert told == {"reason": "detector_error", "origin": "frame_queue.from.school", "attempts": 2}
    await aeventually("it is counted", lambda: desk.counted("retried") == 1)
    assert "computing a frame apart" in desk.worker.log.read_text()
    seconds = desk.worker.metric('cv_sender_seconds_total{node_id="n-1",sender="school"}')
    assert seconds > 0.1  # the child's are its sender's


async def test_replies_go_to_the_sender_and_nowhere_else(desk: Desk) -> None:
    theirs: list[Delivery] = []
    mailbox = Consumer(EphemeralQueue(), theirs.append, no_ack=True)
    async with session([desk.url], "mailboxes") as ours, ours.channel() as channel:
        await channel.call(
            lambda done: channel.raw.queue_declare("sender.school.replies", durable=True, callback=done)
        )
        async with bus(desk.url, mailbox):
            await aeventually("a mailbox of somebody else", lambda: mailbox.queue_name)
            for number, reply_to in enumerate((str(mailbox.queue_name), "sender.school.replies")):
                body = task(FRAME, camera_id="yard", frame_id=f"asked-{number}")
                await send(desk.bus, LIMITED, body, reply_to=reply_to)
                await desk.result(f"school:asked-{number}")
            reply = None
            for _ in range(100):
                reply = await channel.get("sender.school.replies")
                if reply is not None:
                    break
                await asyncio.sleep(0.05)
        assert reply is not None
        assert (reply.correlation_id, json.loads(reply.body)["frame_id"]) == ("asked-1", "school:asked-1")
    assert theirs == []
    assert desk.worker.metric('cv_sender_replies_refused_total{node_id="n-1",sender="school"}') == 1


async def test_dead_letters_queue_that_somebody_deleted_is_declared_again_and_nothing_is_lost(
    desk: Desk,
) -> None:
    async with session([desk.url], "delete") as ours, ours.channel() as channel:
        await channel.delete("frame_queue.dlq.from.school")
    await send(desk.bus, LIMITED, b"?", message_id="after the deletion")
    await desk.letter("after the deletion")


async def test_queues_of_other_arguments_cost_only_their_sender(desk: Desk) -> None:
    async with session([desk.url], "declare") as ours, ours.channel() as channel:
        await channel.call(
            lambda done: channel.raw.queue_declare("frame_queue.from.odd", durable=True, callback=done)
        )
    await desk.announce(LIMITED, Sender(name="odd"))
    await aeventually("it is told", lambda: "frame_queue.from.odd" in desk.worker.log.read_text())
    await send(desk.bus, LIMITED, task(FRAME, camera_id="yard", frame_id="beside it"))
    await desk.result("school:beside it")
    assert desk.worker.get("/readyz")[0] == 200
    await desk.announce(LIMITED)


async def test_a_removed_senders_frames_are_no_longer_taken_and_none_is_lost_or_redelivered(
    desk: Desk,
) -> None:
    later = time.time() + 60
    names = [f"left-{number}" for number in range(40)]
    for name in names:
        await send(desk.bus, LIMITED, task(FRAME, timestamp=later, camera_id="yard", frame_id=name))
    await desk.result("school:left-3")
    await desk.announce()
    await desk.taken("frame_queue.from.school", 0)
    rest = Collector("frame_queue.from.school")
    left = rest.deliveries
    async with bus(desk.url, rest):
        prefix = "school:left-"

        def done() -> set[str]:
            found = {json.loads(each.body)["frame_id"] for each in desk.got.deliveries}
            return {each for each in found if each.startswith(prefix)}

        await aeventually("every frame", lambda: len(left) + len(done()) == len(names))
        assert left, "all were computed before it was removed"
        assert not any(each.redelivered for each in left)
        await aeventually("nobody is counted", lambda: "cv_sender_frames_total{" not in metrics(desk.worker))
    await desk.announce(LIMITED)
    await desk.taken("frame_queue.from.school", 1)
    await send(desk.bus, LIMITED, task(FRAME, camera_id="yard", frame_id="back"))
    await desk.result("school:back")


def metrics(worker: Service) -> str:
    return worker.get("/metrics")[1]


async def test_sigterm_with_several_consumers_finishes_what_is_held_and_nothing_is_redelivered(
    rabbitmq: str, start: StartService
) -> None:
    senders = [SCHOOL, Sender(name="club")]
    worker = start("worker", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar").ready()
    got = results()
    later = time.time() + 60
    async with bus(rabbitmq, got) as b, announcing(b, *senders):
        await aeventually("both are taken", lambda: worker.log.read_text().count("tasks are taken") == 2)
        sent = 0
        while sent < 90:
            body = task(FRAME, timestamp=later, frame_id=f"f-{sent}")
            target = sent % 3
            if target < 2:
                outcome = await send(b, senders[target], body)
            else:
                outcome = await b.task(body)
            if outcome is Outcome.CONFIRMED:
                sent += 1
            else:
                # A sender's exchange was not there yet, which costs the channel; without a pause it never opens again.
                await asyncio.sleep(0.01)
        await aeventually("some results", lambda: len(got.deliveries) >= 10)
        assert await asyncio.to_thread(worker.stop) == 0
        left: list[Delivery] = []
        queues = ["frame_queue", *(each.queue(Lane.LIVE) for each in senders)]
        async with bus(rabbitmq, *(Consumer(queue, left.append) for queue in queues)):
            await aeventually("the rest", lambda: len(left) + len(got.deliveries) >= 90)
    assert not any(each.redelivered for each in left)
    computed = [json.loads(each.body)["frame_id"] for each in got.deliveries]
    assert len(set(computed)) == len(computed)
    assert len(computed) + len(left) == 90


async def test_a_batch_frame_waits_in_one_retry_queue_after_the_other_whatever_a_client_forges(
    rabbitmq: str, start: StartService, tmp_path: Path
) -> None:
    """RabbitMQ says that a frame comes out of a retry queue; a client that says so itself is not believed."""
    failing = patch(tmp_path / "failing", FAILS)
    start("worker", AMQP_URL=rabbitmq, WORKER_DETECTOR="haar", WORKER_LANE="batch", **failing)
    forged = FORGED | {"x-framefleet-attempts": 3, "x-death": [BACK]}
    second = Collector("frame_queue.batch.retry.10s")
    dead = Collector("frame_queue.dlq")
    async with bus(rabbitmq, second, dead) as b:
        body = task(jpeg(astronaut()[:64, :64]))
        for name, headers in (("honest", {}), ("forged", forged)):
            message = Message("tasks", "frame_queue.batch", body, headers=headers, message_id=name)
            assert await b.publish(message) is Outcome.CONFIRMED
        await aeventually("both after the first wait", lambda: len(second.deliveries) == 2, 40)
    told = {each.message_id: each.headers["x-framefleet-attempts"] for each in second.deliveries}
    assert told == {"honest": 2, "forged": 2}
    assert dead.deliveries == []
