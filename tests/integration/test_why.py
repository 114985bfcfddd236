"""Why a frame was computed or not, from a real broker, worker, gateway and Prometheus, by the API and the command."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from broker import Message
from contract.dead_letters import REASON, TIME
from contract.result import Result
from contract.topology import DEAD_LETTER_QUEUE
from gateway.history.writer import HistoryWriter
from gateway.service import Gateway
from gateway.tokens.file import add_token
from tests.conftest import StartService
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import astronaut, jpeg, task
from tests.helpers.prometheus import other_prometheus
from tests.helpers.results import result, thumbnail
from tests.helpers.tool import Said, framefleet

pytestmark = pytest.mark.integration

Json = dict[str, Any]
Ask = Callable[[str], Awaitable[Json]]
FRAME = jpeg(astronaut())


@asynccontextmanager
async def asking(gateway: Gateway, token: str = TOKEN) -> AsyncIterator[Ask]:
    """Asks the gateway about frames."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(gateway.address, headers=headers) as http:

        async def ask(frame_id: str) -> Json:
            async with http.get("/api/why", params={"frame_id": frame_id}) as answer:
                assert answer.status == 200, await answer.text()
                return dict(await answer.json())

        yield ask


def words(found: Json, place: str) -> tuple[str, str]:
    """What one witness says."""
    return next((each["state"], each["words"]) for each in found["witnesses"] if each["place"] == place)


def known(found: Json) -> bool:
    return bool(found["verdict"] != "unknown")


async def settled(ask: Ask, frame_id: str, until: Callable[[Json], bool] = known) -> Json:
    """The answer, once it is as it will be."""
    found: list[Json] = []

    async def look() -> bool:
        found.append(await ask(frame_id))
        return until(found[-1])

    async with asyncio.timeout(30):
        while not await look():
            pass  # each look takes its time
    return found[-1]


async def why(gateway: Gateway, *arguments: str, token: str = TOKEN) -> Said:
    """`framefleet why`, asking that gateway."""
    return await framefleet(
        "", "why", "--url", gateway.address, *arguments, settings={"GATEWAY_TOKEN": token}
    )


