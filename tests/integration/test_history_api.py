"""The history over HTTP, on SQLite and on PostgreSQL."""

import asyncio
import csv
import io
import json
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from broker import Message
from contract.dead_letters import ERROR, NODE, REASON, TIME
from contract.result import DetectedObject, Result
from contract.status import CameraLabels
from contract.task import Task, TaskForm, encode_task
from gateway.history import exports_api
from gateway.history import readers as readers_module
from gateway.history.presence import CROWDED
from gateway.history.writer import HistoryWriter
from gateway.service import Gateway
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.results import result, thumbnail

pytestmark = pytest.mark.integration
NOW = 1_795_000_000.0
MINUTE = NOW - NOW % 60

Json = dict[str, Any]


class Api:
    """A gateway, a writer to its history, and a client that is signed in."""

    def __init__(self, gateway: Gateway, http: aiohttp.ClientSession) -> None:
        self.gateway = gateway
        self.http = http
        self.groups: dict[str, str] = {}
        self.writer = HistoryWriter(
            gateway.history.database, labels=lambda c: CameraLabels(name=c, group=self.groups.get(c))
        )

    async def store(self, *results: Result, wall: float = NOW + 86_400) -> None:
        await asyncio.to_thread(self.writer.store, results, wall)

    async def get(self, path: str, **params: Any) -> Json:
        async with self.http.get(path, params=params) as answer:
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())

    async def status(self, path: str, **params: Any) -> tuple[int, Json]:
        async with self.http.get(path, params=params) as answer:
            return answer.status, await answer.json()

    async def ids(self, **params: Any) -> list[int]:
        """All pages of two."""
        found: list[int] = []
        cursor = ""
        while True:
            page = await self.get("/api/events", limit=2, cursor=cursor, **params)
            found += [event["event_id"] for event in page["items"]]
            if page["next"] is None:
                return found
            assert len(page["items"]) == 2
            cursor = page["next"]


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with (
        # What is stored here is of a certain day, and must not become too old to be kept.
        running_gateway(
            tmp_path, database_url=database_url, history_days=3_650, history_activity_days=3_650
        ) as gateway,
        aiohttp.ClientSession(gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http,
    ):
        await aeventually("the history", lambda: gateway.history.database.opened)
        yield Api(gateway, http)


async def test_an_event(api: Api) -> None:
    api.groups["gate-3"] = "gates"
    await api.store(
        result(NOW, 2, camera_id="gate-3"), result(NOW + 1, 1, camera_id="gate-3", confidence=0.987)
    )
    expected = {
        "event_id": 1,
        "camera_id": "gate-3",
        "name": "gate-3",
        "group": "gates",
        "start": NOW,
        "end": NOW + 1,
        "open": True,  # the year 2026 is not over
        "frames": 2,
        "faces": 2,
        "confidence": 0.98,
        "model": "m@1",
        "thumbnail": None,
        "picture": None,
        "frame": None,
        "seen_at": None,
        "seen_by": None,
        "feedback": None,
        "note": None,
        "feedback_at": None,
        "feedback_by": None,
        "description": None,
        "description_model": None,
    }
    page = await api.get("/api/events")
    expected["open"] = time.time() < NOW + 6
    assert page == {"items": [expected], "next": None}
    assert await api.get("/api/events/1") == expected
    status, problem = await api.status("/api/events/2")
    assert (status, problem["errorType"]) == (404, "not_found")
    assert "there is no event 2" in problem["error"]


async def test_what_goes_on_is_open(api: Api) -> None:
    now = time.time()
    await api.store(result(now), result(now - 60, camera_id="b"), wall=now)
    page = await api.get("/api/events")
    assert [(event["camera_id"], event["open"]) for event in page["items"]] == [("a", True), ("b", False)]


async def test_filters_and_pages_agree_with_a_plain_search(api: Api) -> None:
    """A thousand events of made-up cameras, and questions by chance: what is answered is what a loop would find."""
    chance = random.Random(7)
    api.groups = {f"c{n}": f"g{n % 3}" for n in range(9)}
    given = []
    for n in range(300):
        begin, camera_id = NOW + n * 7, f"c{n % 9}"  # 63 s apart
        length = chance.choice([0, 1, 4, 50 if n % 5 == 0 else 2])
        faces = chance.choice([1, 1, 1, 2, 3, 7, CROWDED, CROWDED + 4])
        for when in range(0, length + 1, 2):
            confidence = chance.choice([0.3, 0.5, 0.99])
            given.append(result(begin + when, faces, camera_id=camera_id, confidence=confidence))
    # One of each class of length, before all others.
    for n, length in enumerate([100, 500, 2_000, 9_000, 30_000]):
        begin = NOW - 1_000 - length
        given += [result(begin + when, camera_id=f"long{n}") for when in range(0, length + 1, 4)]
    for begin_at in range(0, len(given), 500):
        await api.store(*given[begin_at : begin_at + 500])
    everything = (await api.get("/api/events", limit=500))["items"]
    assert len(everything) == 305
    questions: list[Json] = [{}]
    for _ in range(60):
        asked: Json = {}
        if chance.random() < 0.4:
            asked["camera"] = chance.sample(["c1", "c2", "c8", "long3", "nobody"], chance.randint(1, 3))
        if chance.random() < 0.4:
            asked["group"] = chance.choice(["g0", "g2", "none"])
        if chance.random() < 0.4:
            asked["min_faces"] = chance.choice([1, 2, 4, CROWDED, CROWDED + 1, 1000])
        if chance.random() < 0.4:
            asked["min_confidence"] = chance.choice([0.0, 0.4, 0.99, 1.0])
        if chance.random() < 0.6:
            asked["from"] = NOW + chance.choice([-20_000, -1_500, -10, 0, 3, 500, 1_700, 9_999])
        if chance.random() < 0.6:
            asked["to"] = asked.get("from", NOW) + chance.choice([0, 1, 60, 1_000, 50_000])
        questions.append(asked)
    for asked in questions:
        expected = [
            event["event_id"]
            for event in everything
            if event["camera_id"] in asked.get("camera", [event["camera_id"]])
            and event["group"] == asked.get("group", event["group"])
            and event["faces"] >= asked.get("min_faces", 1)
            and event["confidence"] >= asked.get("min_confidence", 0)
            and event["end"] >= asked.get("from", 0)
            and event["start"] <= asked.get("to", 1e11)
        ]
        params = [(k, str(v)) for k, vs in asked.items() for v in (vs if isinstance(vs, list) else [vs])]
        found = []
        cursor = ""
        while True:
            async with api.http.get(
                "/api/events", params=[*params, ("limit", "40"), ("cursor", cursor)]
            ) as answer:
                page = await answer.json()
            found += [event["event_id"] for event in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert found == expected, asked


async def test_pages_of_events_that_began_together(api: Api) -> None:
    await api.store(*(result(NOW, camera_id=f"c{n}") for n in range(7)))
    assert await api.ids() == [7, 6, 5, 4, 3, 2, 1]


WRONG: list[tuple[Json, int]] = [
    ({"camera": "a.b"}, 422),
    ({"camera": "x" * 65}, 422),
    ({"limit": "0"}, 422),
    ({"limit": "501"}, 422),
    ({"limit": str(1 << 80)}, 422),
    ({"min_faces": "0"}, 422),
    ({"min_faces": str(1 << 80)}, 422),
    ({"min_confidence": "nan"}, 422),
    ({"min_confidence": "inf"}, 422),
    ({"min_confidence": "1.01"}, 422),
    ({"from": "soon"}, 422),
    ({"from": "nan"}, 422),
    ({"from": "1e300"}, 422),
    ({"from": "1795000000000"}, 422),
    ({"from": "9999-12-31T23:59:59-99:00"}, 422),
    ({"from": "2", "to": "1"}, 400),
    ({"cursor": "x"}, 400),
    ({"cursor": "nan~1"}, 400),
    ({"cursor": f"1~{1 << 70}"}, 400),
    ({"cursor": "1~-1"}, 400),
    ({"group": "a\0b"}, 422),
    ({"from": "0001-01-01T00:00:00+14:00"}, 200),
    ({"from": "-5", "to": "2026-11-25T12:00:00.123456789Z"}, 200),
    ({"cursor": "-1e308~0"}, 200),
    ({"group": "\U0001f600 ' -- %s :x"}, 200),
    ({"min_faces": "100000", "min_confidence": "1"}, 200),
]


async def test_whatever_is_asked_is_answered(api: Api) -> None:
    for params, status in WRONG:
        for path in ("/api/events", "/api/events/export"):
            if path.endswith("export") and ("limit" in params or "cursor" in params):
                continue
            async with api.http.get(path, params=params) as answer:
                assert answer.status == status, (params, await answer.text())
                if status != 200:
                    problem = await answer.json()
                    assert problem["status"] == "error"
                    assert problem["error"]


async def test_ids_that_are_none(api: Api) -> None:
    for path in ("/0", "/-1", f"/{1 << 63}", "/x", "/x/thumbnail"):
        assert (await api.status(f"/api/events{path}"))[0] == 422, path


async def test_a_thumbnail(api: Api) -> None:
    await api.store(result(NOW))
    assert (await api.status("/api/events/1/thumbnail"))[0] == 404
    await asyncio.to_thread(api.writer.store_thumbnails, [thumbnail(NOW, 1090, b"\xff\xd8jpeg")])
    event = await api.get("/api/events/1")
    assert event["thumbnail"] == "/api/events/1/thumbnail?quality=1090"
    async with api.http.get(event["thumbnail"]) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (
            200,
            "image/jpeg",
            b"\xff\xd8jpeg",
        )
        etag = answer.headers["ETag"]
    async with api.http.get(event["thumbnail"], headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304


# --- what people say ---------------------------------------------------------------------------------------------


async def did(api: Api, method: str, path: str, **params: Any) -> tuple[int, Json]:
    async with api.http.request(method, path, params=params) as answer:
        return answer.status, await answer.json()


async def test_seen_and_feedback_are_kept_once_and_can_be_undone(api: Api) -> None:
    await api.store(result(NOW), result(NOW, camera_id="b"))
    _, first = await did(api, "POST", "/api/events/1/seen")
    assert (first["seen_by"], first["seen_at"] > NOW) == ("main", True)
    assert (await did(api, "POST", "/api/events/1/seen"))[1] == first
    told = {"feedback": "wrong", "note": "  a lamp, =1+1 "}
    _, judged = await did(api, "POST", "/api/events/2/feedback", **told)
    assert (judged["feedback"], judged["note"], judged["feedback_by"]) == ("wrong", "a lamp, =1+1", "main")
    assert judged["seen_at"]
    assert (await did(api, "POST", "/api/events/2/feedback", **told))[1] == judged
    assert await api.ids(feedback="wrong") == await api.ids(feedback="any") == [2]
    assert await api.ids(feedback="missed") == []
    assert await api.ids(camera="b", seen="true") == [2]
    _, said = await text(api, "/api/events/export", feedback="any")
    assert [(row["event_id"], row["note"]) for row in csv.DictReader(io.StringIO(said))] == [
        ("2", "a lamp, =1+1")
    ]
    assert (await did(api, "POST", "/api/events/2/feedback", feedback="missed"))[1]["note"] is None
    _, taken_back = await did(api, "DELETE", "/api/events/2/feedback")
    assert (taken_back["feedback"], taken_back["feedback_by"]) == (None, None)
    assert (await did(api, "DELETE", "/api/events/2/feedback"))[1] == taken_back
    assert (await did(api, "DELETE", "/api/events/2/seen"))[1]["seen_by"] is None
    assert await api.ids(seen="false") == [2]


async def test_deeds_that_are_none(api: Api) -> None:
    for method, path, params, status in (
        ("POST", "/99/seen", {}, 404),
        ("DELETE", "/99/feedback", {}, 404),
        ("POST", "/99/feedback", {"feedback": "wrong"}, 404),
        ("POST", "/1/feedback", {}, 422),
        ("POST", "/1/feedback", {"feedback": "any"}, 422),
        ("POST", "/1/feedback", {"feedback": "wrong", "note": "x" * 501}, 422),
        ("POST", "/1/feedback", {"feedback": "wrong", "text": "a lamp"}, 422),
        ("POST", "/seen", {}, 422),
        ("GET", "/1/seen", {}, 405),
        ("GET", "/99/picture", {}, 404),
    ):
        code, problem = await did(api, method, f"/api/events{path}", **params)
        assert code == status, (path, problem)
        assert problem["error"]


async def test_all_of_a_filter_are_marked_as_told_and_no_later_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.history.reviews.MARKED_AT_ONCE", 2)
    await api.store(*(result(NOW + n * 60, camera_id="ab"[n % 2]) for n in range(10)))
    await did(api, "POST", "/api/events/1/seen")
    told = await api.get("/api/events/count", camera="a", seen="false")
    assert told == {"count": 4, "newest": 10}  # ids follow the cameras, not the times
    await api.store(result(NOW + 6_000))  # of camera a, later
    marked = await did(api, "POST", "/api/events/seen", camera="a", seen="false", newest=told["newest"])
    assert marked == (200, {"marked": told["count"], "left": 0})
    unseen = await api.get("/api/events/count", seen="false")
    assert unseen["count"] == 6
    again = await did(api, "POST", "/api/events/seen", camera="a", newest=told["newest"])
    assert again == (200, {"marked": 0, "left": 0})


async def test_a_whole_picture_until_it_makes_room(api: Api) -> None:
    await api.store(result(NOW))
    assert (await api.status("/api/events/1/picture"))[0] == 404
    await asyncio.to_thread(api.writer.store_thumbnails, [thumbnail(NOW, 1090, whole=b"\xff\xd8whole")])
    event = await api.get("/api/events/1")
    assert event["picture"] == "/api/events/1/picture?quality=1090"
    async with api.http.get(event["picture"]) as answer:
        assert (answer.content_type, await answer.read()) == ("image/jpeg", b"\xff\xd8whole")
        etag = answer.headers["ETag"]
    async with api.http.get(event["picture"], headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
    _, said = await text(api, "/api/events/export")
    (row,) = csv.DictReader(io.StringIO(said))
    assert json.loads(row["frame"]) == event["frame"]
    await asyncio.to_thread(
        api.writer.change, lambda c: c.exec_driver_sql("UPDATE event_frames SET bytes = 0, jpeg = NULL")
    )
    event = await api.get("/api/events/1")
    assert (event["picture"], event["frame"]["width"]) == (None, 640)
    code, problem = await api.status("/api/events/1/picture")
    assert (code, "GATEWAY_HISTORY_PICTURES_MB" in problem["error"]) == (404, True)


# --- activity ----------------------------------------------------------------------------------------------------


async def test_activity(api: Api) -> None:
    await api.store(
        result(MINUTE, 2),
        result(MINUTE + 30, 0),
        result(MINUTE + 61, 1, camera_id="b"),
        result(MINUTE + 62, 0, camera_id="b", status="expired", reason="stale"),
    )
    span = {"from": MINUTE - 1, "to": MINUTE + 119}
    all_ = await api.get("/api/activity", **span)
    first = {"time": MINUTE, "frames": 2, "with_detections": 1, "faces": 2, "expired": 0}
    second = {"time": MINUTE + 60, "frames": 1, "with_detections": 1, "faces": 1, "expired": 1}
    assert all_ == {"step": 60, "items": [first, second]}
    assert (await api.get("/api/activity", camera="b", **span))["items"] == [second]
    assert (await api.get("/api/activity", camera="c", **span))["items"] == []
    (day,) = (await api.get("/api/activity", step=86_400, **span))["items"]
    assert (day["frames"], day["faces"], day["expired"], day["time"] % 86_400) == (3, 2, 1, 0)


async def test_activity_asked_wrongly(api: Api) -> None:
    asked: list[tuple[Json, int, str]] = [
        ({"from": "0", "to": "604800"}, 400, "step=420 would do"),
        ({"from": "0", "to": "604800", "step": "420"}, 200, ""),
        ({"from": "0", "to": "1e11", "step": "86400"}, 400, "ask for a shorter time"),
        ({"step": "61"}, 422, "step"),
        ({"step": "0"}, 422, "step"),
        ({"from": "2", "to": "1"}, 400, "later"),
        ({"from": "1e10"}, 400, "later"),
        ({"from": "-1e11", "to": "-99999999999"}, 200, ""),
        ({"camera": "*"}, 422, "camera"),
    ]
    for params, status, says in asked:
        answered, said = await api.status("/api/activity", **params)
        assert answered == status, params
        assert says in said.get("error", "")


# --- exports -----------------------------------------------------------------------------------------------------


async def text(api: Api, path: str, **params: Any) -> tuple[str, str]:
    async with api.http.get(path, params=params) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Disposition"].startswith("attachment")
        return answer.content_type, await answer.text()


async def test_events_as_files(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports_api, "CHUNK", 3)
    await api.store(*(result(NOW + n * 10, n % 3 + 1) for n in range(10)))
    kind, said = await text(api, "/api/events/export", format="ndjson", min_faces=2)
    events = [json.loads(line) for line in said.splitlines()]
    assert kind == "application/x-ndjson"
    assert events == (await api.get("/api/events", min_faces=2))["items"]
    kind, said = await text(api, "/api/events/export")
    rows = list(csv.DictReader(io.StringIO(said)))
    assert kind == "text/csv"
    assert [float(row["start"]) for row in rows] == [NOW + n * 10 for n in reversed(range(10))]
    assert (rows[0]["open"], rows[0]["thumbnail"], rows[0]["faces"]) == ("false", "", "1")


async def test_detections_as_files(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports_api, "CHUNK", 3)
    for n in range(10):
        found = [DetectedObject(x=n, y=1, w=2, h=3, confidence=c, label="=cmd()") for c in (0.25, 0.75)]
        await api.store(
            result(NOW + n, detections=found, camera_id="ab"[n % 2], frame_id=f"f{n}", model="@evil"),
            result(NOW + n, 0),
        )
    _, said = await text(api, "/api/detections/export", format="ndjson")
    all_ = [json.loads(line) for line in said.splitlines()]
    assert [each["frame_id"] for each in all_] == [f"f{n // 2}" for n in range(20)]
    assert all_[0]["label"] == "=cmd()"  # only spreadsheets take that for a formula
    _, said = await text(
        api, "/api/detections/export", camera="b", min_confidence=0.5, **{"from": NOW + 3, "to": NOW + 7}
    )
    rows = list(csv.DictReader(io.StringIO(said)))
    assert [(row["frame_id"], row["label"], row["model"]) for row in rows] == [
        (f"f{n}", "'=cmd()", "'@evil") for n in (3, 5, 7)
    ]
    assert rows[0]["time"] == str(NOW + 3)


async def test_who_goes_away_ends_the_export(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports_api, "CHUNK", 10)
    monkeypatch.setattr(readers_module, "MAX_EXPORTS", 1)
    wide = [DetectedObject(x=n, y=1, w=2, h=3, confidence=0.5, label="l" * 500) for n in range(200)]
    for _ in range(20):
        await api.store(*(result(NOW, detections=wide) for _ in range(10)))  # 20 MB of text
    answer = await api.http.get("/api/detections/export")
    await answer.content.read(1000)
    status, problem = await api.status("/api/events/export")
    assert (status, problem["errorType"]) == (503, "unavailable")
    answer.close()

    await aeventually("its place is free", lambda: api.gateway.history.readers._exports == 0)
    assert (await text(api, "/api/events/export"))[0] == "text/csv"


# --- frames ------------------------------------------------------------------------------------------------------


async def test_a_frame_hop_by_hop(api: Api) -> None:
    await api.store(result(NOW, 2, frame_id="gate/3: 4711?"), wall=NOW + 0.5)
    frame = await api.get("/api/frames/gate%2F3:%204711%3F")
    assert (frame["frame_id"], frame["camera_id"], frame["outcome"]) == ("gate/3: 4711?", "a", "result")
    assert [(hop["hop"], round(hop["seconds"], 3), hop["node_id"]) for hop in frame["hops"]] == [
        ("captured", 0.0, None),
        ("queued", 0.05, None),
        ("computed", 0.07, "n"),
        ("recorded", 0.47, None),
    ]
    assert [round(hop["time"] - NOW, 3) for hop in frame["hops"]] == [0.0, 0.08, 0.1, 0.5]
    assert frame["result"]["detections"][0]["label"] == "face"
    assert frame["dead_letter"] is None


async def test_a_frame_that_expired(api: Api) -> None:
    await api.store(result(NOW, 0, frame_id="f", status="expired", hop="worker", reason="stale"))
    frame = await api.get("/api/frames/f")
    assert frame["outcome"] == "expired"
    assert [(hop["hop"], hop["detail"]) for hop in frame["hops"]][1] == ("expired", "stale at worker")


async def test_frames_that_are_none(api: Api) -> None:
    assert (await api.status("/api/frames/" + "x" * 201))[0] == 422
    assert (await api.status("/api/frames/a%00b"))[0] == 422
    assert (await api.status("/api/frames/%ff%fe"))[0] in (404, 503)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_frame_among_the_dead_letters(rabbitmq: str, tmp_path: Path, database_url: str) -> None:
    async with (
        running_gateway(tmp_path, amqp_url=rabbitmq) as gateway,
        bus(rabbitmq) as b,
        aiohttp.ClientSession(gateway.address, headers={"Authorization": f"Bearer {TOKEN}"}) as http,
    ):
        await aeventually("at work", lambda: not gateway.missing())
        api = Api(gateway, http)
        task = encode_task(
            Task(image=b"\xff\xd8\xff", timestamp=NOW, camera_id="a", frame_id="dead"), TaskForm.COMPACT
        )
        headers = task.headers | {REASON: "crashed", ERROR: "it fell", NODE: "n-1", TIME: str(NOW + 3)}
        await b.publish(Message("", "frame_queue.dlq", task.body, task.content_type, headers))
        status, problem = await api.status("/api/frames/unheard-of")
        assert (status, problem["errorType"]) == (404, "not_found")
        assert "still be queued" in problem["error"]
        frame = await api.get("/api/frames/dead")
        assert frame["outcome"] == "dead_letter"
        assert [(hop["hop"], hop["seconds"], hop["node_id"], hop["detail"]) for hop in frame["hops"]] == [
            ("captured", 0.0, None, None),
            ("dead_letter", 3.0, "n-1", "crashed: it fell"),
        ]
        await api.store(result(NOW, frame_id="dead"))  # it was replayed
        frame = await api.get("/api/frames/dead")
        assert (frame["outcome"], frame["dead_letter"]["reason"]) == ("result", "crashed")
        assert [hop["hop"] for hop in frame["hops"]][-2:] == ["recorded", "dead_letter"]


# --- under pressure ----------------------------------------------------------------------------------------------


async def test_too_many_questions_are_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers_module, "MAX_WAITING", 0)
    async with api.http.get("/api/events") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert "try again" in (await answer.json())["error"]
    value = api.gateway.metrics.registry.get_sample_value
    assert value("gateway_history_queries_refused_total", {"reason": "busy"}) == 1


async def test_a_question_that_takes_too_long_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

    def forever(connection: Any, *_: object) -> Any:
        return connection.exec_driver_sql(endless).all()

    monkeypatch.setattr("gateway.history.queries.events", forever)
    monkeypatch.setattr(readers_module, "QUERY_SECONDS", 0.2)
    status, problem = await api.status("/api/events")
    assert (status, "shorter time" in problem["error"]) == (503, True)


async def test_openapi_names_the_routes_and_their_errors(api: Api) -> None:
    paths = (await api.get("/api/openapi.json"))["paths"]
    for path in (
        "/api/events",
        "/api/events/{event_id}",
        "/api/events/{event_id}/thumbnail",
        "/api/events/export",
        "/api/detections/export",
        "/api/activity",
        "/api/frames/{frame_id}",
    ):
        described = paths[path]["get"]
        assert described["description"]
        assert {"200", "400", "401", "422", "503"} <= described["responses"].keys()
