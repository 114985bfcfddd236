"""Services whose own code is ours, with one function replaced: how a test puts a fault at an exact place.

Python imports `sitecustomize` from PYTHONPATH in every process, spawned children included: what is replaced in a
worker is replaced in the child that computes its suspects, too.
"""

import os
from pathlib import Path

from tests.helpers.processes import ROOT

DEADLY_PICTURE = """
import os, signal
from worker.detection.haar import Haar

detect = Haar.detect

def deadly(self, image):
    if image.pixels.mean() > 250:
        os.kill(os.getpid(), signal.SIGSEGV)
    return detect(self, image)

Haar.detect = deadly
"""
"""A detector that crashes the process on a white picture, as a bug in a native library does."""

DIES_BEFORE_ACKNOWLEDGING = """
import os
from broker.consumer import Delivery

Delivery.ack = lambda self: os._exit(9)
"""
"""A worker that ends when the broker has confirmed the result and the frame is about to be acknowledged."""

CRASHING_BROKER_THREAD = """
from worker.service import Worker

beat, beats = Worker._beat, []

def crashing(self):
    beats.append(None)
    if len(beats) > 2:
        raise RuntimeError("no such thing")
    beat(self)

Worker._beat = crashing
"""
"""The thread that talks to the broker ends with the third heartbeat."""


def slow_picture(marker: Path) -> str:
    """A detector that computes a white picture for a minute, and says in `marker` that it has begun."""
    return f"""
import time
from pathlib import Path
from worker.detection.haar import Haar

detect = Haar.detect

def slow(self, image):
    if image.pixels.mean() > 250:
        Path({str(marker)!r}).touch()
        time.sleep(60)
    return detect(self, image)

Haar.detect = slow
"""


def unhurried(seconds: float) -> str:
    """A detector that takes so much longer for every picture, without using the processor for it."""
    return f"""
import time
from worker.detection.haar import Haar

detect = Haar.detect

def slow(self, image):
    time.sleep({seconds!r})
    return detect(self, image)

Haar.detect = slow
"""


def shifted_clock(seconds: float) -> str:
    """The wall clock of the whole process goes wrong by so many seconds; the monotonic one does not."""
    return f"""
import time

right = time.time
time.time = lambda: right() + {seconds!r}
"""


def stepped_clock(marker: Path, seconds: float) -> str:
    """The wall clock of the whole process is so many seconds off while there is a file `marker`."""
    return f"""
import os
import time

real_time = time.time
time.time = lambda: real_time() + ({seconds!r} if os.path.exists({str(marker)!r}) else 0.0)
"""


def patch(folder: Path, code: str) -> dict[str, str]:
    """The environment in which a process of ours runs `code` before anything else."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