async def test_what_a_worker_did_with_each_frame(
    start: StartService, rabbitmq: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.dead_letters.reader.FRESH_SECONDS", 0.2)
    worker = start("worker", AMQP_URL=rabbitmq, NODE_ID="n-1", WORKER_DETECTOR="haar")
    async with (
        running_gateway(tmp_path, amqp_url=rabbitmq) as gateway,
        bus(rabbitmq) as b,
        asking(gateway) as ask,
    ):
        await asyncio.to_thread(worker.ready)
        await aeventually("at work", lambda: not gateway.missing())
        now = time.time()
        odd = "école/gate 3?#%2F.."
        long = "m" * 255  # bytes: as long as a message_id can be
        await b.task(task(FRAME, camera_id="gate-3", frame_id=odd))
        await b.task(task(FRAME, camera_id="gate-3", frame_id="old", timestamp=now - 20))
        await b.task(task(b"GIF89a", camera_id="gate-3", frame_id="gif"))
        await b.task(task(FRAME, camera_id="gate-3"), message_id=long)
        await b.task(task(FRAME, camera_id="gate-3", frame_id="twice", timestamp=now - 0.2))
        await b.task(task(FRAME, camera_id="roof", frame_id="twice", timestamp=now - 0.1))

        computed = await settled(ask, odd)
        assert (computed["verdict"], computed["frame_id"], computed["camera_id"]) == (
            "computed",
            odd,
            "gate-3",
        )
        assert computed["words"].startswith("Worker n-1 computed it")
        ages = [hop["seconds"] for hop in computed["hops"]]
        assert ages == sorted(ages)
        assert ages[0] == 0.0

        expired = await settled(ask, "old")
        assert (expired["verdict"], expired["reason"]) == ("expired", "stale")
        assert "more workers" in expired["remedy"]

        dead = await settled(ask, "gif")
        assert (dead["verdict"], dead["reason"]) == ("dead_lettered", "not_an_image")
        assert "GIF" in dead["words"]  # the worker's own sentence
        assert [hop["hop"] for hop in dead["hops"]] == ["captured", "dead_letter"]
        letter_id = words(dead, "dead_letters")[1].rpartition(" ")[2]
        assert (await ask(letter_id))["frame_id"] == "gif"

        assert (await settled(ask, long))["verdict"] == "computed"

        twice = await settled(ask, "twice", lambda found: found["verdict"] == "repeated")
        assert "result of another frame came with it" in twice["words"]
        assert "of gate-3" in twice["words"]

        said = await why(gateway, odd)
        assert (said.status, said.err) == (0, "")
        assert f"{odd}: computed" in said.out
        assert "by n-1" in said.out
        here = {"FRAMEFLEET_IMAGE": "gateway", "GATEWAY_PORT": str(gateway.port), "GATEWAY_TOKEN": TOKEN}
        said = await framefleet("", "why", odd, settings=here)  # as in its container
        assert (said.status, said.err) == (0, "")
        assert f"docker compose logs --no-log-prefix | grep -F '{odd}'" in said.out
        said = await why(gateway, "gif", "--json")
        assert said.status == 4
        assert json.loads(said.out)["reason"] == "not_an_image"
        said = await why(gateway, "never-sent")
        assert said.status == 3
        assert "Nobody has seen it" in said.out
        said = await why(gateway, "gif", token="wrong-token-of-16-characters")
        assert said.status == 1
        assert "does not know the token" in said.err


async def test_dead_letters_by_the_thousand_and_who_is_told(rabbitmq: str, tmp_path: Path) -> None:
    """5,000 dead letters: an answer in seconds, the next at once; a viewer is told nothing of them."""
    async with (
        running_gateway(tmp_path, amqp_url=rabbitmq) as gateway,
        bus(rabbitmq) as b,
        asking(gateway) as ask,
    ):
        await aeventually("at work", lambda: not gateway.missing())
        sent = []
        for number in range(5_000):
            headers = {REASON: "not_json", TIME: str(time.time())}
            letter = Message("", DEAD_LETTER_QUEUE, b"x", "text/plain", headers, message_id=f"f{number}")
            sent.append(b.publish(letter))
        await asyncio.gather(*sent)
        begun = time.monotonic()
        found = await settled(ask, "f0")
        first = time.monotonic() - begun
        assert found["verdict"] == "dead_lettered"
        begun = time.monotonic()
        assert (await ask("f4999"))["verdict"] == "dead_lettered"
        again = time.monotonic() - begun
        print(f"\n5,000 dead letters: {first:.2f} s, then {again:.3f} s")
        assert again < 2

        wall = time.time()
        token = add_token(gateway.settings.tokens, "anna", "viewer", wall, wall + 1_000)
        gateway.authenticator.refresh(wall)
        async with asking(gateway, token) as viewer:
            told = await viewer("f0")
        assert (told["verdict"], told["hops"]) == ("unknown", [])
        assert words(told, "dead_letters") == (
            "not_asked",
            "they are told to operators: ask with an operator's token",
        )

        # A frame in a queue is not seen, and the queue is named.
        await b.task(task(FRAME, frame_id="waits"))
        waits = await settled(ask, "waits", lambda found: "holds 1 frame" in words(found, "queues")[1])
        assert "frame_queue holds 1 frame" in words(waits, "queues")[1]
        assert waits["reason"] == "not_seen"
        assert "no worker consumes it" in words(waits, "queues")[1]


async def test_frames_around_it_tell_how_old_an_unknown_one_is(database_url: str, tmp_path: Path) -> None:
    async with running_gateway(tmp_path, database_url=database_url) as gateway, asking(gateway) as ask:
        await aeventually("the history", lambda: gateway.history.database.opened)
        writer = HistoryWriter(gateway.history.database)
        now = time.time()
        run = f"gate-3:{int(now - 3600) * 1000}"

        async def store(*results: Result) -> None:
            await asyncio.to_thread(writer.store, results, now - 1800)

        await store(
            result(now - 100, camera_id="gate-3", frame_id=f"{run}:10"),
            result(now - 90, camera_id="gate-3", frame_id=f"{run}:12"),
            result(now - 95, 0, frame_id="expired", status="expired", hop="worker", reason="stale"),
        )
        between = await ask(f"{run}:11")
        assert (between["verdict"], between["camera_id"]) == ("unknown", "gate-3")
        assert between["reason"] == "not_seen"
        old = await ask("gate-3:1700000000000:11")
        assert old["reason"] == "too_old"
        assert "older than the oldest result, which is of" in old["words"]
        assert (await ask("expired"))["verdict"] == "expired"
        assert (await ask("%20" + f"{run}:12".replace(":", "%3A")))["verdict"] == "computed"
        for odd in ("x'; DROP TABLE results; --", "a\0b", "..", "/", "%", "é" * 500):
            assert (await ask(odd))["verdict"] == "unknown"
        assert (await ask(f"{run}:12"))["verdict"] == "computed"  # the table is there


async def test_what_a_producer_dropped_then_is_told(tmp_path: Path) -> None:
    """A Prometheus that pretends: it is asked for that camera, before and after, and nothing else."""
    now = time.time()
    asked: list[tuple[str, float]] = []

    async def counts(request: web.Request) -> web.Response:
        asked.append((request.query["query"], float(request.query["time"])))
        value = "3" if len(asked) % 2 else "5"
        sample = {"metric": {"reason": "queue_full"}, "value": [0, value]}
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": [sample]}})

    async with (
        other_prometheus(counts) as url,
        running_gateway(tmp_path, prometheus_url=url) as gateway,
        asking(gateway) as ask,
    ):
        await aeventually("the history", lambda: gateway.history.database.opened)
        begin = int(now * 1000) - 60_000
        found = await ask(f"gate-3:{begin}:4")
        state, said = words(found, "metrics")
        assert state == "found"
        assert "2 frames of gate-3 that its producer dropped" in said
        assert "2 queue_full (the queue is full)" in said
        assert said in found["words"]
        assert {query for query, _ in asked} == {
            'sum by (reason) (producer_frames_dropped_total{camera_id="gate-3"})'
        }
        assert abs(asked[0][1] - (begin / 1000 - 15)) < 0.01
        assert now - 1 < asked[1][1] <= time.time()
        # What is no frame of a producer's never gets there.
        for other in ('gate-3"} or up{x=":1795210000000:1', "gate-3", "x"):
            assert words(await ask(other), "metrics")[0] == "not_asked"
        assert len(asked) == 2
        assert words(await ask("x"), "dead_letters")[0] == "unavailable"  # there is no broker
        assert words(await ask("x"), "queues")[0] == "unavailable"


async def test_it_answers_while_the_rest_is_away(tmp_path: Path) -> None:
    """No broker, no Prometheus and a damaged history: a sentence each, and a newest result is known all the same."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "history.sqlite3").write_bytes(b"no database at all, " * 1_000)
    away = "http://127.0.0.1:1"
    async with running_gateway(tmp_path, prometheus_url=away) as gateway, asking(gateway) as ask:
        await aeventually("it is told", lambda: gateway.history.recorder.trouble)
        now = time.time()
        found = await ask(f"gate-3:{int(now * 1000)}:1")
        assert (found["verdict"], found["reason"]) == ("unknown", "history_unavailable")
        states = {each["place"]: each["state"] for each in found["witnesses"]}
        assert states == {
            "history": "unavailable",
            "dead_letters": "unavailable",
            "camera": "nothing",
            "queues": "unavailable",
            "metrics": "unavailable",
        }
        gateway.cameras.result(result(now, camera_id="gate-3", frame_id="newest"), time.monotonic(), now)
        live = await ask("newest")
        assert live["verdict"] == "computed"
        assert [hop["hop"] for hop in live["hops"]] == ["captured", "queued", "computed"]
        camera = await ask("gate-3")
        assert "gate-3 is a camera" in camera["remedy"]
        said = await why(gateway, f"gate-3:{int(now * 1000)}:1")
        assert said.status == 3
        assert "cannot be said" in said.out


async def test_the_way_of_an_event_s_picture(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path) as gateway,
        aiohttp.ClientSession(gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http,
    ):
        await aeventually("the history", lambda: gateway.history.database.opened)
        writer = HistoryWriter(gateway.history.database)
        now = time.time()
        await asyncio.to_thread(writer.store, [result(now, camera_id="gate-3", frame_id="best")], now)
        async with http.get("/api/events/1/why") as answer:
            assert answer.status == 404  # no picture yet
        picture = thumbnail(now, 200, FRAME, camera_id="gate-3", frame_id="best")
        await asyncio.to_thread(writer.store_thumbnails, [picture])
        async with http.get("/api/events/1/why") as answer:
            found = await answer.json()
        assert (found["verdict"], found["frame_id"]) == ("computed", "best")
        async with http.get("/api/why") as answer:
            assert answer.status == 422
        async with http.get("/api/why", params={"frame": "best"}) as answer:
            assert "did you mean frame_id?" in (await answer.json())["error"]
