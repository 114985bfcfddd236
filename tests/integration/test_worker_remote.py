"""The remote lane as real processes: worker, RabbitMQ, and an endpoint that speaks HTTP."""

import asyncio
import json
import re
import signal
import sqlite3
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broker import Delivery, Message, Outcome
from contract.remote import DesiredRemote
from contract.status import encode_status
from contract.topology import Lane
from tests.conftest import StartService
from tests.helpers.bus import Bus, bus, dead_letters, results
from tests.helpers.eventually import aeventually, eventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.images import encoded, task
from tests.helpers.jobs import Command, folder_of, lines
from tests.helpers.redis import private_redis
from tests.helpers.vision_server import FAULTS, VisionServer, vision_server

QUEUE = Lane.REMOTE.queue
WITHOUT_REDIS = re.compile("paused: the books cannot be written|the Redis at")
PRICES = """
[[price]]
model = "seer"
since = 2026-01-01
input = 10.0
output = 50.0
"""


def remote(rabbitmq: str, server: VisionServer, folder: Path, **more: str) -> dict[str, str]:
    """The environment of a worker of the remote lane."""
    prices = folder / "prices.toml"
    prices.write_text(PRICES)
    return {
        "AMQP_URL": rabbitmq,
        "NODE_ID": "r-1",
        "WORKER_LANE": "remote",
        "WORKER_REMOTE_URL": server.url,
        "WORKER_REMOTE_MODEL": "seer",
        "WORKER_REMOTE_CAMERAS": "c-*",
        "WORKER_REMOTE_FOLDER": str(folder / "remote"),
        "WORKER_REMOTE_TIMEOUT": "3",
        "WORKER_REMOTE_PRICES": str(prices),
        "WORKER_REMOTE_BUDGET_MONTH": "100",
    } | more


def picture(number: int) -> bytes:
    """Another one for each number: not so alike that a JPEG of both is the same, which is paid for once."""
    pixels = np.zeros((240, 320, 3), np.uint8)
    pixels[:, :, 0] = number % 16 * 16
    pixels[100:140, 100:140, 1] = number // 16 * 16
    return encoded(pixels, ".jpg")


async def fill(b: Bus, count: int, first: int = 0) -> set[str]:
    names = [f"f-{number}" for number in range(first, first + count)]
    for number, name in enumerate(names, first):
        body = task(picture(number), frame_id=name, camera_id=f"c-{number % 3}")
        assert await b.task(body, QUEUE, message_id=name) is Outcome.CONFIRMED
    return set(names)


def bodies(deliveries: list[Delivery]) -> list[dict[str, Any]]:
    return [json.loads(delivery.body) for delivery in deliveries]


