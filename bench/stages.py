"""Where a frame's CPU time goes in a worker, stage by stage; and ONNX Runtime against OpenCV's own inference.

    MODEL_DIR=… python -m bench.stages [--footage FOLDER] [--detector yunet] [--frames 1000] [--quick]

Each stage in a loop of its own over the same pictures of 640x480, the median of rounds. The AMQP client's share is
a worker without any stage (`bench.relay`), and the last two lines a whole worker, both emptying a full queue on a
private RabbitMQ. WORKER_INPUT_SIZE changes the network's input.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from bench.candidates import candidates, yunet_file
from bench.command import command
from bench.load import drain
from bench.machine import facts
from bench.pictures import decoded, pictures
from bench.processes import Process, broker
from bench.tables import percent, table
from contract.result import Result, encode_result
from contract.task import Task, TaskForm, encode_task, parse_task
from producer.frames import Image
from worker.detection import Detections, decode
from worker.detection.image import DecodedImage
from worker.detection.onnx_session import session
from worker.detection.yunet import YuNet, resized
from worker.detection.yunet_network import PAD_TO, YuNetNetwork
from worker.processor import objects

ROUNDS = 5
THRESHOLD, OVERLAP, MOST = 0.5, 0.3, 5000
INPUTS = (320, 448, 640)
OTHER = ("parse", "write the result", "AMQP client")
"""Stages that are not decode and detect."""
FORMS = (TaskForm.BASE64, TaskForm.COMPACT)


def costs(
    stages: Mapping[str, Callable[[int], object]], count: int, rounds: int = ROUNDS
) -> dict[str, float]:
    """CPU ms of each `stage(n)` per call, n = 0 … count-1.

    The stages take turns; medians of the rounds, after one that warms up.
    """
    each: dict[str, list[float]] = {name: [] for name in stages}
    for _ in range(rounds + 1):
        for name, stage in stages.items():
            started = time.process_time()
            for n in range(count):
                stage(n)
            each[name].append(1000 * (time.process_time() - started) / count)
    return {name: statistics.median(measured[1:]) for name, measured in each.items()}


def cost(stage: Callable[[int], object], count: int, rounds: int = ROUNDS) -> float:
    """The same of one stage."""
    return costs({"it": stage}, count, rounds)["it"]


def parsing(images: Sequence[bytes], form: TaskForm) -> float:
    """A task's way from the message to the picture's bytes."""
    bodies = [
        encode_task(Task(image=image, timestamp=1.0, camera_id="c", frame_id="f"), form) for image in images
    ]
    return cost(
        lambda n: parse_task(
            bodies[n].body, content_type=bodies[n].content_type, headers=bodies[n].headers, message_id=None
        ),
        len(images),
    )


def fitted(image: Image, side: int) -> tuple[int, int]:
    """Width and height of the picture when its longer side has `side` pixels."""
    scale = side / max(image.shape[:2])
    return round(image.shape[1] * scale), round(image.shape[0] * scale)


def padded(image: Image) -> Image:
    """On the right and at the bottom, to what the network takes."""
    height, width = (-(-side // PAD_TO) * PAD_TO for side in image.shape[:2])
    right, bottom = width - image.shape[1], height - image.shape[0]
    return np.asarray(cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_CONSTANT), np.uint8)


def stages(name: str, images: Sequence[bytes], model: Path) -> dict[str, tuple[float, float]]:
    """CPU ms by stage, for a task in base64 and in the compact form."""
    (candidate,) = candidates([name])
    detector = candidate.detector
    ready = [decode(image, detector.wants) for image in images]
    found = [detector.detect(image) for image in ready]
    loops: dict[str, Callable[[int], object]] = {
        "decode": lambda n: decode(images[n], detector.wants),
        "detect": lambda n: detector.detect(ready[n]),
    }
    if isinstance(detector, YuNet) and detector.wants.longer_side is not None:
        size = fitted(ready[0].pixels, detector.wants.longer_side)
        small = [resized(image.pixels, *size) for image in ready]
        network = YuNetNetwork(model.read_bytes())
        loops["resize"] = lambda n: resized(ready[n].pixels, *size)
        loops["fill the input, infer"] = lambda n: network.run(small[n])
    loops["write the result"] = lambda n: written(found[n], detector.model)
    measured = costs(loops, len(images))
    if "resize" in measured:
        parts = measured["resize"] + measured["fill the input, infer"]
        measured["post-process"] = measured.pop("detect") - parts
        measured["write the result"] = measured.pop("write the result")  # the last stage stands last
    parse = parsing(images, TaskForm.BASE64), parsing(images, TaskForm.COMPACT)
    return {"parse": parse} | {stage: (spent, spent) for stage, spent in measured.items()}


def written(found: Detections, model: str) -> bytes:
    """The result as a worker writes it."""
    result = Result(
        timestamp=1.0,
        original_timestamp=1.0,
        node_id="bench",
        detections=objects(found),
        camera_id="c",
        frame_id="f",
        width=640,
        height=480,
        model=model,
        status="ok",
        processing_seconds=0.001,
        queue_seconds=0.001,
    )
    return encode_result(result)


def inference(model: Path, images: Sequence[Image]) -> float:
    """ONNX Runtime alone, as a worker starts it, on inputs that are filled already."""
    runtime = session(model)
    blobs = [blob(image) for image in images]
    name = runtime.get_inputs()[0].name
    return cost(lambda n: runtime.run(None, {name: blobs[n]}), len(blobs))


def blob(image: Image) -> cv2.typing.MatLike:
    """float32 (1, 3, H, W) BGR."""
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32)


def engines(images: Sequence[Image], model: Path, side: int) -> tuple[float, float, float, float]:
    """CPU ms at an input of that longer side: ONNX Runtime, OpenCV dnn, our YuNet whole, OpenCV's YuNet whole."""
    sized = [np.asarray(cv2.resize(image, fitted(image, side)), np.uint8) for image in images]
    small = [padded(image) for image in sized]
    net = cv2.dnn.readNetFromONNX(str(model))
    names = net.getUnconnectedOutLayersNames()
    blobs = [blob(image) for image in small]

    def forward(n: int) -> object:
        net.setInput(blobs[n])
        return net.forward(names)

    theirs = cv2.FaceDetectorYN.create(str(model), "", sized[0].shape[1::-1], THRESHOLD, OVERLAP, MOST)
    (ours,) = candidates([f"yunet:{side}"])
    ready = [DecodedImage(image, *image.shape[1::-1]) for image in sized]
    count = len(small)
    return (
        inference(model, small),
        cost(forward, count, rounds=2),
        cost(lambda n: ours.detector.detect(ready[n]), count),
        cost(lambda n: theirs.detect(sized[n]), count, rounds=2),
    )


