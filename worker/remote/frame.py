"""A frame of the remote lane, between its task and its result. Pure."""

import time
from dataclasses import dataclass

from msgspec import UNSET

from contract.errors import InvalidModelSpec, InvalidTask
from contract.failures import FailureReason
from contract.picture import PictureError
from contract.remedies import WHOLE_PICTURE
from contract.result import Result
from contract.task import Task, parse_task
from worker.arrival import Arrival
from worker.detection import Detections
from worker.detection.image import TooManyPixels
from worker.processor import Computed, Failed, objects
from worker.remote.permission import Permission, not_allowed
from worker.remote.picture import FindFaces, PictureTooLarge, Prepared, prepare
from worker.remote.prices import DOLLAR
from worker.remote.settings import RemoteSettings
from worker.sender_rules import renamed, too_many_pixels


@dataclass(frozen=True)
class RemoteFrame:
    """A task whose picture may be sent, ready for it."""

    arrival: Arrival
    task: Task
    waited: float
    picture: Prepared
    began: float
    """`perf_counter`, when it was taken up."""


@dataclass(frozen=True)
class Opinion:
    """What is known of a picture: its detections, and a description."""

    found: Detections
    description: str
    width: int
    height: int


def receive(
    arrival: Arrival,
    permission: Permission,
    settings: RemoteSettings,
    max_pixels: int,
    hide: FindFaces | None,
) -> RemoteFrame | Failed:
    """Read a task and prepare its picture; never raises for what the message contains."""
    if arrival.refusal is not None:
        return arrival.refusal
    given, began = arrival.given(), time.perf_counter()
    sender = given.sender
    try:
        task = parse_task(
            given.body, content_type=given.content_type, headers=given.headers, message_id=given.message_id
        )
        task = renamed(task, sender)
    except InvalidTask as error:
        return Failed(error.reason, str(error))
    except InvalidModelSpec as error:
        return Failed(FailureReason.UNKNOWN_MODEL, str(error))
    if not permission.allows(task.camera_id):
        return not_allowed(task.camera_id)
    most = max_pixels if sender is None else min(max_pixels, sender.max_pixels)
    each = settings.remote_max_bytes // settings.remote_images
    try:
        picture = prepare(
            task.image, longest=settings.remote_max_side, most_bytes=each, max_pixels=most, hide=hide
        )
    except TooManyPixels as error:
        return Failed(FailureReason.TOO_MANY_PIXELS, too_many_pixels(str(error), max_pixels, sender))
    except PictureTooLarge as error:
        return Failed(FailureReason.TOO_LARGE, str(error))
    except PictureError as error:
        return Failed(FailureReason.NOT_AN_IMAGE, f"{error}: {WHOLE_PICTURE}")
    return RemoteFrame(arrival, task, given.waited, picture, began)


def computed(
    frame: RemoteFrame, opinion: Opinion, *, node_id: str, model: str, cost: int, seconds: float
) -> Computed:
    """The frame with its result; `cost` in billionths of a dollar, `seconds` that the answer took."""
    task, sender = frame.task, frame.arrival.intake.sender
    result = Result(
        timestamp=time.time(),
        original_timestamp=task.timestamp,
        node_id=node_id,
        detections=objects(opinion.found),
        camera_id=task.camera_id,
        frame_id=task.frame_id,
        width=opinion.width,
        height=opinion.height,
        model=model,
        status="ok",
        processing_seconds=round(seconds, 6),
        queue_seconds=round(frame.waited, 6),
        sender=UNSET if sender is None else sender.name,
        description=opinion.description or UNSET,
        cost=round(cost / DOLLAR, 9),
    )
    return Computed(
        result, task.image, {"queue": frame.waited, "detect": seconds}, cached=cost == 0 and seconds == 0
    )
