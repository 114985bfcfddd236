"""One producer with good cameras and every sort of bad one: each bad one is known for what it is, and hurts nobody."""

import asyncio
from typing import Any

import pytest

from bench.machine import resident_megabytes
from broker import Consumer, Delivery
from contract.status import CameraReport, CamerasStatus, CameraStatus, parse_status
from contract.topology import STATUS_EXCHANGE, EphemeralQueue
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.http_camera import HttpCamera, http_camera
from tests.helpers.workers import timed_workers

pytestmark = pytest.mark.alone  # good cameras' requests are counted to the twentieth

GOOD = 20
FPS = 5
WINDOW = 8.0  # seconds in which the good cameras' requests are counted

BAD = {
    "stalls": "does not answer in time",
    "silent": "does not answer in time",
    "trickles": "does not answer in time",
    "dribbles": "no whole picture",
    "html": "text/html, not with a JPEG",
    "cut": "cut off",
    "nothing": "answers with nothing",
    "around": "redirects without end",
    "announced": "more than 12 MiB",
    "endless": "more than 12 MiB",
    "bomb": "more than 12 MiB",
    "flood": "more than 12 MiB",
    "closes": "broke off",
    "babbles": "does not answer as HTTP servers do",
    "text": "no pictures",
    "secret": "asks for a login",
    "status/403": "(403)",
    "status/404": "check the path",
    "status/503": "answers 503",
    "rests/60": "answers 503",
}
ODD = ("resizes", "mjpeg", "packed")  # unusual and right


class Reports(Consumer):
    """The last that was heard of each camera."""

    def __init__(self) -> None:
        self.last: dict[str, CameraStatus | CameraReport] = {}
        super().__init__(EphemeralQueue(((STATUS_EXCHANGE, "#"),)), self._heard, no_ack=True)

    def forget(self) -> None:
        self.last.clear()

    def all(self, state: str, *cameras: str) -> bool:
        """Whether all of these are in this state."""
        return all(camera in self.last and self.last[camera].state == state for camera in cameras)

    def _heard(self, delivery: Delivery) -> None:
        match parse_status(delivery.body):
            case CameraStatus() as status:
                self.last[status.camera_id] = status
            case CamerasStatus() as batch:
                self.last.update((report.camera_id, report) for report in batch.cameras)
            case _:
                pass


def camera_id(path: str) -> str:
    return path.replace("/", "-")


async def requests_of(server: HttpCamera) -> int:
    """How many the server gets in WINDOW seconds."""
    before = len(server.requests)
    await asyncio.sleep(WINDOW)
    return len(server.requests) - before


async def test_bad_cameras_are_known_for_what_they_are_and_hurt_no_other(rabbitmq: str, start: Any) -> None:
    reports = Reports()
    # Who asks when the camera's turn has come needs somebody who takes the frames.
    async with (
        timed_workers(rabbitmq, count=4, seconds=0.001),
        http_camera() as good,
        http_camera() as bad,
        bus(rabbitmq, reports),
    ):
        names = [f"good-{n}" for n in range(GOOD)]
        alone = [f"{name}={good.url}/plain?camera={name}" for name in names]
        others = [f"{camera_id(path)}={bad.url}/{path}" for path in (*BAD, *ODD)]
        others += ["refused=http://me:hunter2@127.0.0.1:9/x", "dns=http://no-such-host.invalid/x"]

        def run(sources: list[str]) -> Any:
            reports.forget()
            return start("producer", AMQP_URL=rabbitmq, SOURCE=",".join(sources), PRODUCER_FPS=str(FPS))

        producer = run(alone)
        await aeventually("good ones alone", lambda: reports.all("live", *names))
        expected = await requests_of(good)
        memory, _ = resident_megabytes(producer.process.pid)
        assert producer.stop() == 0

        producer = run(alone + others)
        await aeventually("good ones and odd ones", lambda: reports.all("live", *names, *ODD), seconds=30)
        among_bad_ones = await requests_of(good)

        reasons = {camera_id(path): reason for path, reason in BAD.items()}
        reasons |= {"refused": "Connection refused", "dns": "check its name"}
        await aeventually("the bad ones", lambda: reports.all("offline", *reasons), seconds=30)
        told = {camera: reports.last[camera].reason or "" for camera in reasons}
        assert {camera: reason for camera, reason in told.items() if reasons[camera] not in reason} == {}
        assert "hunter2" not in told["refused"]
        assert reports.all("live", *names, *ODD)

        now, most = resident_megabytes(producer.process.pid)
        assert expected == pytest.approx(GOOD * FPS * WINDOW, rel=0.1)
        assert among_bad_ones == pytest.approx(expected, rel=0.05)
        assert now - memory < 40
        assert most - memory < 80, "three cameras at once get as far as 12 MiB"
        assert producer.stop() == 0
        assert "hunter2" not in producer.log.read_text()
        assert "unexpected" not in producer.log.read_text()