def processes(module: str, detector: str, url: str) -> list[Process]:
    """One worker, or what stands for it."""
    return [Process(module, url, PREFETCH="1", WORKER_DETECTOR=detector, WORKER_STALENESS_SECONDS="100000")]


def amqp(module: str, detector: str, images: Sequence[bytes], frames: int, url: str) -> tuple[float, float]:
    """CPU ms per frame of one such process, in both forms."""
    base64, compact = (
        1000
        / asyncio.run(
            drain(url, images, form, frames, partial(processes, module, detector, url))
        ).per_cpu_second
        for form in FORMS
    )
    return base64, compact


def main() -> None:
    parser = command(__doc__)
    parser.add_argument("--detector", default="yunet", help="haar, yunet, yunet:448, … (default: yunet)")
    parser.add_argument("--frames", type=int, default=1000, help="of the AMQP client and of the whole worker")
    arguments = parser.parse_args()
    frames = 300 if arguments.quick else arguments.frames
    images = pictures(arguments.footage)[: 60 if arguments.quick else None]
    model = yunet_file()
    progress("stages")
    measured = stages(arguments.detector, images, model)
    name, _, _ = arguments.detector.partition(":")
    with broker() as node:
        progress("AMQP client")
        measured["AMQP client"] = amqp("bench.relay", name, images, frames, node.amqp_url)
        progress("whole worker")
        whole = amqp("worker", name, images, frames, node.amqp_url)
    sums = [sum(column) for column in zip(*measured.values(), strict=True)]
    rest = [all_ - known for all_, known in zip(whole, sums, strict=True)]
    print(f"{facts()}\n{len(images)} pictures of 640x480, {arguments.detector}, CPU ms per frame\n")
    lines = {**measured, "sum": sums, "a whole worker": whole, "of it not in the sum": rest}
    rows: list[Sequence[object]] = [(label, *(f"{cpu:.3f}" for cpu in pair)) for label, pair in lines.items()]
    ours = sum(measured[label][0] for label in measured if label not in OTHER)
    rows.append(("decode and detect of it", *(percent(ours / all_) for all_ in whole)))
    print(table(("stage", *FORMS), rows))
    print("\nCPU ms per picture, one thread, pictures at the input's size already:\n")
    pixels = [decoded(image) for image in images[:30]]
    rows = []
    for side in INPUTS:
        progress(f"engines at {side}")
        each = engines(pixels, model, side)
        rows.append((str(side), *(f"{milliseconds:.2f}" for milliseconds in each)))
    print(
        table(
            ("input", "ONNX Runtime", "OpenCV dnn", "our YuNet, whole", "OpenCV's FaceDetectorYN, whole"),
            rows,
        )
    )


def progress(what: str) -> None:
    """A line on standard error."""
    print(f"{what} …", file=sys.stderr)


if __name__ == "__main__":
    main()
