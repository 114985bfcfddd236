"""The senders as the gateway knows them: those of its file, which it follows, or what another gateway said later."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from contract.senders import MAX_CAMERAS, Sender, Senders
from gateway.errors import BrokenSenders
from gateway.senders.file import keep_senders, read_senders
from runtime.followed_files import FollowedFile
from runtime.logs import get_logger

log = get_logger("gateway")

REPEAT_SECONDS = 5.0


class SenderRegistry:
    """Belongs to the event loop. The highest revision holds, of the file and of what is heard; it is announced when it
    changes, after a reconnect, and every five seconds by `tick`.

    While the file is broken, what was read before stays in force, and `trouble` says why.
    """

    def __init__(
        self, file: FollowedFile[Senders], senders: Senders, announce: Callable[[Senders], None]
    ) -> None:
        self.in_force = senders
        self.trouble = ""
        self._file = file
        self._stale = ""
        self._announce = announce
        self._said = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_name = {sender.name: sender for sender in senders.senders}

    @classmethod
    def load(cls, path: Path, announce: Callable[[Senders], None]) -> Self:
        """Begin with the senders in the file. Raises BrokenSenders and OSError, for then nothing could hold."""
        file = FollowedFile(path, read_senders, BrokenSenders)
        return cls(file, file.load(), announce)

    @property
    def senders(self) -> Sequence[Sender]:
        """All of them, by name."""
        return self.in_force.senders

    def find(self, name: str) -> Sender | None:
        """The sender of that name."""
        return self._by_name.get(name)

    def max_cameras(self, name: str) -> int:
        """How many cameras it may have; of one that was removed, or is not known yet, what a new one would get."""
        sender = self._by_name.get(name)
        return sender.max_cameras if sender is not None else MAX_CAMERAS

    def removed(self, name: str) -> bool:
        """Whether somebody who is not a sender now must have been one: before any was named, nobody is removed."""
        return self.in_force.revision > 0 and name not in self._by_name

    def tick(self, now: float) -> None:
        """Follow the file, and say it again if it is time; call this once a second. `now` is monotonic."""
        read = self._file.news()
        if read is not None:
            self._read(read, now)
        trouble = self._file.trouble or self._stale
        if trouble and trouble != self.trouble:
            log.error("the senders file cannot be used: the senders of before stay", error=trouble)
        self.trouble = trouble
        if now - self._said >= REPEAT_SECONDS:
            self.announce(now)

    def announce(self, now: float) -> None:
        """Say who they are, for example after a reconnect. Silent while nobody has ever named one."""
        if self.in_force.revision:
            self._said = now
            self._announce(self.in_force)

    def heard(self, theirs: Senders) -> None:
        """Take what another gateway announced, if it is newer, and keep it."""
        if theirs.revision <= self.in_force.revision:
            return
        self._take(theirs)
        log.info(
            "senders changed at another gateway", senders=sorted(self._by_name), revision=theirs.revision
        )
        task = asyncio.create_task(self._keep(theirs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Finish writing."""
        await asyncio.gather(*self._tasks)

    def _read(self, senders: Senders, now: float) -> None:
        self._stale = ""
        if senders.revision > self.in_force.revision:
            self._take(senders)
            log.info("senders read again", senders=sorted(self._by_name), revision=senders.revision)
            self.announce(now)
        elif senders != self.in_force:
            # Brought back from a copy, or changed by hand: workers, who go by the revision, would not take it.
            path = self._file.path
            self._stale = f"{path} is not newer than what is in force: run `framefleet senders set`"

    def _take(self, senders: Senders) -> None:
        self.in_force = senders
        self._by_name = {sender.name: sender for sender in senders.senders}

    async def _keep(self, theirs: Senders) -> None:
        try:
            await asyncio.to_thread(keep_senders, self._file.path, theirs)
        except (BrokenSenders, OSError) as error:
            log.warning(
                "the senders cannot be kept: after a restart they are what other gateways say",
                error=str(error),
            )
