"""Takes on a changed cameras.yaml while the cameras run; a file that cannot be used changes nothing, and is told."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from producer.catalogue.file.cameras import CameraFile
from producer.catalogue.file.changes import CatalogueChanges, compare, keep_broken, refuse_cut_off
from producer.catalogue.file.reader import MAX_BYTES, read_cameras
from producer.catalogue.file.variables import variables
from producer.catalogue.file.watch import PATIENCE, FileWatch
from producer.errors import FileProblem, InvalidCameraFile

POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The file was read again: what holds now, and what changed. A camera that ran and is broken goes on as it was."""

    file: CameraFile
    changes: CatalogueChanges


@dataclass(frozen=True, slots=True)
class Rejected:
    """The file cannot be used, and everything stays as it was. Each new reason is told once."""

    problems: tuple[FileProblem, ...]


News = Reloaded | Rejected


def load(path: Path, environment: Mapping[str, str], *, patience: float = PATIENCE) -> "Reloader":
    """Read the file for the first time, with what its sources may take from `environment` (`variables`).

    Raises InvalidCameraFile, also if the file cannot be read at all.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidCameraFile([_unreadable(error)]) from None
    meant = variables(path, environment)
    current = read_cameras(content, meant)
    watch = FileWatch(path, content, largest=MAX_BYTES, patience=patience)
    return Reloader(watch, content, current, meant, lambda: variables(path, environment))


class Reloader:
    """Keeps the last good state of the file. Call `poll` from any thread, but from one at a time."""

    def __init__(
        self,
        watch: FileWatch,
        content: bytes,
        current: CameraFile,
        meant: Mapping[str, str],
        variables: Callable[[], Mapping[str, str]],
    ) -> None:
        """`current` is what `content` says with the variables `meant`; `variables` tells what those are later."""
        self.current = current
        self._content = content
        self._watch = watch
        self._meant = self._looked = meant
        self._variables = variables
        self._unusable: tuple[FileProblem, ...] = ()  # what is wrong with the content that is there now
        self._told: tuple[FileProblem, ...] = ()

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._watch.path

    def poll(self, now: float) -> News | None:
        """The news at `now` (monotonic seconds), if there is any."""
        changes = CatalogueChanges()
        fresh = False
        try:
            meant = self._variables()
        except InvalidCameraFile as error:
            return self._rejected(error.problems)
        # Twice the same: whoever writes them is done.
        others = meant == self._looked and meant != self._meant
        self._looked = meant
        try:
            content = self._watch.look(now)
            if content is not None:
                self._unusable = ()
                read = read_cameras(content, meant)
                refuse_cut_off(content, read, self._content, self.current)
            elif others and self._watch.settled and not self._unusable:
                content, read = self._content, read_cameras(self._content, meant)
            if content is not None:
                read = keep_broken(self.current, read)
                changes, self.current, fresh = compare(self.current, read), read, True
                self._content, self._meant = content, meant
        except InvalidCameraFile as error:
            self._unusable = error.problems
        except OSError as error:
            return self._rejected((_unreadable(error),))
        if self._unusable:
            return self._rejected(self._unusable)
        if not self._watch.settled:
            return None
        recovered, self._told = bool(self._told), ()
        return Reloaded(self.current, changes) if fresh or recovered else None

    def _rejected(self, problems: tuple[FileProblem, ...]) -> Rejected | None:
        if problems == self._told:
            return None
        self._told = problems
        return Rejected(problems)


async def follow(reloader: Reloader, tell: Callable[[News], None], *, interval: float = POLL_SECONDS) -> None:
    """Poll for ever, in a thread since 10,000 cameras take a second to read, and tell the event loop what is new."""
    while True:
        await asyncio.sleep(interval)
        news = await asyncio.to_thread(reloader.poll, time.monotonic())
        if news is not None:
            tell(news)


def _unreadable(error: OSError) -> FileProblem:
    return FileProblem(0, f"the file cannot be read: {error.strerror or type(error).__name__}")
