"""Workers that take the frames of named senders as well, and end at the worst moment."""

import asyncio
from pathlib import Path

import pytest

from contract.senders import Sender
from tests.conftest import StartService
from tests.faults.books import clerk
from tests.faults.screen import Screen
from tests.helpers.bus import bus
from tests.helpers.eventually import aeventually
from tests.helpers.senders import announcing

pytestmark = pytest.mark.faults

SENDERS = (Sender(name="school", share=0.3), Sender(name="club", share=0.3))


async def test_kill_9_with_senders_loses_no_frame_of_anybody(
    start: StartService, rabbitmq: str, tmp_path: Path
) -> None:
    """Each worker holds a frame of the lane and one of each sender when it dies."""
    environment = {"AMQP_URL": rabbitmq, "WORKER_DETECTOR": "haar", "WORKER_STALENESS_SECONDS": "600"}
    screen, kills = Screen(), 2
    async with clerk(rabbitmq) as books, bus(rabbitmq, screen) as ours, announcing(ours, *SENDERS):
        steady = start("worker", NODE_ID="steady", **environment)
        await asyncio.to_thread(steady.ready)
        await aeventually("both are taken", lambda: steady.log.read_text().count("tasks are taken") == 2)
        async with books.load(30), books.load(30, SENDERS[0]), books.load(30, SENDERS[1]):
            for number in range(kills):
                victim = start("worker", NODE_ID=f"victim-{number}", **environment)
                await asyncio.to_thread(victim.ready)
                labels = f'node_id="victim-{number}",outcome="ok",sender="club"'
                computed = f"cv_sender_frames_total{{{labels}}}"
                await aeventually("it computes theirs", lambda: victim.metric(computed) > 10)  # noqa: B023
                victim.process.kill()
        settled = await books.settled()
        assert steady.process.poll() is None
        await aeventually("the screen", lambda: screen.wire.keys() >= settled.results.keys())
    named = {
        name: sum(each.startswith(f"{name}:") for each in settled.results) for name in ("school", "club")
    }
    print(
        f"\n{kills} workers killed beside two senders: {settled}; results of senders {named}; "
        f"{screen.check(tmp_path / 'history.sqlite3')}"
    )
    assert all(named.values())
    assert settled.duplicates <= kills * (1 + len(SENDERS))
    assert settled.dead == {}
