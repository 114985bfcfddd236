"""Cameras' states in the history, on SQLite and on PostgreSQL, and over HTTP."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.history import retention, states
from gateway.history.database import Database
from gateway.history.retention import DAY, RetentionLimits
from gateway.history.states import StateChange, StateLog
from gateway.history.writer import HistoryWriter
from tests.helpers.eventually import aeventually
from tests.helpers.gateway import TOKEN, running_gateway
from tests.helpers.staged import Staged

pytestmark = pytest.mark.integration
NOW = 1_795_000_000.0


def change(
    state: str, since: float, reason: str | None = None, camera_id: str = "a", noticed: float | None = None
) -> StateChange:
    return StateChange(camera_id, state, reason, since, since if noticed is None else noticed, "p")


@pytest.fixture
def writer(database_url: str, tmp_path: Path) -> Iterator[HistoryWriter]:
    made = HistoryWriter(
        Database(database_url, tmp_path / "h.sqlite3"), limits=RetentionLimits(activity_days=31)
    )
    made.open()
    yield made
    made.close()


def kept(writer: HistoryWriter, since: float | None = None, camera_id: str = "a") -> list[tuple[float, str]]:
    found = writer.change(lambda c: states.changes(c, camera_id, since, None, 100))
    return [(row.time - NOW, row.state) for row in found]


def test_what_is_said_again_is_kept_once_and_times_ascend(writer: HistoryWriter) -> None:
    first = [change("live", NOW), change("degraded", NOW + 10, "frozen for 60 s")]
    assert writer.change(lambda c: states.add(c, first)) == 2
    # A gateway that starts again says what it was; numbers in a reason count on.
    again = [change("degraded", NOW + 10, "frozen for 90 s"), change("offline", NOW + 5, noticed=NOW + 30)]
    assert writer.change(lambda c: states.add(c, again)) == 1
    # Another reason in the same state holds since it was noticed.
    other = [
        change("offline", NOW + 10, "401 Unauthorized", noticed=NOW + 40),
        change("live", NOW, camera_id="b"),
    ]
    assert writer.change(lambda c: states.add(c, other)) == 2
    assert kept(writer) == [(40, "offline"), (10, "offline"), (10, "degraded"), (0, "live")]
    assert kept(writer, NOW + 20) == [(40, "offline"), (10, "offline")]  # what was in force then comes along
    assert kept(writer, camera_id="never") == []


def test_bounded_by_age_and_number_but_the_last_state_of_each_camera_stays(
    writer: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaps = [change(("live", "offline")[n % 2], NOW + n) for n in range(40)]
    writer.change(lambda c: states.add(c, [change("live", NOW, camera_id="calm"), *flaps]))
    monkeypatch.setattr(retention, "STATES", 10)
    while writer.prune(NOW + 50):
        pass
    assert [time for time, _ in kept(writer)] == list(range(39, 29, -1))
    assert kept(writer, camera_id="calm") == [(0, "live")]
    while writer.prune(NOW + 40 * DAY):
        pass
    assert (kept(writer), kept(writer, camera_id="calm")) == ([(39, "offline")], [(0, "live")])


def test_a_log_keeps_the_newest_while_the_database_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "MAX_PENDING", 3)
    log = StateLog()
    for n, state in enumerate(["live", "live", "offline", "live"]):
        log.note(change(state, NOW + n))
    taken = log.take()
    assert [each.since - NOW for each in taken] == [0, 2, 3]
    log.note(change("offline", NOW + 9))
    log.back(taken)
    assert [each.since - NOW for each in log.take()] == [2, 3, 9]
    log.gone(change("removed", NOW + 10, camera_id="nobody"))
    assert log.take() == []


async def test_a_camera_s_states_masks_and_counts_over_http(rabbitmq: str, tmp_path: Path) -> None:
    staged = await asyncio.to_thread(Staged, rabbitmq)
    mask = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.25))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        async with (
            running_gateway(tmp_path, amqp_url=rabbitmq) as gateway,
            aiohttp.ClientSession(gateway.address, headers=headers) as http,
        ):

            async def get(path: str) -> tuple[int, dict[str, Any]]:
                async with http.get(path) as answer:
                    return answer.status, await answer.json()

            async def states_of(camera_id: str) -> list[tuple[str, str | None]]:
                status, answer = await get(f"/api/cameras/{camera_id}/states")
                return [(each["state"], each["reason"]) for each in answer["items"]] if status == 200 else []

            async def states_are(expected: list[tuple[str, str | None]]) -> bool:
                return await states_of("gate") == expected

            staged.serving["p"] = [staged.camera("gate", masks=[mask], sent=7, dropped={"stale": 2})]
            await aeventually("it is heard", lambda: gateway.cameras.knows("gate"))
            deadline = time.monotonic() + 20
            while not await states_are([("live", None)]):
                assert time.monotonic() < deadline, await states_of("gate")
                await asyncio.sleep(0.1)
            status, detail = await get("/api/cameras/gate")
            assert status == 200
            assert detail["camera"]["state"] == "live"
            assert (detail["masks"], detail["masks_known"]) == ([[list(corner) for corner in mask]], True)
            assert detail["counts"] == {"fps": 0.0, "sent": 7, "skipped": 0, "dropped": {"stale": 2}}
            staged.serving["p"] = [staged.camera("gate", "offline", reason="no route", since=time.time())]
            deadline = time.monotonic() + 20
            while not await states_are([("offline", "no route"), ("live", None)]):
                assert time.monotonic() < deadline, await states_of("gate")
                await asyncio.sleep(0.1)
            _, detail = await get("/api/cameras/gate")
            assert (detail["masks"], detail["masks_known"]) == ([], False)  # as producers of before tell it
            assert (await get("/api/cameras/gate-9"))[0] == 404
            assert (await get("/api/cameras/gate-9/states"))[1] == {"items": [], "more": False}
            assert (await get("/api/cameras/a.b"))[0] == 422
            assert (await get("/api/cameras/gate/states?from=9&to=3"))[0] == 400
    finally:
        await asyncio.to_thread(staged.close)
