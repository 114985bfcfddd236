"""The remote lane through the gateway: what it shows, and an operator's pause, resume and raise, with a real worker."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from broker import Consumer
from cli.doctor.finding import Findings, Level
from cli.doctor.place import Place
from cli.doctor.remote import check
from cli.layout import Layout
from contract.topology import RESULTS_EXCHANGE, EphemeralQueue
from tests.conftest import StartService
from tests.helpers.bus import bus, dead_letters
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.vision_server import vision_server
from tests.integration.test_worker_remote import fill, remote

pytestmark = pytest.mark.integration

BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def test_operators_pause_resume_and_raise(start: StartService, rabbitmq: str, tmp_path: Path) -> None:
    seen: set[str] = set()
    # The gateway takes result_queue; this is a queue of the test's own.
    got = Consumer(
        EphemeralQueue(bindings=((RESULTS_EXCHANGE, "#"),)),
        lambda delivery: seen.add(str(delivery.message_id)),
        no_ack=True,
    )
    dead = dead_letters()
    with vision_server(price=(10.0, 50.0)) as server:
        async with (
            running_gateway(tmp_path / "gateway", amqp_url=rabbitmq) as gateway,
            aiohttp.ClientSession() as http,
        ):
            base = f"{gateway.address}/api/remote"

            async def view(method: str = "GET", path: str = "") -> Any:
                async with http.request(method, base + path, headers=BEARER) as answer:
                    body = await answer.json()
                    assert answer.status == 200, body
                    return body

            async def state(wanted: str) -> bool:
                return bool((await view())["state"] == wanted)

            assert (await view())["state"] == "absent"
            start("worker", **remote(rabbitmq, server, tmp_path, WORKER_REMOTE_BUDGET_DAY="0.10")).ready()
            await aeventually_async("open", lambda: state("open"))
            await view("POST", "/pause")

            async def held(by: str) -> bool:
                workers = (await view())["workers"]
                return bool(workers and workers[0]["held_by"] == by)

            await aeventually_async("paused", lambda: held("operator"))
            async with bus(rabbitmq, got, dead) as b:
                await fill(b, 20)
                await aeventually_async("frames wait", lambda: waits(view, 20))
                assert not server.calls
                await view("POST", "/resume")
                await aeventually_async("the budget is spent", lambda: held("budget"))
                shown = await view()
                assert "framefleet remote raise" in shown["reason"]

                async def some_spent() -> bool:  # its heartbeats are two seconds apart
                    return bool(0 < (await view())["day"]["spent"] <= 0.10)

                await aeventually_async("what was spent", some_spent)
                await view("POST", "/raise?dollars=3&period=day")
                await aeventually("all", lambda: len(seen) == 20, 40)
                shown = await view()
                assert list(shown["raised"].values()) == [3.0]

                async def settled() -> bool:
                    return bool((await view())["day"]["frames"] == 20)

                await aeventually_async("the books", settled)
            assert not dead.deliveries
            async with http.post(base + "/raise?dollars=-3", headers=BEARER) as answer:
                assert answer.status == 422


async def waits(view: Any, frames: int) -> bool:
    return bool((await view())["waiting"] == frames)


async def aeventually_async(what: str, looks: Any, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not await looks():
        assert time.monotonic() < until, what
        await asyncio.sleep(0.2)


async def test_workers_with_two_folders_and_a_wrong_key_are_told(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    """Two machines without Redis: each counts in its own folder, which the gateway and the doctor say."""
    key = tmp_path / "key"
    key.write_text("sk-old")
    with vision_server(key="sk-new", price=(10.0, 50.0)) as server:
        async with running_gateway(tmp_path / "gateway", amqp_url=rabbitmq) as gateway:
            place = Place(Layout(tmp_path), gateway=gateway.address, token=TOKEN)

            async def doctor_says(*wanted: tuple[Level, str]) -> bool:
                findings = Findings("workers")
                await asyncio.to_thread(check, place, findings)
                said = [(each.level, each.found) for each in findings.all]
                return all(
                    any(level is one and words in text for one, text in said) for level, words in wanted
                )

            environment = remote(rabbitmq, server, tmp_path, WORKER_REMOTE_KEY_FILE=str(key))
            old = time.time() - 100 * 86_400
            os.utime(environment["WORKER_REMOTE_PRICES"], (old, old))
            start("worker", **environment).ready()
            apart = {"NODE_ID": "r-2", "WORKER_REMOTE_FOLDER": str(tmp_path / "another-machine")}
            start("worker", **environment | apart).ready()
            await aeventually_async(
                "they count apart",
                lambda: doctor_says(
                    (Level.ERROR, "in 2 separate places"), (Level.WARNING, "last written 100 days ago")
                ),
            )
            async with bus(rabbitmq) as b:
                await fill(b, 4)
                await aeventually_async(
                    "the key", lambda: doctor_says((Level.WARNING, "does not take the key"))
                )


async def test_an_endpoint_that_nobody_reaches_is_told(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    with vision_server() as server:
        pass  # it is gone
    async with running_gateway(tmp_path / "gateway", amqp_url=rabbitmq) as gateway:
        place = Place(Layout(tmp_path), gateway=gateway.address, token=TOKEN)

        async def doctor_says(level: Level, words: str) -> bool:
            findings = Findings("workers")
            await asyncio.to_thread(check, place, findings)
            return any(each.level is level and words in each.found for each in findings.all)

        start("worker", **remote(rabbitmq, server, tmp_path)).ready()
        async with bus(rabbitmq) as b:
            await fill(b, 12)
            await aeventually_async(
                "unreachable", lambda: doctor_says(Level.WARNING, "cannot be reached: is it up"), 30
            )
