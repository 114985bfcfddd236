"""What surrounds a frame that nobody has seen: its camera's state, and what waits in the queues."""

from collections.abc import Mapping

from contract.api.why import WitnessView
from contract.topology import RESULT_QUEUE, RETRY_QUEUES, Lane
from gateway.cameras.cameras import Cameras

_TASKS = tuple(lane.queue for lane in Lane)


def camera_word(cameras: Cameras, camera_id: str | None, now: float) -> WitnessView:
    """The state of the frame's camera; `now` is monotonic."""
    if camera_id is None:
        return WitnessView("camera", "not_asked", "the id does not tell which camera the frame is of")
    if not cameras.knows(camera_id):
        return WitnessView("camera", "nothing", f"no camera {camera_id} was heard of in the last day")
    view = cameras.view(camera_id, now)
    reason = f": {view.reason}" if view.reason else ""
    return WitnessView("camera", "found", f"{camera_id} is {view.state}{reason}")


def queues_word(waiting: Mapping[str, int], consumers: Mapping[str, int], trouble: str) -> WitnessView:
    """What waits in queues, by name, ready messages; `trouble` says why results cannot be recorded."""
    recording = f"; results cannot be recorded: {trouble}" if trouble else ""
    if not waiting:
        return WitnessView("queues", "unavailable", f"RabbitMQ does not tell how many frames wait{recording}")
    told = [
        f"{queue} holds {count:,} frame{'' if count == 1 else 's'}"
        + ("" if consumers.get(queue) else ", and no worker consumes it")
        for queue, count in sorted(waiting.items())
        if count and (queue in _TASKS or queue.startswith(tuple(f"{each}.from." for each in _TASKS)))
    ]
    if again := sum(waiting.get(queue, 0) for queue in RETRY_QUEUES):
        told.append(f"{again:,} wait for another attempt")
    if unrecorded := waiting.get(RESULT_QUEUE, 0):
        told.append(f"{unrecorded:,} results wait to be recorded")
    if told:
        return WitnessView(
            "queues", "found", f"{'; '.join(told)}{recording}. Which ones, RabbitMQ does not tell"
        )
    words = f"no frame waits in a queue, and no result to be recorded{recording}"
    return WitnessView("queues", "nothing", words)
