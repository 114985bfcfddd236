"""Knows the cameras that are wanted: those of SOURCE for good, or those of cameras.yaml as it changes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contract.status import CameraFileProblem, CameraFileTrouble
from producer.catalogue.file.reload import News, Rejected, Reloader, follow
from producer.catalogue.settings import CameraSettings, of_config
from producer.errors import FileProblem
from producer.metrics import ProducerMetrics
from producer.settings import ProducerSettings
from runtime.logs import get_logger

log: Any = get_logger("producer")

PROBLEMS_SAID = 10
"""So many mistakes of the file go into a heartbeat; `framefleet cameras check` finds all."""
TEXT_SAID = 500


class Roster:
    """`cameras` by id: those that any producer could serve are `shared`, the others this one's `own`.

    With a `reloader` they follow its file; `trouble` is what is wrong in that now.
    """

    def __init__(
        self,
        cameras: Sequence[CameraSettings],
        settings: ProducerSettings,
        metrics: ProducerMetrics,
        reloader: Reloader | None = None,
    ) -> None:
        self.reloader = reloader
        self.trouble: CameraFileTrouble | None = None
        self._settings = settings
        self._metrics = metrics
        if reloader is not None:
            self._read(reloader)
        else:
            self._set(cameras)

    async def run(self, changed: Callable[[], None]) -> None:
        """Follow the file for ever, if there is one; `changed()` is called after each change of `cameras`."""
        if self.reloader is None:
            return
        reloader = self.reloader

        def tell(news: News) -> None:
            if isinstance(news, Rejected):
                self._metrics.file_problems.set(len(news.problems))
                self._note(reloader, news.problems, used=False)
                for problem in news.problems:
                    log.error("the file of cameras cannot be used: all stays as it was", problem=str(problem))
                return
            self._read(reloader)
            changes = news.changes
            log.info(
                "the file of cameras was read again",
                cameras=len(self.cameras),
                added=len(changes.added),
                removed=len(changes.removed),
                changed=len(changes.changed),
                problems=len(news.file.problems),
            )
            changed()

        await follow(reloader, tell)

    def _read(self, reloader: Reloader) -> None:
        file = reloader.current
        self._metrics.file_read(len(file.problems))
        self._note(reloader, file.problems, used=True)
        for problem in file.problems:
            log.error("wrong in the file of cameras", problem=str(problem))
        self._set([of_config(config, self._settings) for config in file.cameras.values()])

    def _note(self, reloader: Reloader, problems: Sequence[FileProblem], *, used: bool) -> None:
        first = [
            CameraFileProblem(text=each.text[:TEXT_SAID], line=each.line, camera_id=each.camera_id)
            for each in problems[:PROBLEMS_SAID]
        ]
        self.trouble = (
            CameraFileTrouble(path=str(reloader.path), used=used, count=len(problems), problems=first)
            if problems
            else None
        )

    def _set(self, cameras: Sequence[CameraSettings]) -> None:
        self.cameras: Mapping[str, CameraSettings] = {wanted.camera_id: wanted for wanted in cameras}
        # Devices are this machine's own, and what ends is to be sent once.
        shared = (c.camera_id for c in cameras if self._settings.end == "loop" and c.spec.kind != "webcam")
        self.shared = frozenset(shared)
        self.own = frozenset(self.cameras) - self.shared
