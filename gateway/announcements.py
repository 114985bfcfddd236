"""What this gateway says on `control`: watched cameras, desired models, drains, the remote lane, the senders."""

import asyncio
import time
from collections.abc import Callable

from broker import Message, Publisher
from contract.status import Control, encode_status
from contract.topology import CONTROL_EXCHANGE
from gateway.keepers import Keepers
from gateway.live.watch_list import WatchList
from runtime.logs import get_logger

log = get_logger("gateway")

PAUSE_SECONDS = 0.1
"""Occasions within that time are one: every worker reads each announcement, and many viewers scroll many walls."""


class Occasions:
    """Why something is to be said now: noted by parts that know nothing of who says it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._reconnected = False

    def reconnected(self) -> None:
        """Note that the broker is back: nobody may have heard what was said meanwhile."""
        self._reconnected = True
        self._event.set()

    def pictures_wanted(self) -> None:
        """Note that somebody wants pictures of other cameras than before, or of other frames."""
        self._event.set()

    async def next(self) -> bool:
        """Wait for an occasion; whether everything is to be said again."""
        await self._event.wait()
        self._event.clear()
        again, self._reconnected = self._reconnected, False
        return again


class Announcer:
    """Says what is wanted on each occasion, and now and then: announcements are transient.

    `by_viewers()` tells which cameras to watch, `frames(now)` which frames to ask for, and `ask(cameras, frames)` does.
    """

    def __init__(
        self,
        occasions: Occasions,
        watch_list: WatchList,
        keepers: Keepers,
        *,
        by_viewers: Callable[[], frozenset[str]],
        frames: Callable[[float], list[str]],
        ask: Callable[[list[str], list[str]], None],
    ) -> None:
        self._occasions = occasions
        self._watch_list = watch_list
        self._keepers = keepers
        self._by_viewers = by_viewers
        self._frames = frames
        self._ask = ask

    async def run(self) -> None:
        """Say what is new, until cancelled."""
        while True:
            everything = await self._occasions.next()
            try:
                now = time.monotonic()
                self.follow(now)
                if everything:
                    self._watch_list.announce(now)
                    self._keepers.announce(now)
            except Exception:
                log.exception("an announcement failed")
            await asyncio.sleep(PAUSE_SECONDS)

    def follow(self, now: float) -> None:
        """Watch what is wanted now. Say it if it is new, or if it was not said for a while; ask for frames at once."""
        self._watch_list.follow(self._by_viewers(), now)
        if frames := self._frames(now):
            self._ask(self._watch_list.cameras, frames)


def say(publisher: Publisher, control: Control) -> None:
    """Publish on `control`; whoever is away hears it the next time."""
    body = encode_status(control)
    publisher.publish(Message(CONTROL_EXCHANGE, "", body, persistent=False, mandatory=False))
