"""Senders at a gateway on a real broker: announced and shown, and what invented names, times and ids do not reach."""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets

from broker import Consumer, Delivery, Message
from broker.session import session
from contract.result import Result, encode_result
from contract.senders import Sender, Senders
from contract.status import CameraReport, CamerasStatus, encode_status, parse_control, status_routing_key
from contract.topology import (
    CONTROL_EXCHANGE,
    RESULTS_EXCHANGE,
    STATUS_EXCHANGE,
    EphemeralQueue,
    Lane,
)
from gateway.cameras import admission
from gateway.cameras.admission import UNNAMED
from gateway.errors import WrongSetting
from gateway.senders.file import drop_sender, put_sender, read_senders
from gateway.service import Gateway
from tests.helpers.bus import Bus, bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.results import result

pytestmark = pytest.mark.integration

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SCHOOL = Sender(name="school", lanes=(Lane.LIVE, Lane.BATCH), max_cameras=3)
SOON_SECONDS = 3.0


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the seconds that producers are given to be heard."""
    monkeypatch.setattr(admission, "BEGIN_SECONDS", 0.0)
    monkeypatch.setattr(admission, "ANNOUNCE_SECONDS", 0.0)


class Worker:
    """Sends the results that a worker would."""

    def __init__(self, connection: Bus) -> None:
        self._bus = connection

    async def send(self, *results: Result) -> None:
        messages = [Message(RESULTS_EXCHANGE, each.camera_id, encode_result(each)) for each in results]
        await asyncio.gather(*map(self._bus.publish, messages))

    async def announce(self, *camera_ids: str) -> None:
        """Say as a producer that it serves these."""
        reports = [
            CameraReport(camera_id=camera_id, state="live", since=time.time()) for camera_id in camera_ids
        ]
        status = CamerasStatus(producer_id="p", producer_since=1.0, time=time.time(), cameras=reports)
        body = encode_status(status)
        await self._bus.publish(Message(STATUS_EXCHANGE, status_routing_key(status), body, mandatory=False))


@contextlib.asynccontextmanager
async def system(folder: Path, url: str, **settings: Any) -> AsyncIterator[tuple[Gateway, Worker]]:
    async with running_gateway(folder, amqp_url=url, **settings) as gateway, bus(url) as connection:
        await aeventually("a connected gateway", lambda: gateway.missing() == [] and gateway.publisher.usable)
        yield gateway, Worker(connection)


async def ask(gateway: Gateway, path: str) -> Any:
    async with aiohttp.ClientSession(headers=HEADERS) as http, http.get(f"{gateway.address}{path}") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def stored(gateway: Gateway, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(gateway.settings.data_dir / "history.sqlite3")) as database:
        return database.execute(query).fetchall()


async def test_a_frame_from_the_future_hides_no_camera(rabbitmq: str, tmp_path: Path) -> None:
    """One every four seconds hid the camera, whose state read `live`."""
    async with system(tmp_path, rabbitmq) as (gateway, worker):
        url = f"ws://127.0.0.1:{gateway.port}/ws/results?latest=1"
        async with websockets.connect(url, additional_headers=HEADERS) as client:
            for second in range(3):
                now = time.time()
                await worker.send(
                    result(now + 3600, camera_id="yard", timestamp=now, frame_id=f"forged-{second}")
                )
                forged = json.loads(await asyncio.wait_for(client.recv(), 5))
                assert forged["original_timestamp"] == now + 3600  # as its sender wrote it
                await worker.send(result(time.time(), camera_id="yard", frame_id=f"real-{second}"))
                shown = json.loads(await asyncio.wait_for(client.recv(), 2))
                assert shown["frame_id"] == f"real-{second}"
        query = "SELECT max(ended) FROM events"
        await aeventually("the event", lambda: stored(gateway, query)[0][0] is not None)
        assert stored(gateway, query)[0][0] <= time.time()
        assert stored(gateway, "SELECT max(minute) FROM activity")[0][0] <= time.time()


async def test_invented_cameras_get_neither_tiles_nor_rows_and_a_real_one_gets_in(
    rabbitmq: str, tmp_path: Path, no_patience: None
) -> None:
    """6,000 names in 0.6 s made 6,000 rows in a table without a limit, and 1,500 tiles for a day."""
    async with system(tmp_path, rabbitmq, max_unannounced_cameras=20) as (gateway, worker):
        await worker.announce("gate-1", "gate-2")
        await aeventually("the producer", lambda: gateway.cameras.announced("gate-1"))
        now = time.time()
        url = f"ws://127.0.0.1:{gateway.port}/ws/results"
        async with websockets.connect(url, additional_headers=HEADERS) as client:
            await worker.send(*(result(now, camera_id=f"invented-{number}") for number in range(600)))
            await worker.send(result(now, camera_id="gate-1"))
            every = [json.loads(await asyncio.wait_for(client.recv(), 5)) for _ in range(601)]
        assert len({each["camera_id"] for each in every}) == 601  # who gets every result gets every one

        await aeventually(
            "all are stored", lambda: stored(gateway, "SELECT count(*) FROM results") == [(601,)]
        )
        own = {camera_id for (camera_id,) in stored(gateway, "SELECT DISTINCT camera_id FROM activity")}
        assert len(own) == 22  # twenty, the announced one, and all together
        assert "gate-1" in own
        assert stored(gateway, "SELECT sum(frames) FROM activity WHERE camera_id = ''") == [(601,)]
        assert stored(gateway, "SELECT count(DISTINCT camera_id) FROM events") == [(21,)]

        await aeventually("they are told", lambda: gateway.admission.refused()[UNNAMED] == 580)
        page = await ask(gateway, "/api/cameras?limit=1")
        assert page["total"] == 22
        assert page["notices"] == (await ask(gateway, "/api/metrics"))["notices"]
        assert "580 cameras are not shown" in page["notices"][0]
        assert (await ask(gateway, "/api/senders"))["unnamed"] == {"limit": 20, "cameras": 20, "refused": 580}
        counted = gateway.metrics.registry.get_sample_value
        assert counted("gateway_cameras_refused_total", {"sender": ""}) == 580


async def test_a_thousand_cameras_of_plain_clients_need_one_setting(
    rabbitmq: str, tmp_path: Path, no_patience: None
) -> None:
    async with system(tmp_path, rabbitmq, max_unannounced_cameras=1_000) as (gateway, worker):
        now = time.time()
        await worker.send(*(result(now, camera_id=f"c{number}") for number in range(1_000)))
        await aeventually("all are shown", lambda: len(gateway.cameras.known()) == 1_000)
        assert gateway.admission.notices() == []


async def test_a_sender_has_so_many_cameras_and_ids_of_its_own(
    rabbitmq: str, tmp_path: Path, no_patience: None
) -> None:
    """Pre-sent frame_ids erased 50 of 50 real detections. Results are as workers write a sender's."""
    async with system(tmp_path, rabbitmq) as (gateway, worker):
        put_sender(gateway.settings.senders, SCHOOL)
        await aeventually("it is known", lambda: gateway.senders.find("school"))
        await worker.announce("gate-1")
        await aeventually("the producer", lambda: gateway.cameras.announced("gate-1"))
        now = time.time()
        ids = [f"gate-1:1795210000:{number}" for number in range(50)]
        forged = [
            result(now, 0, camera_id=SCHOOL.camera("gate-1"), frame_id=SCHOOL.frame(each), sender="school")
            for each in ids
        ]
        await worker.send(*forged)
        await worker.send(*(result(now, 2, camera_id="gate-1", frame_id=each) for each in ids))
        real = "SELECT count(*), sum(faces) FROM results WHERE camera_id = 'gate-1'"
        await aeventually("all real detections", lambda: stored(gateway, real) == [(50, 100)])

        await worker.send(
            *(result(now, camera_id=f"school-{number}", sender="school") for number in range(10))
        )
        await aeventually("the rest is told", lambda: gateway.admission.notices())
        assert "school" in gateway.admission.notices()[0]
        page = await ask(gateway, "/api/cameras?fields=sender")
        senders = {each["camera_id"]: each["sender"] for each in page["items"]}
        assert senders["gate-1"] is None
        assert list(senders.values()).count("school") == 3
        (shown,) = (await ask(gateway, "/api/senders"))["items"]
        assert (shown["cameras_seen"], shown["cameras_refused"], shown["frames"]) == (3, 8, 60)


