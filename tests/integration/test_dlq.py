"""`framefleet dlq` and `GET /api/dlq` on a real RabbitMQ: what is looked at stays, what is replayed is never lost."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from broker import AsyncioLoop, Connection, Consumer, Delivery, Message, Outcome, Publisher, aio
from broker.browse import Bounds, browse
from broker.errors import Busy
from broker.session import session
from broker.tables import Raw
from cli.senders.removed import note_removed
from contract.senders import Sender
from contract.task import Task, TaskForm, encode_task
from contract.topology import Lane, Queue, Topology
from gateway.senders.file import drop_sender, put_sender
from tests.helpers.bus import Collector, bus
from tests.helpers.eventually import aeventually, eventually_async
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.odd_messages import FIELD_VALUES
from tests.helpers.tool import begin, framefleet

pytestmark = pytest.mark.integration

DLQ = "frame_queue.dlq"
JPEG = b"\xff\xd8\xff\xe0picture"


def dead(
    number: int, *, reason: str = "crashed", camera: str = "gate-1", lane: str = "", age: float = 60.0
) -> Message:
    """A dead letter as a worker writes it."""
    task = encode_task(
        Task(image=JPEG, timestamp=time.time() - age, camera_id=camera, frame_id=f"f-{number}"),
        TaskForm.COMPACT if number % 2 else TaskForm.BASE64,
    )
    headers = task.headers | {
        "x-framefleet-reason": reason,
        "x-framefleet-error": f"error {number}",
        "x-framefleet-origin": f"frame_queue{lane}",
        "x-framefleet-node": "node-1",
        "x-framefleet-time": time.time() - age,
        "x-framefleet-attempts": 2,
        "x-number": number,
    }
    return Message(
        "",
        DLQ,
        task.body,
        task.content_type,
        headers,
        message_id=f"f-{number}",
        correlation_id=f"c-{number}",
        app_id="producer-1",
    )


async def fill(url: str, *messages: Message) -> None:
    async with bus(url) as b:
        for message in messages:
            assert await b.publish(message) is Outcome.CONFIRMED


async def take_all(url: str, queue: str, count: int) -> list[Delivery]:
    """Consume `count` messages; fails if there are more or fewer."""
    collector = Collector(queue)
    async with bus(url, collector):
        await aeventually(f"{count} messages in {queue}", lambda: len(collector.deliveries) >= count)
    async with session([url], "count") as connection:
        assert (await connection.count(queue))[0] == 0
    assert len(collector.deliveries) == count
    return collector.deliveries


async def listed(url: str, *arguments: str) -> Any:
    said = await framefleet(url, "dlq", "list", "--json", *arguments)
    assert said.status == 0, said.err
    return json.loads(said.out)


async def test_looking_changes_neither_messages_nor_their_order(rabbitmq: str) -> None:
    messages = [dead(number) for number in range(200)]
    await fill(rabbitmq, *messages)
    first = await listed(rabbitmq, "--limit", "1000")
    for _ in range(3):
        assert await listed(rabbitmq, "--limit", "1000") == first
        shown = await framefleet(rabbitmq, "dlq", "show", first["items"][5]["dead_letter_id"])
        assert (shown.status, "error 5" in shown.out) == (0, True)
    got = await take_all(rabbitmq, DLQ, 200)
    assert [d.message_id for d in got] == [m.message_id for m in messages]
    assert [(d.body, d.content_type, d.correlation_id) for d in got] == [
        (m.body, m.content_type, m.correlation_id) for m in messages
    ]
    # The price of a look, as docs/dead-letters.md says: one of the million deliveries that this queue allows.
    counts = {d.headers["x-delivery-count"] for d in got}
    print(f"\nafter 7 looks: x-delivery-count {counts} of 1,000,000")
    assert counts <= set(range(8))


async def test_every_type_of_header_is_shown(rabbitmq: str) -> None:
    headers = {f"n-{number}": Raw(written) for number, (written, _) in enumerate(FIELD_VALUES)}
    await fill(rabbitmq, Message("", DLQ, b"x", headers=headers))
    (letter,) = (await listed(rabbitmq))["items"]
    for how in ((), ("--json",)):
        shown = await framefleet(rabbitmq, "dlq", "show", letter["dead_letter_id"], *how)
        assert (shown.status, shown.err) == (0, "")
        assert "0.25" in shown.out


async def test_what_is_misspelt_is_told_with_what_there_is(rabbitmq: str) -> None:
    await fill(rabbitmq, *(dead(number) for number in range(3)))
    said = await framefleet(
        rabbitmq, "dlq", "list", "--reason", "crashd", "--camera", "gate-1", "--camera", "x"
    )
    assert said.err.splitlines()[-3:] == [
        "0 of 3 dead letters",
        "no dead letter has the reason crashd; there are: crashed 3",
        "no dead letter has the camera x; there are: gate-1 3",
    ]


async def test_a_look_that_ends_early_puts_everything_back(rabbitmq: str) -> None:
    await fill(rabbitmq, *(dead(number) for number in range(20)))
    seen: list[str | None] = []
    async with session([rabbitmq], "test") as connection, browse(connection, DLQ) as looking:
        looked = await looking.look(lambda d: seen.append(d.message_id), Bounds(messages=7))
    assert (looked.seen, looked.total, looked.complete) == (7, 20, False)
    assert seen == [f"f-{number}" for number in range(7)]
    assert [d.message_id for d in await take_all(rabbitmq, DLQ, 20)] == [f"f-{n}" for n in range(20)]


async def test_a_queue_that_somebody_consumes_is_not_looked_at(rabbitmq: str) -> None:
    async with (
        bus(rabbitmq, Consumer(DLQ, lambda d: None, prefetch=1)),
        session([rabbitmq], "t") as connection,
    ):
        await aeventually_consumed(connection)
        with pytest.raises(Busy, match="has a consumer"):
            async with browse(connection, DLQ, wait=0.2):
                pass


async def aeventually_consumed(connection: Any) -> None:
    async def consumed() -> bool:
        return bool((await connection.count(DLQ))[1])

    await eventually_async("it has a consumer", consumed)


async def test_filters_and_the_table(rabbitmq: str) -> None:
    await fill(
        rabbitmq,
        dead(0, age=7_200.0),
        dead(1, reason="not_an_image"),
        dead(2, camera="gate-2"),
        Message("", DLQ, b"whatever"),
    )
    assert [i["frame_id"] for i in (await listed(rabbitmq, "--reason", "not_an_image"))["items"]] == ["f-1"]
    assert [i["frame_id"] for i in (await listed(rabbitmq, "--camera", "gate-2"))["items"]] == ["f-2"]
    assert [i["frame_id"] for i in (await listed(rabbitmq, "--older-than", "1h"))["items"]] == ["f-0"]
    assert [i["frame_id"] for i in (await listed(rabbitmq, "--since", "1h"))["items"]] == ["f-1", "f-2"]
    assert (await listed(rabbitmq))["items"][3]["reason"] == "unknown"
    said = await framefleet(rabbitmq, "dlq", "list", "--limit", "2")
    assert said.out.splitlines()[0].split() == [
        "ID",
        "DIED",
        "REASON",
        "TRIED",
        "CAMERA",
        "FROM",
        "SIZE",
        "ERROR",
    ]
    assert "4 of 4 dead letters; 2 more match" in said.err
    wrong = await framefleet(rabbitmq, "dlq", "list", "--since", "soon")
    assert (wrong.status, "write 90s" in wrong.err) == (2, True)


async def test_a_frame_that_the_broker_gave_up_is_listed_as_such(rabbitmq: str) -> None:
    def refuse(delivery: Delivery) -> None:
        delivery.requeue()

    rejecting = Consumer("frame_queue", refuse, prefetch=1)
    async with bus(rabbitmq, rejecting) as b, session([rabbitmq], "t") as connection:
        task = encode_task(Task(image=JPEG, timestamp=time.time(), camera_id="gate-9", frame_id="killer"))
        assert await b.task(task.body, message_id="killer") is Outcome.CONFIRMED
        while not (await connection.count(DLQ))[0]:
            pass
    item = (await listed(rabbitmq))["items"][0]
    assert (item["reason"], item["origin"], item["camera_id"]) == ("delivery_limit", "frame_queue", "gate-9")
    assert item["deaths"][0]["reason"] == "delivery_limit"
    assert abs(item["time"] - time.time()) < 60
    said = await framefleet(rabbitmq, "dlq", "replay", item["dead_letter_id"], "--yes")
    assert said.status == 0, said.err
    (again,) = await take_all(rabbitmq, "frame_queue.batch", 1)
    assert (again.body, dict(again.headers)) == (task.body, {})


async def test_pictures_are_saved_and_nothing_is_overwritten(rabbitmq: str, tmp_path: Path) -> None:
    await fill(rabbitmq, dead(0), dead(1), Message("", DLQ, b"not json", message_id="broken"))
    base64, compact, broken = (i["dead_letter_id"] for i in (await listed(rabbitmq))["items"])
    for each in (base64, compact):
        said = await framefleet(rabbitmq, "dlq", "save-image", each, cwd=tmp_path)
        assert (said.status, "the picture" in said.out) == (0, True)
        assert (tmp_path / f"dead-letter-{each}.jpg").read_bytes() == JPEG
    said = await framefleet(rabbitmq, "dlq", "save-image", broken, cwd=tmp_path)
    assert (said.status, "no picture" in said.out) == (0, True)
    assert (tmp_path / f"dead-letter-{broken}.bin").read_bytes() == b"not json"
    again = await framefleet(rabbitmq, "dlq", "save-image", broken, cwd=tmp_path)
    assert (again.status, "exists" in again.err) == (1, True)
    none = await framefleet(rabbitmq, "dlq", "save-image", "0123456789ab")
    assert (none.status, "there is no dead letter" in none.err) == (2, True)


async def test_replay_takes_what_it_was_told_to_and_nothing_else(rabbitmq: str) -> None:
    await fill(rabbitmq, dead(0), dead(1), dead(2, lane=".gpu"), dead(3, camera="gate-2"))
    dry = await framefleet(rabbitmq, "dlq", "replay", "--camera", "gate-1", "--dry-run")
    assert (dry.status, "replay: 3 of 4 dead letters" in dry.out) == (0, True)
    assert "frame_queue.batch 2, frame_queue.gpu 1" in dry.out
    assert "no worker consumes frame_queue.batch" in dry.out
    unasked = await framefleet(rabbitmq, "dlq", "replay", "--camera", "gate-1")
    assert (unasked.status, "--yes" in unasked.err) == (1, True)
    everything = await framefleet(rabbitmq, "dlq", "replay", "--yes")
    assert (everything.status, "--all" in everything.err) == (2, True)
    assert (await listed(rabbitmq))["total"] == 4

    done = await framefleet(rabbitmq, "dlq", "replay", "--camera", "gate-1", "--yes")
    assert (done.status, "3 replayed" in done.out) == (0, True), done
    assert [d.message_id for d in await take_all(rabbitmq, DLQ, 1)] == ["f-3"]
    (gpu,) = await take_all(rabbitmq, "frame_queue.gpu", 1)
    batch = await take_all(rabbitmq, "frame_queue.batch", 2)
    assert [(d.message_id, d.correlation_id, d.app_id) for d in batch] == [
        ("f-0", "c-0", "producer-1"),
        ("f-1", "c-1", "producer-1"),
    ]
    for each in (gpu, *batch):
        assert not [name for name in each.headers if name.startswith(("x-framefleet", "x-d", "x-a"))]
    assert batch[1].headers["camera_id"] == "gate-1"


async def test_a_fresh_replay_is_captured_now(rabbitmq: str) -> None:
    await fill(rabbitmq, dead(0), dead(1))
    said = await framefleet(rabbitmq, "dlq", "replay", "--all", "--lane", "live", "--fresh", "--yes")
    assert said.status == 0, said.err
    plain, compact = await take_all(rabbitmq, "frame_queue", 2)
    assert abs(json.loads(plain.body)["timestamp"] - time.time()) < 20
    assert abs(float(compact.headers["timestamp"]) - time.time()) < 20


async def test_what_a_full_lane_refuses_stays_a_dead_letter(rabbitmq: str) -> None:
    small = Queue(
        "frame_queue.batch", {"x-queue-type": "quorum", "x-max-length": 5, "x-overflow": "reject-publish"}
    )
    publisher = Publisher()
    both = Topology((), (small, Queue(DLQ, {"x-queue-type": "quorum"})))
    connection = Connection(AsyncioLoop(), [rabbitmq], "small", [publisher], topology=both)
    connection.start()
    await aeventually("usable", lambda: publisher.usable)
    for number in range(200):
        assert await aio.publish(publisher, dead(number)) is Outcome.CONFIRMED
    before = 0
    while await aio.publish(publisher, Message("", "frame_queue.batch", b"x")) is Outcome.CONFIRMED:
        before += 1
    await aio.stop(connection)
    said = await framefleet(rabbitmq, "dlq", "replay", "--all", "--yes")
    assert (said.status, "frame_queue.batch is full" in said.err) == (1, True), said
    async with session([rabbitmq], "t") as reading:
        left, _ = await reading.count(DLQ)
        taken, _ = await reading.count("frame_queue.batch")
    assert left + taken == 200 + before


async def test_a_replay_that_is_killed_loses_nothing(rabbitmq: str) -> None:
    count = 2_000
    async with bus(rabbitmq) as b:
        outcomes: list[Outcome] = []
        for number in range(count):
            b.publisher.publish(dead(number), outcomes.append)
        await aeventually("all confirmed", lambda: len(outcomes) == count)
    assert set(outcomes) == {Outcome.CONFIRMED}
    tool = begin(rabbitmq, "dlq", "replay", "--all", "--yes")
    async with session([rabbitmq], "t") as connection:
        while not (await connection.count("frame_queue.batch"))[0] and tool.process.poll() is None:
            pass
        tool.kill()
        replayed = (await connection.count("frame_queue.batch"))[0]
    collected = Collector(DLQ), Collector("frame_queue.batch")
    async with bus(rabbitmq, *collected):
        names: set[str] = set()

        def all_there() -> bool:
            names.update(str(d.message_id) for c in collected for d in c.deliveries)
            return len(names) == count

        await aeventually("every frame in one queue or the other", all_there)
    twice = sum(len(c.deliveries) for c in collected) - count
    print(f"\nreplay killed after {replayed} of {count}: lost 0, in both queues {twice}")


async def test_purge_deletes_what_it_showed(rabbitmq: str) -> None:
    await fill(rabbitmq, dead(0), dead(1, reason="not_an_image"), dead(2, reason="not_an_image"))
    dry = await framefleet(rabbitmq, "dlq", "purge", "--reason", "not_an_image", "--dry-run")
    assert "purge: 2 of 3 dead letters" in dry.out
    done = await framefleet(rabbitmq, "dlq", "purge", "--reason", "not_an_image", "--limit", "1", "--yes")
    assert (done.status, "1 purged" in done.out) == (0, True)
    assert [d.message_id for d in await take_all(rabbitmq, DLQ, 2)] == ["f-0", "f-2"]


async def test_errors_are_one_sentence(rabbitmq: str) -> None:
    nowhere = await framefleet("amqp://guest:secret@127.0.0.1:1/", "dlq", "list")
    assert (nowhere.status, "cannot connect" in nowhere.err, "secret" in nowhere.err) == (1, True, False)
    missing = await framefleet(rabbitmq, "dlq", "list")
    assert (missing.status, "right broker?" in missing.err) == (1, True)


async def test_the_gateway_lists_dead_letters_by_pages(rabbitmq: str, tmp_path: Path) -> None:
    await fill(rabbitmq, *(dead(number, age=100.0 - number) for number in range(5)), dead(5, camera="gate-2"))
    auth = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        running_gateway(tmp_path, amqp_url=rabbitmq) as gateway,
        aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}", headers=auth) as http,
    ):

        async def ask(**query: str) -> Any:
            async with http.get("/api/dlq", params=query) as answer:
                assert answer.status == 200, await answer.text()
                return await answer.json()

        page = await ask(limit="3", camera="gate-1")
        assert [item["frame_id"] for item in page["items"]] == ["f-4", "f-3", "f-2"]
        assert (page["total"], page["matching"], page["complete"]) == (6, 5, True)
        rest = await ask(limit="3", camera="gate-1", cursor=page["next"])
        assert ([item["frame_id"] for item in rest["items"]], rest["next"]) == (["f-1", "f-0"], None)
        assert (await ask(reason="not_json"))["items"] == []
        assert rest["time"] == page["time"]  # one look served them all
        async with http.get("/api/dlq", params={"limit": "0"}) as answer:
            assert answer.status == 422
    assert [d.message_id for d in await take_all(rabbitmq, DLQ, 6)] == [f"f-{n}" for n in range(6)]


async def test_the_gateway_says_that_the_broker_is_away(tmp_path: Path) -> None:
    auth = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        running_gateway(tmp_path) as gateway,
        aiohttp.ClientSession(f"http://127.0.0.1:{gateway.port}", headers=auth) as http,
        http.get("/api/dlq") as answer,
    ):
        assert (answer.status, "cannot connect" in (await answer.json())["error"]) == (503, True)


async def test_a_sender_s_dead_letters_are_its_own_and_stay_so(rabbitmq: str, tmp_path: Path) -> None:
    school = Sender(name="school", cameras=("gate-1",))
    settings = {"GATEWAY_DATA_DIR": str(tmp_path)}
    put_sender(tmp_path / "senders.json", school)
    put_sender(tmp_path / "senders.json", Sender(name="silent"))
    async with bus(rabbitmq), session([rabbitmq], "declares") as broker, broker.channel() as channel:
        for exchange in school.topology.exchanges:
            await channel.declare_exchange(exchange)
        for queue in school.topology.queues:
            await channel.declare(queue)
    theirs = [
        replace(dead(n, camera=c), routing_key=school.dead_letter_queue)
        for n, c in ((2, "gate-1"), (3, "yard"))
    ]
    await fill(rabbitmq, dead(1, age=90.0), *theirs)

    said = await framefleet(rabbitmq, "dlq", "list", "--json", settings=settings)
    assert said.status == 0, said.err
    items = json.loads(said.out)["items"]
    assert [(each["sender"], each["camera_id"], each["frame_id"]) for each in items] == [
        (None, "gate-1", "f-1"),
        ("school", "gate-1", "school:f-2"),
        ("school", "school-yard", "school:f-3"),
    ]
    table = await framefleet(rabbitmq, "dlq", "list", "--sender", "school", settings=settings)
    assert "SENDER" in table.out
    assert "2 of 2 dead letters" in table.err
    shown = await framefleet(rabbitmq, "dlq", "show", items[2]["dead_letter_id"], settings=settings)
    assert "sender        school" in shown.out
    misspelt = await framefleet(rabbitmq, "dlq", "list", "--sender", "schol", settings=settings)
    assert "no queue of dead letters belongs to schol" in misspelt.err
    elsewhere = {**settings, "FRAMEFLEET_IMAGE": "cv-worker"}
    assert [
        each["sender"]
        for each in json.loads((await framefleet(rabbitmq, "dlq", "list", "--json", settings=elsewhere)).out)[
            "items"
        ]
    ] == [None]
    named = await framefleet(rabbitmq, "dlq", "list", "--json", "--sender", "school", settings=elsewhere)
    assert len(json.loads(named.out)["items"]) == 2

    replayed = await framefleet(
        rabbitmq, "dlq", "replay", "--camera", "school-yard", "--fresh", "--yes", settings=settings
    )
    assert replayed.status == 0, replayed.err
    assert "1 replayed, 1 to frame_queue.from.school" in replayed.out
    (task,) = await take_all(rabbitmq, school.queue(Lane.LIVE), 1)
    # From there attempts and identity are believed.
    assert (task.exchange, task.headers["x-number"]) == (
        "retry",
        3,
    )
    assert not [name for name in task.headers if name.startswith("x-framefleet-")]
    drop_sender(tmp_path / "senders.json", "school")
    note_removed(tmp_path / "senders.json", "school", left=True)  # as `senders remove` does
    without = await framefleet(rabbitmq, "dlq", "list", settings=settings)
    assert "1 of 1 dead letters\n" in without.err
    assert "and 1 of school, which was removed: see `framefleet dlq list --sender school`" in without.err
    purged = await framefleet(rabbitmq, "dlq", "purge", "--sender", "school", "--yes", settings=settings)
    assert "1 purged" in purged.out
    assert [
        each["sender"]
        for each in json.loads((await framefleet(rabbitmq, "dlq", "list", "--json", settings=settings)).out)[
            "items"
        ]
    ] == [None]
    assert "removed" not in (await framefleet(rabbitmq, "dlq", "list", settings=settings)).err
