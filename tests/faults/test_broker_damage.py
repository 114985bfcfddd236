"""The broker's files are damaged: what is down is told by name, the rest goes on, and a command recreates it."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import Message
from broker.diagnosis import find_faults
from broker.session import session
from cli.queues.repair import find_folder
from cli.rabbitmq import RabbitMQNode
from contract.senders import Sender
from contract.task import Task, TaskForm, encode_task
from contract.topology import TOPOLOGY, Lane
from gateway import books, lifetimes
from gateway.senders.file import drop_sender, put_sender
from gateway.service import Gateway
from tests.conftest import StartService
from tests.faults.books import PICTURE
from tests.helpers.broker import Broker
from tests.helpers.bus import Bus, bus
from tests.helpers.components import require
from tests.helpers.eventually import aeventually, eventually
from tests.helpers.fleet import Fleet, metric
from tests.helpers.gateway import running_gateway
from tests.helpers.processes import Service
from tests.helpers.tool import framefleet

pytestmark = [pytest.mark.calm, pytest.mark.faults]

LIVE, BATCH, GPU = (lane.queue for lane in (Lane.LIVE, Lane.BATCH, Lane.GPU))
REMEDY = "`framefleet queues repair`"
WHOLE = "RabbitMQ: its quorum queues do not work"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQNode]:
    """A broker of this module's own: it is the one that gets damaged."""
    require("rabbitmq-server")
    own = Broker(tmp_path_factory.mktemp("damaged"), name="damaged")
    own.start()
    yield own
    own.end()


async def fill(sender: Bus, queue: str, count: int) -> None:
    message = Message("", queue, os.urandom(4_000), content_type="image/jpeg")
    outcomes = await asyncio.gather(*(sender.publish(message) for _ in range(count)))
    assert {outcome.value for outcome in outcomes} == {"confirmed"}


def write_segments(node: RabbitMQNode) -> None:
    """Have what is in the log so far written into the queues' segments, as at any start."""
    logs = set(node.directory.glob("data/*/quorum/*/*.wal"))
    node.ctl("eval", "ra_log_wal:force_roll_over(ra_log_wal).")
    eventually("all is in segments", lambda: not any(log.exists() for log in logs))


