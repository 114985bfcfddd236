"""What asks the remote lane by itself: the cascade, for events that a rule names, and its rule `motion`."""

import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from broker import Publisher
from contract.result import Result
from gateway.cascade import Cascade, permitted
from gateway.cascade_rules import Rules, rules_of
from gateway.history.history import History
from gateway.history.rows import moment
from gateway.knowledge import Knowledge
from gateway.metrics import GatewayMetrics
from gateway.motion_cascade import MotionCascade
from gateway.motion_watch import MotionWatch
from gateway.remote.keeper import RemoteKeeper
from gateway.remote.overview import remote_open
from gateway.settings import GatewaySettings, split


@dataclass(frozen=True, slots=True)
class Cascades:
    """Both of them, as far as the settings name rules.

    `allowed`: whether a camera's frames may leave the house; `open_`: whether the lane takes frames.
    """

    rules: Rules
    watch: MotionWatch
    allowed: Callable[[str], bool]
    open_: Callable[[], bool]

    def recorded(self, result: Result) -> None:
        """Take a result that the history has."""
        if self.rules.motion:
            self.watch.hear(result, moment(result, time.time()))

    def runs(
        self,
        settings: GatewaySettings,
        known: Knowledge,
        history: History,
        publisher: Publisher,
        metrics: GatewayMetrics,
    ) -> Iterator[Coroutine[Any, Any, None]]:
        """What is to run beside the gateway."""
        gap = settings.history_gap_seconds
        if settings.remote_rules:
            yield Cascade(
                self.rules,
                history.recorder,
                publisher,
                metrics,
                gap=gap,
                allowed=self.allowed,
                open_=self.open_,
            ).run()
        if self.rules.motion:
            yield MotionCascade(
                self.watch,
                history.recorder,
                gap=gap,
                labels=known.cameras.labels,
                request=history.look_for_pictures,
                open_=self.open_,
            ).run()


def make_cascades(settings: GatewaySettings, known: Knowledge, remote: RemoteKeeper) -> Cascades:
    """By the rules of the settings. Raises WrongSetting."""
    allowed = permitted(
        split(settings.remote_cameras), lambda camera_id: known.cameras.remote(camera_id, time.monotonic())
    )
    return Cascades(
        rules=rules_of(split(settings.remote_rules), settings.remote_below),
        watch=MotionWatch(settings.history_gap_seconds, settings.remote_motion, allowed),
        allowed=allowed,
        open_=lambda: remote_open(known.nodes.statuses(time.monotonic()), remote.desired),
    )
