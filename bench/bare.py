"""Decode and detect in a bare loop: what a frame costs without queue, threads and messages."""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.candidates import candidates


def bare(name: str, images: Sequence[bytes], frames: int, copies: int = 1) -> float:
    """CPU ms of decode and detect per frame by the detector of that name (see `bench.candidates`).

    In `copies` processes at once: as many as there are workers, which share caches and memory in the same way.
    """
    with ProcessPoolExecutor(copies, mp_context=get_context("spawn")) as pool:
        each = list(pool.map(_loop, [name] * copies, [list(images)] * copies, [frames] * copies))
    return sum(each) / copies


def _loop(name: str, images: Sequence[bytes], frames: int) -> float:
    (candidate,) = candidates([name])
    for image in images[:10]:
        candidate.detect(image)
    started = time.process_time()
    for n in range(frames):
        candidate.detect(images[n % len(images)])
    return 1000 * (time.process_time() - started) / frames