async def test_senders_are_announced_their_queues_shown_and_their_dead_letters_listed(
    rabbitmq: str, tmp_path: Path
) -> None:
    heard: list[Senders] = []

    def hear(delivery: Delivery) -> None:
        control = parse_control(delivery.body)
        if isinstance(control, Senders):
            heard.append(control)

    ear = Consumer(EphemeralQueue(bindings=((CONTROL_EXCHANGE, ""),)), hear, no_ack=True)
    async with system(tmp_path, rabbitmq) as (gateway, _worker), bus(rabbitmq, ear) as connection:
        await aeventually("an ear", lambda: ear.subscribed)
        said = put_sender(gateway.settings.senders, SCHOOL)
        await aeventually("it is announced", lambda: heard == [said], SOON_SECONDS)
        # Its queues are not there: that costs no figure of the others.
        await aeventually("the lanes' queues", lambda: "frame_queue" in gateway.queues.depth.messages)
        async with session([rabbitmq], "declares") as broker, broker.channel() as channel:
            for exchange in SCHOOL.topology.exchanges:
                await channel.declare_exchange(exchange)
            for queue in SCHOOL.topology.queues:
                await channel.declare(queue)
        for to, key in (
            (SCHOOL.exchange, SCHOOL.queue(Lane.LIVE)),
            ("", SCHOOL.dead_letter_queue),
            ("", "frame_queue.dlq"),
        ):
            await connection.publish(Message(to, key, b'{"camera_id": "gate-1"}'))
        listed = await ask(gateway, "/api/dlq")
        assert sorted((each["sender"] or "", each["camera_id"]) for each in listed["items"]) == [
            ("", "gate-1"),
            ("school", "school-gate-1"),
        ]
        assert listed["total"] == 2
        only = await ask(gateway, "/api/dlq?sender=school")
        assert [each["camera_id"] for each in only["items"]] == ["school-gate-1"]

        known = gateway.queues.of_senders.messages
        await aeventually("their depths", lambda: known.get(SCHOOL.queue(Lane.LIVE)) == 1, 45)
        (shown,) = (await ask(gateway, "/api/senders"))["items"]
        assert (shown["waiting"], shown["dead_letters"]) == (1, 1)

        drop_sender(gateway.settings.senders, "school")
        await aeventually("its end is announced", lambda: heard[-1].senders == (), SOON_SECONDS)
        await aeventually("its depths are gone", lambda: not gateway.queues.of_senders.messages)


async def test_two_gateways_agree_on_the_senders(rabbitmq: str, tmp_path: Path) -> None:
    async with system(tmp_path / "a", rabbitmq) as (one, _), system(tmp_path / "b", rabbitmq) as (other, _):
        put_sender(one.settings.senders, SCHOOL)
        kept = other.settings.senders
        await aeventually("the other keeps it", lambda: read_senders(kept).senders == (SCHOOL,))
        put_sender(other.settings.senders, Sender(name="bakery"))
        await aeventually("and the first", lambda: one.senders.find("bakery"), SOON_SECONDS)
        assert one.senders.in_force == other.senders.in_force
        assert [each.name for each in one.senders.senders] == ["bakery", "school"]


async def test_no_gateway_starts_with_a_broken_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "senders.json").write_text(
        '{"kind": "senders", "revision": 1, "sendrs": 7, "senders": 7}'
    )
    with pytest.raises(WrongSetting, match=r"senders.json is not a file of senders"):
        async with running_gateway(tmp_path):
            pass
    assert sorted(each.name for each in (tmp_path / "data").iterdir()) == ["senders.json"]
