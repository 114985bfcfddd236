"""Three producers that were told the same share the cameras; one of them is killed, one stops."""

import itertools
import time
from collections import defaultdict
from typing import Any

import pytest

from tests.helpers.eventually import aeventually
from tests.helpers.workers import TimedWorkers, timed_workers

CAMERAS = 30
RECENT = 1.5  # seconds; six frames of each camera


class Served:
    """Which producers sent frames of which camera, and when: what the workers took."""

    def __init__(self, workers: TimedWorkers) -> None:
        self._workers = workers

    def by(self, since: float) -> dict[str, set[str]]:
        """By camera, since then (Unix seconds)."""
        found: dict[str, set[str]] = defaultdict(set)
        for (when, _), task, delivery in zip(
            self._workers.ages, self._workers.tasks, self._workers.deliveries, strict=True
        ):
            if when >= since:
                found[task.camera_id].add(delivery.app_id or "")
        return found

    def exactly(self, names: set[str]) -> bool:
        """Whether these serve all cameras lately, each camera one of them."""
        found = self.by(time.time() - RECENT)
        return (
            len(found) == CAMERAS
            and all(len(by) == 1 for by in found.values())
            and set().union(*found.values()) == names
        )

    def longest_gap(self, since: float) -> float:
        """The longest time that any camera had no frame since then."""
        times: dict[str, list[float]] = defaultdict(lambda: [since])
        for (when, _), task in zip(self._workers.ages, self._workers.tasks, strict=True):
            if when >= since:
                times[task.camera_id].append(when)
        now = time.time()
        return max(
            later - earlier for each in times.values() for earlier, later in itertools.pairwise([*each, now])
        )


@pytest.mark.integration
async def test_killing_one_of_three_loses_no_camera_for_more_than_thirty_seconds(
    rabbitmq: str, start: Any
) -> None:
    async with timed_workers(rabbitmq, count=4, seconds=0.005) as workers:
        served = Served(workers)
        producers = {
            name: start(
                "producer",
                AMQP_URL=rabbitmq,
                SOURCE=f"demo:{CAMERAS}",
                PRODUCER_FPS="4",
                PRODUCER_ID=name,
                PRODUCER_FORM="compact",
            )
            for name in ("east", "north", "west")
        }
        await aeventually("three share the cameras", lambda: served.exactly({"east", "north", "west"}), 60)

        killed = time.time()
        before = served.by(killed - RECENT)
        producers["north"].kill()
        await aeventually("two share them", lambda: served.exactly({"east", "west"}), 40)
        assert served.longest_gap(killed) < 30
        after = served.by(time.time() - RECENT)
        assert all(after[camera_id] == by for camera_id, by in before.items() if by != {"north"})
        print(f"longest gap after the kill: {served.longest_gap(killed):.2f} s")

        stopped = time.time()
        assert producers["west"].stop() == 0
        await aeventually("one serves them all", lambda: served.exactly({"east"}), 40)
        print(f"longest gap after the stop: {served.longest_gap(stopped):.2f} s")
        assert served.longest_gap(stopped) < 5
        frame_ids = [task.frame_id for task in workers.tasks]
        assert len(frame_ids) == len(set(frame_ids))
        assert producers["east"].stop() == 0
