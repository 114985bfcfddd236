"""Cameras as their producers and their results show them. Pure: `now` is monotonic, `wall` Unix time.

The word of the producer that serves a camera counts while that producer is heard; a camera of a plain client, which
no producer speaks for, is judged by its results. What nobody serves any more is offline, not gone.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from contract.api.cameras import CameraCountsView, CameraDetailView, CameraView, ShownState
from contract.result import Result
from contract.status import (
    CameraLabels,
    CameraReport,
    CamerasStatus,
    CameraStatus,
    ProducerStatus,
)
from gateway.camera_results import CameraResults
from gateway.cameras.admission import ghost, sender_of
from gateway.cameras.camera import NO_LABELS, Judgement, KnownCamera, age_of, deserted, judge
from gateway.cameras.file_notices import file_notices
from gateway.cameras.masks import shown_masks
from gateway.cameras.producers import HAND_OVER_SECONDS, KnownProducer, Producers, spokesman
from gateway.hearing import UNBROKEN, Hearing

FORGET_AFTER_SECONDS = 24 * 3600.0
SUCCEEDED_SECONDS = 600.0
"""How long a camera is shown as offline whose producer was lost and came back without it."""
RETIRED_SECONDS = 120.0
"""How long a camera is shown whose producer was stopped: by then whoever restarts it has done so."""
LATE_SECONDS = 30.0
"""So long after a camera was removed its results are those of frames that were under way."""
FORGOTTEN_SECONDS = 120.0
"""So long after that it is known that a camera was removed: its producer says it for a minute."""
MAX_CAMERAS = 10_000


class Shown(NamedTuple):
    """What dashboards are told of a camera when it changes; what changes with every result is not in it."""

    state: ShownState
    reason: str | None
    since: float
    still: bool
    fps: float | None
    producer_id: str | None
    labels: CameraLabels
    width: int | None
    height: int | None
    sender: str | None


class Cameras:
    """All cameras of the last day, at most 10,000: further ones are left out until there is room.

    `lanes(now)`: those that have a worker. `down()`: the queues that RabbitMQ cannot use. `hearing`: whether a silence
    is others' or the gateway's own. `removed(sender)`: whether the operator has removed it.
    """

    def __init__(
        self,
        lanes: Callable[[float], Collection[str]],
        down: Callable[[], Collection[str]] = tuple,
        hearing: Hearing = UNBROKEN,
        removed: Callable[[str], bool] = lambda sender: False,
    ) -> None:
        self._lanes = lanes
        self._down = down
        self._hearing = hearing
        self._removed = removed
        self.served_twice = 0
        """Cameras that several living producers named when `shown` was last asked."""
        self.unserved = 0
        """Cameras that `shown` found without a producer, whose last one was neither stopped nor had let them go."""
        self._cameras: dict[str, KnownCamera] = {}
        self._ordered: list[KnownCamera] | None = None  # by id; None: to be sorted again
        self._producers = Producers()
        self._removals: dict[str, float] = {}  # until when results of removed cameras are late ones

    # --- what is heard -----------------------------------------------------------------------------------

    def paid(self, camera_id: str, dollars: float) -> None:
        """Take what a remote model's answer to one of its frames has cost."""
        if (camera := self._cameras.get(camera_id)) is not None:
            camera.cost += dollars

    def result(self, result: Result, now: float, wall: float) -> None:
        """Note the result of a frame that the live view took; a late one of a removed camera is none of a new one."""
        if now < self._removals.get(result.camera_id, now):
            return
        camera = self._camera(result.camera_id, now, wall)
        if camera is not None:
            camera.result, camera.result_wall = result, wall
            camera.results += 1
            camera.ages += age_of(result, wall)
            camera.sender = sender_of(result) or None
            camera.answered()
            camera.pace.add(now)

    def expired(self, result: Result) -> None:
        """Note that a worker found a frame too old to be computed."""
        camera = self._cameras.get(result.camera_id)
        if camera is not None:
            camera.expired = True

    def repeated(self, camera_id: str, frame_id: str, of: str, now: float, wall: float) -> bool:
        """Note a result of another frame than the first with that frame_id, which was one of the camera `of`.

        Returns whether this is new for the camera.
        """
        camera = self._cameras.get(camera_id)
        return camera is not None and camera.repeat(frame_id, of, now, wall)

    def heard_producer(self, status: ProducerStatus, now: float, wall: float) -> None:
        """Note a producer's heartbeat."""
        producer = self._producers.heard(status.producer_id, status.since, now, wall)
        if status.state == "stopped":
            producer.end = status.end or "asked"
        else:
            producer.offer = status.offer or producer.offer
            producer.file = status.file

    def heard_cameras(self, status: CamerasStatus, now: float, wall: float) -> int:
        """Note all the cameras that a producer serves. Returns how many of their frames it dropped meanwhile."""
        producer = self._producers.heard(status.producer_id, status.producer_since, now, wall)
        before = producer.reports
        producer.reports = {}
        dropped = sum(
            self._report(producer, before.get(report.camera_id), report, now, wall)
            for report in status.cameras
        )
        for camera_id in before.keys() - producer.reports.keys():
            self._withdraw(camera_id, producer, now, wall)
        for camera_id in status.removed[:MAX_CAMERAS]:
            self._remove(camera_id, producer, now, wall)
        return dropped

    def heard_camera(self, status: CameraStatus, now: float, wall: float) -> int:
        """Note what a producer says of one camera, at a change. Returns how many of its frames it dropped meanwhile."""
        producer = self._producers.heard(status.producer_id, None, now, wall)
        report = CameraReport(
            camera_id=status.camera_id,
            state=status.state,
            since=status.since,
            reason=status.reason,
            fps=status.fps,
            sent=status.sent,
            dropped=status.dropped,
            skipped=status.skipped,
            labels=status.labels,
            masks=status.masks,
        )
        return self._report(producer, producer.reports.get(status.camera_id), report, now, wall)

    def tidy(self, now: float) -> None:
        """Forget cameras and producers that are gone for good."""
        for camera_id in [
            camera_id for camera_id, camera in self._cameras.items() if self._gone(camera, now)
        ]:
            self._forget(camera_id)
        self._producers.tidy(now, FORGET_AFTER_SECONDS)
        self._removals = {
            camera_id: until
            for camera_id, until in self._removals.items()
            if now - until <= FORGOTTEN_SECONDS
        }

    # --- what is shown -----------------------------------------------------------------------------------

    def shown(self, now: float) -> Iterator[tuple[str, Shown]]:
        """Every camera as dashboards are to know it, in no order. Cheap: asked every second of all of them."""
        self.served_twice = self.unserved = 0
        for camera in self._cameras.values():
            state, reason, since, still = self._judge(camera, now)
            result, server = camera.result, camera.server
            yield (
                camera.camera_id,
                Shown(
                    state,
                    reason,
                    since,
                    still,
                    camera.pace.told(now),
                    server.producer_id if server is not None else None,
                    camera.labels,
                    result.width if result is not None else None,
                    result.height if result is not None else None,
                    camera.sender,
                ),
            )
            if len(camera.claims) > 1 and sum(claim.alive(now) for claim in camera.claims) > 1:
                self.served_twice += 1
            if state == "offline" and deserted(camera, now):
                self.unserved += 1

    def view(self, camera_id: str, now: float) -> CameraView:
        """One camera. Raises KeyError for an unknown one."""
        camera = self._cameras[camera_id]
        state, reason, since, still = self._judge(camera, now)
        result, labels = camera.result, camera.labels
        return CameraView(
            camera_id=camera.camera_id,
            state=state,
            reason=reason,
            since=since,
            name=labels.name,
            group=labels.group,
            location=labels.location,
            district=labels.district,
            still=still,
            fps=camera.pace.fps(now),
            last_result=camera.result_wall if result is not None else None,
            faces=len(result.detections) if result is not None else None,
            latency=max(0.0, result.timestamp - result.original_timestamp) if result is not None else None,
            width=result.width if result is not None else None,
            height=result.height if result is not None else None,
            producer_id=camera.server.producer_id if camera.server is not None else None,
            sender=camera.sender,
        )

    def detail(self, camera_id: str, now: float) -> CameraDetailView:
        """One camera with what its producer says of it besides. Raises KeyError for an unknown one."""
        view = self.view(camera_id, now)
        server = self._cameras[camera_id].server
        report = server.reports.get(camera_id) if server is not None else None
        if report is None:
            return CameraDetailView(view, [], masks_known=False, counts=None)
        counts = CameraCountsView(report.fps, report.sent, report.skipped, report.dropped)
        masks = shown_masks(report.masks)
        return CameraDetailView(view, masks or [], masks_known=masks is not None, counts=counts)

    def notices(self, now: float) -> list[str]:
        """What is wrong in files of cameras, a sentence each."""
        return file_notices(self._producers.file_troubles(now))

    def views(self, now: float) -> list[CameraView]:
        """Every camera, by id. Takes 6 µs each: for a page of many cameras, choose from `known` first."""
        return [self.view(camera.camera_id, now) for camera in self.known()]

    def knows(self, camera_id: str) -> bool:
        """Whether there is such a camera."""
        return camera_id in self._cameras

    def slow(self, camera_id: str, now: float) -> bool:
        """Whether its next result may take longer than a second: known to be so, or the last one is older."""
        camera = self._cameras.get(camera_id)
        return camera is not None and camera.pace.slow(now)

    def known(self) -> Sequence[KnownCamera]:
        """Every camera, by id; not to be changed."""
        if self._ordered is None:
            self._ordered = sorted(self._cameras.values(), key=lambda camera: camera.camera_id)
        return self._ordered

    def announced(self, camera_id: str) -> bool:
        """Whether a producer speaks for the camera, or did, or has just removed it."""
        camera = self._cameras.get(camera_id)
        return (camera is not None and camera.server is not None) or camera_id in self._removals

    def removed_lately(self, camera_id: str) -> bool:
        """Whether its producer has said within the last minutes that the camera was taken out of its file."""
        return camera_id in self._removals

    def remote(self, camera_id: str, now: float) -> bool:
        """Whether a living producer says that the camera's frames may go to a remote model."""
        return self._producers.remote(camera_id, now)

    def state(self, camera: KnownCamera, now: float) -> ShownState:
        """What state a known camera is in."""
        return self._judge(camera, now).state

    def results(self) -> list[CameraResults]:
        """The results of every camera that had some. May be asked from any thread."""
        return [
            CameraResults(each.camera_id, each.result_wall, each.results, each.ages, each.cost)
            for each in list(self._cameras.values())
            if each.results
        ]

    def labels(self, camera_id: str) -> CameraLabels:
        """What people call it; nothing of a camera that is not known. May be asked from any thread."""
        camera = self._cameras.get(camera_id)
        return camera.labels if camera is not None else NO_LABELS

    # --- inside ------------------------------------------------------------------------------------------

    def _judge(self, camera: KnownCamera, now: float) -> Judgement:
        return judge(camera, self._producers, now, self._lanes, self._down, self._hearing)

    def _camera(self, camera_id: str, now: float, wall: float) -> KnownCamera | None:
        """The camera, new if need be; None if there are too many."""
        camera = self._cameras.get(camera_id)
        if camera is None:
            if len(self._cameras) >= MAX_CAMERAS and not self._make_room(now):
                return None
            camera = self._cameras[camera_id] = KnownCamera(camera_id, now, wall)
            self._ordered = None
        return camera

    def _make_room(self, now: float) -> bool:
        """Forget the hundredth that was silent for longest, of those that no living producer names."""
        unserved = [c for c in self._cameras.values() if not any(claim.alive(now) for claim in c.claims)]
        unserved.sort(key=lambda camera: camera.heard)
        for camera in unserved[: 1 + MAX_CAMERAS // 100]:
            self._forget(camera.camera_id)
        return bool(unserved)

    def _forget(self, camera_id: str) -> None:
        self._ordered = None
        for producer in self._cameras.pop(camera_id).claims:
            producer.reports.pop(camera_id, None)

    def _report(
        self,
        producer: KnownProducer,
        before: CameraReport | None,
        report: CameraReport,
        now: float,
        wall: float,
    ) -> int:
        """Take a producer's word on a camera. Returns how many frames it has dropped since the one `before`."""
        lost = 0 if before is None else max(0, sum(report.dropped.values()) - sum(before.dropped.values()))
        camera = self._camera(report.camera_id, now, wall)
        if camera is None:
            return lost
        producer.reports[report.camera_id] = report
        if producer not in camera.claims:
            self._claim(camera, producer, now)
            before = None
        if before is None or report.state != "live":
            camera.begin_anew()
        else:
            dropped = {
                reason: count - before.dropped.get(reason, 0)
                for reason, count in report.dropped.items()
                if count > before.dropped.get(reason, 0)
            }
            camera.offered(max(0, report.sent - before.sent), dropped, now)
            if report.skipped > before.skipped:
                camera.skipped = now
        camera.reported = now
        if report.labels != camera.labels and producer is camera.server:
            camera.labels = report.labels or NO_LABELS
        return lost

    def _claim(self, camera: KnownCamera, producer: KnownProducer, now: float) -> None:
        """Note that another producer serves the camera: those that are dead, or an earlier life of it, no longer do."""
        for former in [each for each in camera.claims if _over(each, producer, now)]:
            camera.claims.remove(former)
            former.reports.pop(camera.camera_id, None)
        camera.claims.append(producer)
        camera.let_go, camera.removed = None, False
        self._removals.pop(camera.camera_id, None)
        camera.server = spokesman(camera.claims, camera.camera_id, camera.server, now)

    def _withdraw(self, camera_id: str, producer: KnownProducer, now: float, wall: float) -> None:
        camera = self._cameras.get(camera_id)
        if camera is None or producer not in camera.claims:
            return
        camera.claims.remove(producer)
        if camera.claims:
            camera.server = spokesman(camera.claims, camera_id, camera.server, now)
        else:
            camera.server, camera.let_go, camera.let_go_wall = producer, now, wall
            camera.removed = False

    def _remove(self, camera_id: str, producer: KnownProducer, now: float, wall: float) -> None:
        """Take a producer's word that a camera was taken out of its file: it goes, unless another one serves it."""
        camera = self._cameras.get(camera_id)
        if camera is not None and any(claim.alive(now) for claim in camera.claims):
            return
        news = camera_id not in self._removals
        if len(self._removals) < MAX_CAMERAS:
            self._removals.setdefault(camera_id, now + LATE_SECONDS)
        if camera is None or (camera.server is None and not news):
            return
        if camera.let_go is None:
            camera.let_go, camera.let_go_wall = now, wall
        camera.removed = True
        if not self._producers.undecided(producer, now):
            self._forget(camera_id)

    def _gone(self, camera: KnownCamera, now: float) -> bool:
        if camera.server is None and camera.sender is not None and self._removed(camera.sender):
            return True
        if camera.let_go is not None and camera.removed:
            return now - camera.let_go > HAND_OVER_SECONDS
        silent = now - camera.heard
        if camera.server is not None and camera.server.retired and camera.let_go is None:
            return min(silent, now - camera.server.heard) > RETIRED_SECONDS
        if silent <= SUCCEEDED_SECONDS:
            return False
        if silent > FORGET_AFTER_SECONDS:
            return True
        if camera.let_go is not None:
            return False
        if camera.server is None:
            return camera.sender is None and ghost(camera.results, silent)
        return self._producers.succeeded(camera.server, now)


def _over(former: KnownProducer, new: KnownProducer, now: float) -> bool:
    """Return whether a former producer of a camera is dead, or was an earlier life of the new one."""
    return not former.alive(now) or (former.producer_id == new.producer_id and former.since < new.since)
