"""`python -m batch.video.child MEMORY SETTINGS [FINISHED]`: reads the video at its standard input, confined.

SETTINGS are VideoSettings as JSON; FINISHED is the descriptor of a pipe that is closed once an upload is complete. It
says on its standard output what it found (`messages`).
"""

import faulthandler
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import BinaryIO

import av.logging
import cv2
import msgspec

from batch.video.errors import VideoError
from batch.video.growing import GrowingFile
from batch.video.messages import EncodedSample, Ended, UploadPause, send
from batch.video.report import VideoReport
from batch.video.samples import Sample, encoded, samples
from batch.video.settings import VideoSettings
from runtime.confinement import confine
from runtime.priority import group_gives_way

NICE = 10
"""Whoever decodes for a job stands back for cameras, if whoever started it does not yet."""
MOST_WORDS = 300  # of an exception, in characters
WORD_SECONDS = 0.5  # between two words that it waits


def main() -> int:
    """Read the video, and end."""
    memory, settings = int(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=VideoSettings)
    if settings.windows == "scene":
        import batch.video.cuts  # noqa: F401 - too late, once it is confined
    group_gives_way(os.nice(max(0, NICE - os.nice(0))))
    for failed in confine(memory=memory, network=False):
        print(f"the process that reads a video is not confined by {failed}", file=sys.stderr)
    faulthandler.enable()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # are for whoever started it, who ends it
        signal.signal(number, signal.SIG_IGN)
    cv2.setNumThreads(1)
    av.logging.set_level(None)
    words = sys.stdout.fileno()
    file: BinaryIO | GrowingFile = sys.stdin.buffer
    if len(sys.argv) > 3:
        file = GrowingFile(sys.stdin.buffer, _closed(int(sys.argv[3])), _telling(words))
    report = VideoReport()
    try:
        for sample in samples(file, settings, report, shown="the video"):
            send(words, _encoded(sample, settings.quality))
        send(words, Ended(report))
    except VideoError as error:
        send(words, Ended(report, error.reason, str(error)))
    except MemoryError:
        send(words, Ended(report, "memory", "the video needs more memory than a video may take"))
    except BrokenPipeError:
        os._exit(0)  # nobody wants to know any more
    except Exception as error:  # what PyAV and OpenCV raise has many names; it costs this video, and is told
        traceback.print_exc()
        said = f"{type(error).__name__}: {error}"[:MOST_WORDS]
        send(words, Ended(report, "reader_failed", f"the video could not be read ({said})"))
    return 0


def _encoded(sample: Sample, quality: int) -> EncodedSample:
    image = sample.image
    return EncodedSample(
        index=sample.index,
        time=sample.time,
        windows=sample.windows,
        why=sample.why,
        reuse_of=sample.reuse_of,
        size=sample.size,
        width=0 if image is None else image.shape[1],
        height=0 if image is None else image.shape[0],
        jpeg=None if image is None else encoded(image, quality),
    )


def _closed(pipe: int) -> Callable[[], bool]:
    poll = select.poll()
    poll.register(pipe, select.POLLIN | select.POLLHUP)
    return lambda: bool(poll.poll(0))


def _telling(words: int) -> Callable[[], None]:
    said = float("-inf")

    def tell() -> None:
        nonlocal said
        if time.monotonic() - said >= WORD_SECONDS:
            said = time.monotonic()
            send(words, UploadPause())

    return tell


if __name__ == "__main__":
    sys.exit(main())
