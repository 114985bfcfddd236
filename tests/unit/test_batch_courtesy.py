"""A job gives way to live frames that wait, keeps its share, and gets back to its speed."""

import asyncio
import os
import subprocess
import sys

import pytest

from batch import BatchError
from batch.courtesy import LOOKS, Courtesy, kept_share
from runtime.priority import AUTOGROUP


def sent(courtesy: Courtesy, since: float, seconds: float) -> int:
    """How many items are sent in so long, each answered at once."""
    number, now = 0, since
    while now < since + seconds:
        if courtesy.pause(now) == 0.0:
            courtesy._sent = now
            number += 1
        now += 0.01
    return number


def used_to(rate: int, share: float = 0.1) -> Courtesy:
    """It has had so many answers a second, until second 2."""
    courtesy = Courtesy(share)
    for second in range(3):
        courtesy.look(second, waits=False)
        for _ in range(rate):
            courtesy.answered()
    return courtesy


def test_it_keeps_its_share_while_frames_wait_and_no_blink_counts() -> None:
    courtesy = used_to(50)
    for look in range(LOOKS - 1):
        courtesy.look(3 + look, waits=True)
        assert not courtesy.stands_back
    courtesy.look(10, waits=False)
    for look in range(LOOKS):
        courtesy.look(11 + look, waits=True)
    assert courtesy.stands_back
    assert 48 <= sent(courtesy, 20, 10) <= 51, "a tenth of 50 a second, for ten seconds"


def test_it_grows_again_when_nothing_waits() -> None:
    courtesy = used_to(50)
    for look in range(LOOKS):
        courtesy.look(3 + look, waits=True)
    paces = []
    second = 10
    while courtesy.stands_back:
        courtesy.look(second, waits=False)
        paces.append(sent(courtesy, second, 1))
        second += 1
    assert paces == sorted(paces)
    assert 5 <= len(paces) <= 8, "not at once: frames would wait again"
    assert paces[-1] >= 100, "as fast as it can"


def test_what_it_gets_while_it_gives_way_is_not_its_usual_speed() -> None:
    """Else a tenth of a tenth would be left."""
    courtesy = used_to(50)
    for second in range(3, 100):
        courtesy.look(second, waits=True)
        for _ in range(5):
            courtesy.answered()
    assert sent(courtesy, 100, 10) >= 48


async def test_a_job_that_begins_while_frames_wait_sends_one_after_the_other() -> None:
    courtesy = Courtesy(0.1)
    for second in range(LOOKS):
        courtesy.look(second, waits=True)
    async with courtesy.turn(lambda: False):
        assert courtesy.pause(10) > 0
        stopped = False
        waiting = asyncio.create_task(courtesy.turn(lambda: stopped).__aenter__())
        done, _ = await asyncio.wait({waiting}, timeout=0.05)
        assert not done
        stopped = True
        await waiting  # whoever stops is not kept waiting
    courtesy.look(11, waits=False)
    assert not courtesy.stands_back, "nothing is known that it should not exceed"


def test_a_share_of_one_never_gives_way() -> None:
    courtesy = used_to(50, share=1)
    for second in range(3, 10):
        courtesy.look(second, waits=True)
    assert not courtesy.stands_back


def test_the_share_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_SHARE", "0.5")
    assert kept_share() == 0.5
    monkeypatch.setenv("BATCH_SHARE", "2")
    with pytest.raises(BatchError, match="BATCH_SHARE"):
        kept_share()


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not group")
def test_a_session_of_one_s_own_has_the_nice_value_among_others() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "from runtime.priority import AUTOGROUP, give_way; give_way(0.1); print(AUTOGROUP.read_text())",
        ],
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split()[-1] == str(os.nice(0) + 10)
