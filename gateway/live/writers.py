"""Who is written to, and when: one writer per protocol for all its viewers, so exactly one for each of them.

Publishing only sets a flag. One callback then writes to all that have something waiting and waits for none of them:
whoever cannot be written to falls behind, and is called again when its socket has room (docs/adr/0014).
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.live.audience import Audience
from gateway.live.connection import ViewerConnection
from gateway.live.protocol import BATCH, PROTOCOLS, ViewerProtocol
from gateway.live.update import Update
from gateway.live.viewer import Viewer, ViewerKind
from gateway.security.holders import Holders
from runtime.logs import get_logger

log = get_logger("gateway")

SLICE_SECONDS = 0.002
"""After that heartbeats, HTTP and new results have their turn."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a viewer's bytes go. `on_broken` is called when no message could be made for it, `on_overrun` when it
    cannot get every result any more."""

    connection: ViewerConnection
    on_broken: Callable[[], None]
    on_overrun: Callable[[], None]


class ViewerWriter:
    """Writes to the viewers of one protocol."""

    def __init__(self, protocol: ViewerProtocol) -> None:
        self._protocol = protocol
        self._recipients: dict[Viewer, Recipient] = {}
        self._audiences: dict[Audience, None] = {}  # with something for those in step
        self._viewers: dict[Viewer, None] = {}  # with something of their own
        self._turn: Iterator[None] | None = None
        self._handle: asyncio.Handle | None = None
        self._began = float("-inf")

    def add(self, recipient: Recipient, holders: Holders = ()) -> Viewer:
        """Return a viewer whose bytes go to `recipient`; its shares are counted for `holders`."""

        def wake() -> None:
            self._viewers[viewer] = None
            self._schedule()

        viewer = Viewer(self._protocol.kind, wake, holders)
        self._recipients[viewer] = recipient
        return viewer

    def remove(self, viewer: Viewer) -> None:
        """Forget a viewer that is gone."""
        del self._recipients[viewer]
        self._viewers.pop(viewer, None)

    def wake(self, audience: Audience) -> None:
        """Note that something waits for those of the audience who are in step."""
        self._audiences[audience] = None
        self._schedule()

    # --- inside ------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        if self._handle is None:
            loop = asyncio.get_running_loop()
            wait = self._began + self._protocol.pause(len(self._recipients)) - loop.time()
            self._handle = loop.call_later(wait, self._write) if wait > 0 else loop.call_soon(self._write)

    def _write(self) -> None:
        """Go on with the turn, or begin one, until it is over or has lasted long enough."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._turn is None:
            self._began, self._turn = now, self._begin()
        for _ in self._turn:
            if loop.time() - now > SLICE_SECONDS:
                self._handle = loop.call_soon(self._write)
                return
        self._turn = self._handle = None
        if self._audiences or self._viewers:
            self._schedule()

    def _begin(self) -> Iterator[None]:
        """Write all that waits now, and nothing that comes meanwhile; pause after each message of a viewer's own, and
        after each viewer."""
        audiences, self._audiences = self._audiences, {}
        viewers, self._viewers = self._viewers, {}
        rounds = [(audience, audience.begin()) for audience in audiences]
        # These first, while nothing new waits: then they are in step again.
        for viewer in viewers:
            yield from self._write_own(viewer)
            yield
        for audience, results in rounds:
            parts = self._parts(results)
            while (served := audience.next()) is not None:
                self._write_round(audience, served, results, parts)
                yield
            for update in results:
                if update.sent is not None:
                    update.sent()

    def _parts(self, results: list[Update]) -> list[tuple[bytes, list[Update]]]:
        """Make a round into bytes, each part with the results that follow it; no parts if they cannot be made."""
        try:
            return [
                (self._protocol.results(results[n : n + BATCH]), results[n + BATCH :])
                for n in range(0, len(results), BATCH)
            ]
        except Exception:
            log.exception("results could not be sent")
            return []

    def _write_round(
        self, audience: Audience, viewer: Viewer, rest: list[Update], parts: list[tuple[bytes, list[Update]]]
    ) -> None:
        recipient = self._recipients[viewer]
        connection = recipient.connection
        if not parts:
            recipient.on_broken()
        for frames, following in parts:
            if connection.congested:
                break
            connection.write(frames)
            rest = following
        if connection.congested:
            audience.fall_behind(viewer, rest)

    def _write_own(self, viewer: Viewer) -> Iterator[None]:
        """Write what waits for this viewer alone, a message at a time: the snapshot of a large system is long."""
        while (recipient := self._recipients.get(viewer)) is not None:  # else it has left meanwhile
            if viewer.results.overrun:
                recipient.on_overrun()
                return
            frames = b"" if recipient.connection.congested else self._next(viewer, recipient)
            if not frames:
                break
            recipient.connection.write(frames)
            yield
        if recipient is None or viewer.audience is None:  # it is not in the hub yet, or no longer
            return
        if recipient.connection.congested:
            viewer.audience.fall_behind(viewer)
        else:
            viewer.audience.catch_up(viewer)

    def _next(self, viewer: Viewer, recipient: Recipient) -> bytes:
        try:
            return self._protocol.next(viewer)
        except Exception:
            log.exception("a message could not be sent")
            recipient.on_broken()
            return b""


class Writers:
    """One writer for each protocol; `wake` is what the hub calls."""

    def __init__(self) -> None:
        self._by_kind = {protocol.kind: ViewerWriter(protocol) for protocol in PROTOCOLS}

    def __getitem__(self, kind: ViewerKind) -> ViewerWriter:
        return self._by_kind[kind]

    def wake(self, audience: Audience) -> None:
        """Note that something waits for those of the audience who are in step."""
        self._by_kind[audience.kind].wake(audience)