async def test_a_frame_goes_out_and_its_result_tells_what_was_seen_and_what_it_cost(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    with vision_server(price=(10.0, 50.0)) as server:
        worker = start("worker", **remote(rabbitmq, server, tmp_path)).ready()
        async with bus(rabbitmq, got, dead) as b:
            await fill(b, 3)
            stranger = task(picture(77), frame_id="other", camera_id="kitchen")
            assert await b.task(stranger, QUEUE) is Outcome.CONFIRMED
            await aeventually("all", lambda: len(got.deliveries) == 3 and len(dead.deliveries) == 1, 20)
        assert len(server.calls) == 3
        for result in bodies(got.deliveries):
            assert result["model"].startswith("seer@")
            assert result["cost"] == pytest.approx(300 * 10e-6 + 40 * 50e-6)
            assert result["description"].startswith("picture ")
            (found,) = result["detections"]
            assert (found["x"], found["y"], found["w"], found["h"]) == (80, 60, 160, 120)
        assert dead.deliveries[0].headers["x-framefleet-reason"] == "not_allowed"
        spent = 'cv_remote_cost_dollars_total{certainty="certain",node_id="r-1"}'
        eventually("counted", lambda: abs(worker.metric(spent) - server.charged / 1e9) < 1e-9)
        lines = [
            json.loads(line)
            for file in (tmp_path / "remote").glob("audit-*.ndjson")
            for line in file.read_text().splitlines()
        ]
        assert Counter(line["frame_id"] for line in lines) == Counter({"f-0", "f-1", "f-2"})
        assert {line["sha256"] for line in lines} == {each for call in server.calls for each in call.pictures}
        assert worker.stop() == 0


async def test_a_third_of_errors_and_every_picture_is_done_or_accounted_for(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    shares = dict.fromkeys(FAULTS, 0.34 / len(FAULTS))
    with vision_server(shares, price=(10.0, 50.0)) as server:
        worker = start("worker", **remote(rabbitmq, server, tmp_path)).ready()
        async with bus(rabbitmq, got, dead) as b:
            names = await fill(b, 100)
            await aeventually("all", lambda: len(got.deliveries) + len(dead.deliveries) >= 100, 150)
            await asyncio.sleep(1)
        done = Counter(result["frame_id"] for result in bodies(got.deliveries))
        lost = Counter(delivery.message_id for delivery in dead.deliveries)
        assert set(done) | set(lost) == names
        assert max(done.values()) == 1
        assert all(delivery.headers["x-framefleet-reason"] == "remote_error" for delivery in dead.deliveries)
        assert set(server.outcomes) == {"ok", *FAULTS}
        certain, uncertain = (
            worker.metric(f'cv_remote_cost_dollars_total{{certainty="{each}",node_id="r-1"}}')
            for each in ("certain", "uncertain")
        )
        assert certain <= server.charged / 1e9 <= certain + uncertain
        assert worker.stop() == 0


async def test_sigterm_finishes_the_calls_under_way_and_puts_the_rest_back(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    with vision_server(latency=1.0, price=(10.0, 50.0)) as server:
        environment = remote(rabbitmq, server, tmp_path, WORKER_REMOTE_CONCURRENCY="4")
        worker = start("worker", **environment).ready()
        async with bus(rabbitmq, got, dead) as b:
            await fill(b, 20)
            await aeventually("calls under way", lambda: len(server.calls) >= 4, 20)
            worker.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(worker.process.wait, 20) == 0
            first = len(server.calls)
            assert first < 20
            second = start("worker", **environment).ready()
            await aeventually("all", lambda: len(got.deliveries) >= 20, 30)
        assert Counter(result["frame_id"] for result in bodies(got.deliveries)).most_common(1)[0][1] == 1
        assert len(server.calls) == 20  # nothing was paid for twice
        assert not dead.deliveries
        assert second.stop() == 0


async def test_a_spent_budget_pauses_the_lane_and_a_raise_resumes_it(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    with vision_server(price=(10.0, 50.0)) as server:
        # A call costs half a cent, and is booked with what it may cost at most: 5 cents.
        environment = remote(rabbitmq, server, tmp_path, WORKER_REMOTE_BUDGET_DAY="0.10")
        worker = start("worker", **environment).ready()
        async with bus(rabbitmq, got, dead) as b:
            names = await fill(b, 30)
            held = 'cv_remote_held{by="budget",node_id="r-1"}'
            await aeventually("paused", lambda: worker.metric(held) == 1, 20)
            # What was booked for calls under way comes free when they are settled: a few more fit in.
            first = -1
            while first != len(server.calls):
                first = len(server.calls)
                await asyncio.sleep(4)
            assert 0 < first < 30
            assert server.charged <= 0.10e9
            assert "paused: the budget" in worker.get("/readyz")[1]
            worker.process.kill()  # while it is paused: nothing is lost, and nothing forgotten
            again = start("worker", **environment).ready()
            await aeventually("paused again", lambda: again.metric(held) == 1, 20)
            assert len(server.calls) == first
            today = datetime.now(UTC).date().isoformat()
            desired = DesiredRemote(revision=1, raises={today: 5.0})
            await b.publish(Message("control", "", encode_status(desired), persistent=False))
            await aeventually("all", lambda: len(got.deliveries) == 30, 30)
        assert {result["frame_id"] for result in bodies(got.deliveries)} == names
        assert not dead.deliveries
        cents = sum(result["cost"] for result in bodies(got.deliveries))
        assert cents == pytest.approx(server.charged / 1e9)
        assert again.stop() == 0
        books = sqlite3.connect(tmp_path / "remote" / "books.sqlite")
        (spent, uncertain, reserved, frames), *_ = books.execute(
            "SELECT spent, uncertain, reserved, frames FROM periods WHERE name = ?", (today,)
        ).fetchall()
        books.close()
        assert (spent, uncertain, reserved, frames) == (server.charged, 0, 0, 30)


async def test_an_endpoint_that_is_down_costs_no_frame(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    with vision_server() as server:
        server.status = 503
        worker = start("worker", **remote(rabbitmq, server, tmp_path)).ready()
        async with bus(rabbitmq, got, dead) as b:
            await fill(b, 30)
            held = 'cv_remote_held{by="breaker",node_id="r-1"}'
            await aeventually("left alone", lambda: worker.metric(held) == 1, 20)
            server.status = None
            await aeventually("all", lambda: len(got.deliveries) == 30, 60)
        assert not dead.deliveries
        assert worker.stop() == 0


async def test_a_key_that_is_refused_pauses_the_lane_and_stands_in_no_log(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    key = tmp_path / "key"
    key.write_text("sk-very-secret-key-of-ours\n")
    with vision_server(key="another") as server:
        environment = remote(rabbitmq, server, tmp_path, WORKER_REMOTE_KEY_FILE=str(key))
        worker = start("worker", **environment).ready()
        async with bus(rabbitmq, got, dead) as b:
            await fill(b, 12)
            held = 'cv_remote_held{by="refused",node_id="r-1"}'
            await aeventually("paused", lambda: worker.metric(held) == 1, 20)
            assert "WORKER_REMOTE_KEY_FILE" in worker.get("/readyz")[1]
            await asyncio.sleep(0.5)
        assert worker.stop() == 0
        assert not dead.deliveries
        assert not got.deliveries
        log = worker.log.read_text()
        assert "very-secret" not in log
        assert "base64" not in log


async def test_an_audit_log_that_cannot_be_written_holds_the_lane_until_it_can(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    in_the_way = tmp_path / "remote" / f"audit-{datetime.now(UTC).date().isoformat()}.ndjson"
    in_the_way.mkdir(parents=True)
    with vision_server(price=(10.0, 50.0)) as server:
        worker = start("worker", **remote(rabbitmq, server, tmp_path)).ready()
        async with bus(rabbitmq, got, dead) as b:
            await fill(b, 3)
            held = 'cv_remote_held{by="books",node_id="r-1"}'
            await aeventually("held", lambda: worker.metric(held) == 1, 20)
            for _ in range(20):  # all the time: an alert waits for a minute of it
                assert worker.metric(held) == 1
                await asyncio.sleep(0.2)
            assert "the audit log cannot be written" in worker.get("/readyz")[1]
            assert not server.calls
            in_the_way.rmdir()
            await aeventually("all", lambda: len(got.deliveries) == 3, 20)
        assert len(in_the_way.read_text().splitlines()) == 3
        assert not dead.deliveries
        assert worker.stop() == 0


async def test_several_pictures_in_one_request(start: StartService, rabbitmq: str, tmp_path: Path) -> None:
    got, dead = results(), dead_letters()
    with vision_server({"bad_form": 0.3}, price=(10.0, 50.0)) as server:
        environment = remote(
            rabbitmq, server, tmp_path, WORKER_REMOTE_IMAGES="5", WORKER_REMOTE_CONCURRENCY="2"
        )
        worker = start("worker", **environment).ready()
        async with bus(rabbitmq, got, dead) as b:
            names = await fill(b, 40)
            await aeventually("all", lambda: len(got.deliveries) + len(dead.deliveries) >= 40, 90)
        assert {r["frame_id"] for r in bodies(got.deliveries)} | {
            d.message_id for d in dead.deliveries
        } == names
        assert max(len(call.pictures) for call in server.calls) == 5
        assert worker.stop() == 0


async def test_two_workers_and_one_killed_stay_within_the_limit_and_the_books(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    limit = 60
    with private_redis() as redis, vision_server({"broken": 0.1}, price=(10.0, 50.0), latency=0.3) as server:
        environment = remote(
            rabbitmq,
            server,
            tmp_path,
            REDIS_URL=redis.url,
            WORKER_REMOTE_RPM=str(limit),
            WORKER_REMOTE_CONCURRENCY="5",
        )
        first = start("worker", **environment).ready()
        second = start("worker", **environment | {"NODE_ID": "r-2"}).ready()
        async with bus(rabbitmq, got, dead) as b:
            names = await fill(b, 100)
            await aeventually("calls of both", lambda: len(server.calls) > 15, 20)
            first.kill()
            await aeventually(
                "all",
                lambda: len({r["frame_id"] for r in bodies(got.deliveries)}) + len(dead.deliveries) >= 100,
                200,
            )
        assert server.most_in_a_minute() <= limit
        assert len(server.calls) > limit  # it took more than one minute's
        done = {result["frame_id"] for result in bodies(got.deliveries)}
        assert done | {delivery.message_id for delivery in dead.deliveries} == names
        with redis.client() as client:
            today = datetime.now(UTC).date().isoformat()
            book = {k.decode(): v for k, v in client.hgetall(f"framefleet:remote:{{books}}:{today}").items()}
        spent, reserved = int(book["spent"]), int(book["reserved"])
        assert spent + int(book["uncertain"]) <= server.charged <= spent + int(book["uncertain"]) + reserved
        assert reserved > 0  # of the calls that the killed one had made
        assert second.stop() == 0


async def test_two_workers_without_redis_share_one_limit_by_their_folder(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    limit = 20
    with vision_server(price=(10.0, 50.0), latency=0.1) as server:
        environment = remote(rabbitmq, server, tmp_path, WORKER_REMOTE_RPM=str(limit))
        workers = [start("worker", **environment | {"NODE_ID": f"r-{n}"}).ready() for n in (1, 2)]
        async with bus(rabbitmq, got, dead) as b:
            await fill(b, 50)
            await aeventually("the first minute's", lambda: len(server.calls) == limit, 20)
            await aeventually("the second's", lambda: len(server.calls) > limit, 70)
        assert server.most_in_a_minute() <= limit
        assert all(worker.stop() == 0 for worker in workers)


@pytest.mark.parametrize("how", ["frozen", "killed"])
async def test_without_its_redis_the_lane_makes_no_call_and_frames_wait(
    how: str, start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    with (
        private_redis("--appendonly", "yes", "--appendfsync", "always") as redis,
        vision_server(price=(10.0, 50.0), latency=0.1) as server,
    ):
        environment = remote(rabbitmq, server, tmp_path, REDIS_URL=redis.url, WORKER_REMOTE_CONCURRENCY="2")
        worker = start("worker", **environment).ready()
        held = 'cv_remote_held{by="books",node_id="r-1"}'
        async with bus(rabbitmq, got, dead) as b:
            names = await fill(b, 60)
            await aeventually("calls", lambda: len(server.calls) > 5, 20)

            async def without() -> None:
                await aeventually("held", lambda: worker.metric(held) == 1, 20)
                # For a moment it is not ready at all: the broker has yet to agree that it takes no more.
                await aeventually("told", lambda: WITHOUT_REDIS.search(worker.get("/readyz")[1]))
                before = len(server.calls)
                assert before < 60
                await fill(b, 3, first=100)
                await asyncio.sleep(4)
                assert len(server.calls) == before

            if how == "frozen":
                with redis.frozen():
                    await without()
            else:
                redis.kill()
                await without()
                redis.start()
            names |= {f"f-{number}" for number in (100, 101, 102)}
            await aeventually("all", lambda: len(got.deliveries) + len(dead.deliveries) >= 63, 60)
        assert {result["frame_id"] for result in bodies(got.deliveries)} == names
        assert not dead.deliveries
        month = datetime.now(UTC).date().isoformat()[:7]

        def booked() -> dict[str, int]:
            with redis.client() as client:
                found = client.hgetall(f"framefleet:remote:{{books}}:{month}")
            return {key.decode(): int(value) for key, value in found.items()}

        # Nothing stays reserved that a frozen Redis booked after nobody waited for it any more.
        eventually("settled", lambda: booked()["reserved"] == 0, 20)
        assert booked()["spent"] + booked()["uncertain"] == server.charged
        assert worker.stop() == 0


async def test_an_emptied_redis_has_the_books_restored(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    with private_redis() as redis, vision_server(price=(10.0, 50.0)) as server:
        environment = remote(rabbitmq, server, tmp_path, REDIS_URL=redis.url, WORKER_REMOTE_BUDGET_DAY="0.2")
        worker = start("worker", **environment).ready()
        today = datetime.now(UTC).date().isoformat()

        def spent() -> int:
            with redis.client() as client:
                return int(client.hget(f"framefleet:remote:{{books}}:{today}", "spent") or 0)

        async with bus(rabbitmq, got, dead) as b:
            await fill(b, 8)
            await aeventually("all", lambda: len(got.deliveries) == 8, 30)
            await asyncio.sleep(2)
            assert spent() == server.charged
            redis.kill()  # as a crash without a disk
            redis.start()
            await aeventually("restored", lambda: spent() == server.charged, 20)
            await fill(b, 1, first=50)
            await asyncio.sleep(5)
            assert len(server.calls) == 8  # it may have forgotten calls of the last minute
        assert worker.stop() == 0


async def test_a_job_says_what_it_costs_before_and_after(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    pictures = tmp_path / "in"
    folder_of(pictures, 8, broken_every=100)
    with vision_server(price=(10.0, 50.0)) as server:
        async with running_gateway(tmp_path / "gateway", amqp_url=rabbitmq) as gateway:
            environment = remote(rabbitmq, server, tmp_path, WORKER_REMOTE_BUDGET_DAY="3")
            start("worker", **environment | {"WORKER_REMOTE_CAMERAS": "job-*"}).ready()
            access = ("--url", gateway.address, "--token", TOKEN, "--lane", "remote", "--job", "mine")

            async def command(*more: str | Path) -> tuple[int, str]:
                made = Command(rabbitmq, tmp_path / "jobs", *more, *access)
                return await asyncio.to_thread(made.wait, 60), made.said

            await aeventually("heard", lambda: bool(gateway.nodes.statuses(time.monotonic())), 20)
            await asyncio.sleep(3)  # a heartbeat that knows the price
            code, said = await command(pictures)
            assert code == 2
            assert "8 pictures to seer at 127.0.0.1" in said
            assert "at most $0." in said
            assert "left of the budget" in said
            assert "$3.00" in said
            assert "add --yes" in said
            assert not server.calls
            code, said = await command(pictures, "--yes", "--output", tmp_path / "o.ndjson")
            assert code == 0, said
            assert "cost: $0.0400" in said  # eight of half a cent
            assert server.charged == 40_000_000
            written = lines(tmp_path / "o.ndjson")
            assert all(each["description"].startswith("picture ") for each in written)
            assert sum(each["cost"] for each in written) == pytest.approx(0.04)
            code, said = await command()  # nothing is left: nothing to ask for
            assert (code, "cost: $0.0400" in said) == (0, True), said
            (pictures / "000" / "new.jpg").write_bytes(picture(99))
            await asyncio.sleep(3)
            code, said = await command()
            assert code == 2
            assert "1 pictures to seer" in said or "1 picture to seer" in said
            assert "about $0.01 as frames of" in said


async def test_what_one_worker_paid_for_another_does_not_pay_for_again(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    got, dead = results(), dead_letters()
    with private_redis() as redis, vision_server(price=(10.0, 50.0)) as server:
        environment = remote(rabbitmq, server, tmp_path, REDIS_URL=redis.url)
        first = start("worker", **environment).ready()
        async with bus(rabbitmq, got, dead) as b:
            await fill(b, 10)
            await aeventually("all", lambda: len(got.deliveries) == 10, 20)
            assert await asyncio.to_thread(first.stop) == 0
            second = start("worker", **environment | {"NODE_ID": "r-2"})
            await asyncio.to_thread(second.ready)
            for number in range(10):
                body = task(picture(number), frame_id=f"again-{number}", camera_id="c-0")
                assert await b.task(body, QUEUE) is Outcome.CONFIRMED
            await aeventually("all again", lambda: len(got.deliveries) == 20, 20)
            assert len(server.calls) == 10
            told = {each["frame_id"]: each for each in bodies(got.deliveries)}
            for number in range(10):
                before, after = told[f"f-{number}"], told[f"again-{number}"]
                for name in ("detections", "description", "model"):
                    assert after[name] == before[name]
                assert after["cost"] == 0
            asked_otherwise = environment | {"NODE_ID": "r-3", "WORKER_REMOTE_PROMPT": "What is it?"}
            assert await asyncio.to_thread(second.stop) == 0
            await asyncio.to_thread(start("worker", **asked_otherwise).ready)
            await b.task(task(picture(0), frame_id="other", camera_id="c-0"), QUEUE)
            await aeventually("asked anew", lambda: len(server.calls) == 11, 20)
        assert not dead.deliveries
