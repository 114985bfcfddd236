"""A worker without a broker, in a process of its own: `python -m cli.plan.worker_side`, see `meter.answer`.

The worker's own settings, detector and way of a message (`Processor`): from the task's bytes to the result's.
"""

import math
import time
from typing import Any

from cli.plan.meter import answer, given_pictures, milliseconds, resident_bytes
from contract.task import Task, TaskForm, encode_task

SECONDS = 2.0


def measure(question: dict[str, Any]) -> dict[str, Any]:
    """CPU ms per frame, the model's name, why it is not the best one if so, and the process's memory in bytes.

    Raises ValueError, ModelUnavailable, UnknownModel, InvalidRegistry.
    """
    import cv2

    import worker.service  # noqa: F401 - not used here, but a worker has it in its memory
    from contract.result import encode_result
    from worker.processor import Computed, make_processor
    from worker.settings import WorkerSettings
    from worker.switchboard import Switchboard

    cv2.setNumThreads(1)  # as a worker does
    settings = WorkerSettings(detector=question["model"], device="cpu", staleness_seconds=math.inf)
    switchboard = Switchboard(settings)
    processor = make_processor(settings, switchboard)
    form = TaskForm(question["form"])
    tasks = [
        encode_task(Task(image=image, timestamp=time.time(), camera_id="plan", frame_id=str(n)), form)
        for n, image in enumerate(given_pictures(question))
    ]

    def step(n: int) -> None:
        task = tasks[n % len(tasks)]
        done = processor.process(
            task.body, content_type=task.content_type, headers=task.headers, message_id=None, waited=0.0
        )
        if not isinstance(done, Computed):
            raise ValueError(f"the model does not compute the picture: {done}")  # noqa: TRY004
        encode_result(done.result)

    spent = milliseconds(step, SECONDS)
    routes = switchboard.routes
    return {
        "frame": spent,
        "model": routes.default.model,
        "fallback": routes.fallback,
        "resident": resident_bytes(),
    }


if __name__ == "__main__":
    answer(measure)
