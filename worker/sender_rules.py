"""What a sender's tasks are called, and what they may ask for. Pure."""

from typing import TypeVar

import msgspec

from contract.errors import InvalidTask
from contract.failures import FailureReason
from contract.identifiers import CANARY_CAMERA
from contract.models import parse_model_spec
from contract.senders import Sender
from contract.task import DEFAULT_CAMERA_ID, Task, TaskHead
from worker.settings import AUTO

Named = TypeVar("Named", Task, TaskHead)


def renamed(task: Named, sender: Sender | None) -> Named:
    """Return the task with the names by which everybody knows its camera and frame. Raises InvalidTask.

    A camera called `default` is the one that a task does not name.
    """
    if sender is None:
        return task
    camera_id = None if task.camera_id == DEFAULT_CAMERA_ID else task.camera_id
    named = sender.camera(camera_id)
    if named == CANARY_CAMERA:  # nobody would ever see its results
        raise InvalidTask(
            FailureReason.NOT_ALLOWED,
            f"`camera_id` is {named}, which is the gateway's own camera: call yours something else",
        )
    return msgspec.structs.replace(task, camera_id=named, frame_id=sender.frame(task.frame_id))


def check_model(model: str | None, sender: Sender | None) -> None:
    """Check that the sender's tasks may name that model. Raises InvalidTask, InvalidModelSpec."""
    if sender is None or model is None or model == AUTO:
        return
    refused = [name for name in parse_model_spec(model).names if name not in sender.models]
    if refused:
        allowed = f"only {', '.join(sender.models)}" if sender.models else "none"
        raise InvalidTask(
            FailureReason.NOT_ALLOWED,
            f"`model` is {model}, and the sender {sender.name} may name {allowed}: leave `model` out, or ask the "
            f"operator for {', '.join(refused)} (framefleet senders set {sender.name} --models …)",
        )


def too_many_cameras(sender: Sender) -> str:
    """Say why a frame of one camera more is not computed."""
    return (
        f"the sender {sender.name} has used {sender.max_cameras} cameras within a day and may use no more: send with "
        f"their names, or ask the operator (framefleet senders set {sender.name} --max-cameras …)"
    )


def smaller(most: int, sender: Sender | None) -> str:
    """Say what to do about a picture of more than `most` pixels, which is the sender's limit or the worker's own."""
    if sender is None or most < sender.max_pixels:
        return "send it smaller, or have the operator raise WORKER_MAX_PIXELS"
    return f"send it smaller, or ask the operator (framefleet senders set {sender.name} --max-pixels …)"