def damage(node: RabbitMQNode, queue: str, *, cut: bool) -> None:
    """Cut the queue's segment in half, or overwrite what is in its middle."""
    folder = find_folder(node.directory / "data", "/", queue)
    assert folder is not None
    (segment,) = folder.glob("*.segment")
    size = segment.stat().st_size
    with segment.open("r+b") as file:
        if cut:
            file.truncate(size // 2)
        else:
            file.seek(size // 4)
            file.write(os.urandom(size // 2))


async def every_queue_answers(node: RabbitMQNode) -> None:
    """Wait until all have a leader."""
    faults: dict[str, str | None] = {"": ""}

    while any(why is not None for why in faults.values()):
        faults.clear()
        names = [queue.name for queue in TOPOLOGY.queues]
        await find_faults([node.amqp_url], "test", names, faults.__setitem__)


async def down(queue: str, *services: Service | Gateway, seconds: float = 60.0) -> float:
    """Wait until each says by name that the queue is down, and return how long that took."""
    begun = time.monotonic()

    async def says(service: Service | Gateway) -> bool:
        if isinstance(service, Gateway):
            told = "; ".join(service.missing())
        else:
            told = (await asyncio.to_thread(service.get, "/readyz"))[1]
        return f"queue {queue}: it is down" in told and REMEDY in told

    for service in services:
        while not await says(service):
            assert time.monotonic() - begun < seconds, f"{queue} is not told"
            await asyncio.sleep(0.1)
    return time.monotonic() - begun


async def test_damaged_queues_are_told_by_name_cost_nothing_else_and_are_made_anew(
    node: RabbitMQNode, start: StartService, tmp_path: Path
) -> None:
    async with bus(node.amqp_url) as sender:
        for queue in (LIVE, GPU):
            await fill(sender, queue, 300)
    await asyncio.to_thread(write_segments, node)
    await asyncio.to_thread(node.stop)
    damage(node, LIVE, cut=True)
    damage(node, GPU, cut=False)
    await asyncio.to_thread(node.start)

    fleet = Fleet(start, node.amqp_url, tmp_path)
    live, producer = fleet.worker("live"), fleet.producer()
    batch = start(
        "worker", AMQP_URL=node.amqp_url, NODE_ID="batch", WORKER_LANE="batch", WORKER_DETECTOR="haar"
    )
    async with running_gateway(tmp_path, amqp_url=node.amqp_url) as gateway:
        told = await down(LIVE, gateway, live, producer)
        await down(GPU, gateway)
        registry = gateway.metrics.registry

        def is_down(queue: str) -> float | None:
            return registry.get_sample_value("gateway_queue_down", {"queue": queue})

        await aeventually("the metric", lambda: is_down(LIVE) == is_down(GPU) == 1)
        assert is_down(BATCH) == 0

        # Others go on.
        await asyncio.to_thread(batch.ready)
        async with bus(node.amqp_url) as sender:
            task = encode_task(
                Task(image=PICTURE, timestamp=1.0, camera_id="b", frame_id="b-1"), TaskForm.BASE64
            )
            await sender.task(task.body, BATCH)
        await aeventually("a result of the batch lane", lambda: "b-1" in fleet_results(gateway))

        # Nobody hammers.
        lost = live.log.read_text().count("broker unreachable")
        begun = time.monotonic()

        def reason() -> str:
            cameras = [view for view in gateway.cameras.views(time.monotonic()) if view.camera_id == "demo-1"]
            return str(cameras[0].reason) if cameras else ""

        await aeventually("the camera's reason", lambda: "the queue is down" in reason(), 40)
        await asyncio.sleep(max(0.0, 5 - (time.monotonic() - begun)))
        assert live.log.read_text().count("broker unreachable") == lost <= 1

        aside = tmp_path / "aside"
        where = ("--data", str(node.directory / "data"), "--aside", str(aside))
        checked = await framefleet(node.amqp_url, "queues", "check")
        assert (checked.status, f"{LIVE:28} is down: INTERNAL_ERROR" in checked.out) == (1, True)
        refused = await framefleet(node.amqp_url, "queues", "repair", *where)
        assert (refused.status, "Nothing was changed" in refused.err) == (1, True)
        damaged = [find_folder(node.directory / "data", "/", queue) for queue in (LIVE, GPU)]
        repaired = await framefleet(node.amqp_url, "queues", "repair", "--yes", *where)
        assert not [folder for folder in damaged if folder is None or folder.exists()]
        assert repaired.status == 0, repaired.err
        kept = sorted(folder.name.rpartition("-")[0] for folder in aside.iterdir())
        assert kept == [LIVE, GPU]
        assert all(list(folder.glob("*.segment")) for folder in aside.iterdir())

        back = time.monotonic()
        before = await metric(live, "cv_frames_processed_total{")
        await fleet.ready(30)
        while await metric(live, "cv_frames_processed_total{") < before + 10:
            assert time.monotonic() < back + 30, "the worker gets no frames"
        await aeventually("the gateway is well", lambda: gateway.missing() == [], 30)
        await aeventually("the metric says so", lambda: is_down(LIVE) == is_down(GPU) == 0)
        assert (await framefleet(node.amqp_url, "queues", "repair", *where)).out.startswith("all queues work")
    print(
        f"\nsegments damaged: told in {told:.1f} s; ten frames {time.monotonic() - back:.1f} s after the repair"
    )


def fleet_results(gateway: Gateway) -> set[str]:
    """The frame_ids of the newest results."""
    return {camera.result.frame_id for camera in gateway.cameras.known() if camera.result is not None}


async def test_what_a_cut_log_has_lost_is_noticed(
    node: RabbitMQNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RabbitMQ starts with what is left and says nothing."""
    for module, name, value in (
        (lifetimes, "TICK_SECONDS", 0.1),
        (books, "SAMPLE_SECONDS", 0.2),  # a minute takes two seconds
        (books, "LATELY", 5),
    ):
        monkeypatch.setattr(module, name, value)
    count = 1_500
    async with running_gateway(tmp_path, amqp_url=node.amqp_url) as gateway:
        depth = gateway.queues.depth

        def missing() -> float:
            return (
                gateway.metrics.registry.get_sample_value("gateway_frames_missing_total", {"lane": "batch"})
                or 0
            )

        async with bus(node.amqp_url) as sender:
            await fill(sender, BATCH, count)
        await aeventually("all wait", lambda: depth.messages.get(BATCH) == count)
        await asyncio.sleep(2 * books.LATELY * books.SAMPLE_SECONDS)
        await asyncio.to_thread(node.kill)
        newest = max(node.directory.glob("data/*/quorum/*/*.wal"), key=lambda file: file.stat().st_mtime)
        with newest.open("r+b") as file:
            file.truncate(written(newest) // 2)
        await asyncio.to_thread(node.start)
        await aeventually("the queue is there again", lambda: BATCH in depth.messages, 30)
        await aeventually("the books tell", lambda: missing() > 0, 30)
        left = depth.messages[BATCH]
        assert 0 < left < count
        assert missing() == count - left
        await aeventually("nothing else is wrong", lambda: gateway.missing() == [])
    print(f"\nlog cut in half: {count - left} of {count} confirmed frames gone, told as {missing():.0f}")


def written(wal: Path) -> int:
    """Bytes up to the last that is not zero: RabbitMQ makes the file as large as it may become."""
    return len(wal.read_bytes().rstrip(b"\0"))


async def test_a_sender_s_damaged_queues_are_told_and_nobody_else_waits(
    node: RabbitMQNode, start: StartService, tmp_path: Path
) -> None:
    """Nothing said so: the list had zeros, and the sender's cameras only fell silent."""
    school = Sender(name="school", lanes=(Lane.BATCH,))
    own, letters = school.queue(Lane.BATCH), school.dead_letter_queue
    async with bus(node.amqp_url) as sender, session([node.amqp_url], "declares") as broker:
        async with broker.channel() as channel:
            for exchange in school.topology.exchanges:
                await channel.declare_exchange(exchange)
            for queue in school.queues:
                await channel.declare(queue)
        for name in (own, letters):
            await fill(sender, name, 300)
    await asyncio.to_thread(write_segments, node)
    await asyncio.to_thread(node.stop)
    for name in (own, letters):
        damage(node, name, cut=True)
    await asyncio.to_thread(node.start)

    batch = start(
        "worker", AMQP_URL=node.amqp_url, NODE_ID="batch", WORKER_LANE="batch", WORKER_DETECTOR="haar"
    )
    async with running_gateway(tmp_path, amqp_url=node.amqp_url) as gateway:
        put_sender(gateway.settings.senders, school)
        begun = time.monotonic()
        await aeventually("both are told", lambda: len(gateway.queues.notices()) == 2, 60)
        took = time.monotonic() - begun
        assert all(f"queue {name}: it is down" in str(gateway.queues.notices()) for name in (own, letters))
        sample = gateway.metrics.registry.get_sample_value

        def measured() -> list[float | None]:
            return [sample("gateway_queue_down", {"queue": name}) for name in (own, letters)]

        await aeventually("the metric", lambda: measured() == [1, 1])
        await aeventually("the worker has met it", lambda: "a queue is down" in batch.log.read_text(), 40)
        assert gateway.missing() == []
        await asyncio.to_thread(batch.ready)
        async with bus(node.amqp_url) as sender:
            task = encode_task(
                Task(image=PICTURE, timestamp=1.0, camera_id="b", frame_id="b-2"), TaskForm.BASE64
            )
            await sender.task(task.body, BATCH)
        await aeventually("a result of the lane", lambda: "b-2" in fleet_results(gateway))
        listed = await framefleet(
            node.amqp_url, "dlq", "list", settings={"GATEWAY_DATA_DIR": str(gateway.settings.data_dir)}
        )
        assert (listed.status, f"not looked at: queue {letters}: it is down" in listed.err) == (0, True), (
            listed.err
        )
        drop_sender(gateway.settings.senders, "school")
        await aeventually("nothing is told of it", lambda: not gateway.queues.notices(), 10)
        await aeventually("nor measured", lambda: measured() == [None, None])
    print(f"\na sender's segments damaged: told in {took:.1f} s")


async def test_a_file_for_which_no_queue_works_is_named_and_moved_and_costs_no_other_queue(
    node: RabbitMQNode, tmp_path: Path
) -> None:
    async def count() -> int:
        async with session([node.amqp_url], "test") as asking:
            return (await asking.count(BATCH))[0]

    await every_queue_answers(node)
    async with bus(node.amqp_url) as sender:
        before = await count()
        await fill(sender, BATCH, 20)
        await fill(sender, LIVE, 20)
    folder = find_folder(node.directory / "data", "/", LIVE)
    assert folder is not None
    (folder / f"{newest_segment(folder) + 1:08}.segment").write_bytes(b"junk" * 50)
    # The log so far is written into segments: RabbitMQ cannot, and gives all its quorum queues up.
    await asyncio.to_thread(node.ctl, "eval", "ra_log_wal:force_roll_over(ra_log_wal).")
    where = ("--data", str(node.directory / "data"), "--aside", str(tmp_path / "aside"))

    async def says(*command: str, status: int, words: str) -> None:
        said = await framefleet(node.amqp_url, "queues", *command)
        assert (said.status, words in said.out + said.err) == (status, True), said

    async def none_works() -> None:
        await asyncio.gather(  # each waits for answers that do not come
            says("check", status=1, words="do not work, none of them"),
            says("repair", "--yes", status=1, words="docker compose stop rabbitmq"),
            says("repair", "--dry-run", *where, status=0, words=f"{LIVE}: "),
            says("repair", *where, status=1, words="Nothing was changed"),
        )
        assert folder.exists()

    async with running_gateway(tmp_path, amqp_url=node.amqp_url) as gateway:
        await aeventually(
            "one sentence", lambda: len(gateway.missing()) == 1 and WHOLE in gateway.missing()[0], 60
        )
        await none_works()
    await asyncio.to_thread(node.kill)
    await says("repair", "--dry-run", *where, status=0, words=str(folder))
    await asyncio.to_thread(node.start)  # most often the whole virtual host is down then
    await none_works()
    await says("repair", "--yes", *where, status=0, words="make down && make up")
    (moved,) = (tmp_path / "aside").iterdir()
    assert moved.name.startswith(folder.name)
    assert not folder.exists()

    await asyncio.to_thread(node.kill)
    await asyncio.to_thread(node.start)
    await says("check", status=1, words=f"{LIVE:28} is down")
    await says("repair", "--yes", *where, status=0, words=f"{LIVE}: recreated")
    await says("check", status=0, words="all queues are as they should be")
    assert await count() == before + 20


def newest_segment(folder: Path) -> int:
    return max((int(file.stem) for file in folder.glob("*.segment")), default=0)
