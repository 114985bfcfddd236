"""Reads a video in a process of its own: FFmpeg hangs and crashes at what strangers made; that costs the one video."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from batch.video.errors import VideoError
from batch.video.file import video_file
from batch.video.messages import LARGEST, LENGTH_BYTES, EncodedSample, Ended, Word, parse_word
from batch.video.report import VideoReport
from batch.video.settings import VideoSettings
from runtime.confinement import bare

MODULE = "batch.video.child"
MEMORY = 2_000_000_000
"""Bytes: a decoder of 8K video needs one of them."""
STUCK_SECONDS = 60.0
"""A process that says nothing for so long is ended: each picture takes milliseconds, unless all are thinned out."""
LOOK_SECONDS = 0.1


def confined_samples(
    path: Path,
    settings: VideoSettings | None = None,
    *,
    shown: str | None = None,
    finished: Callable[[], bool] | None = None,
    counted: Callable[[VideoReport], None] = lambda report: None,
    stopped: Callable[[], bool] | None = None,
    memory: int = MEMORY,
    stuck_seconds: float = STUCK_SECONDS,
) -> Generator[EncodedSample]:
    """Yield the samples of a video that a confined process reads; those to be analysed as JPEG. In bounded memory.

    It may be left at any sample, and then the process is ended. The same video and settings give the same samples, so
    a job that goes on skips those it has, by their `index`.

    Args:
        path: The video.
        settings: What is looked at, and how; the defaults without.
        shown: What the video is called in sentences; the name of its file without.
        finished: Of a file that is still written: tells whether it is complete. It is read as it grows.
        counted: Is told the report, once, at the end.
        stopped: Asked many times a second: once it is true no more samples come, and no report.
        memory: Bytes that the process may use.
        stuck_seconds: A process that gives no sign for so long is ended; while an upload pauses it gives signs.

    Raises:
        VideoError: It is not a video, cannot be read on, or its process crashed or hung. What was yielded before holds.
    """
    settings = settings or VideoSettings()
    shown = shown or path.name
    with video_file(path, shown, growing=finished is not None) as file:
        child = _Child(file, settings, memory, stopped, growing=finished is not None)
    try:
        while not child.stopped():
            word = child.word(stuck_seconds, shown, finished)
            if isinstance(word, EncodedSample):
                yield word
            elif isinstance(word, Ended):
                counted(word.report)
                if word.reason is not None:
                    raise VideoError(word.reason, word.sentence.replace("the video", shown, 1))
                return
    except _Stopped:
        return
    finally:
        child.end()


class _Stopped(Exception):
    """Nobody wants the rest."""


class _Child:
    """The process, and what it says."""

    def __init__(
        self,
        file: IO[bytes],
        settings: VideoSettings,
        memory: int,
        stopped: Callable[[], bool] | None,
        *,
        growing: bool,
    ) -> None:
        self._asked = growing or stopped is not None
        self.stopped = stopped or (lambda: False)
        arguments = [str(memory), msgspec.json.encode(settings).decode()]
        theirs, self._upload = os.pipe() if growing else (-1, -1)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE, *arguments, *([str(theirs)] if growing else [])],
                stdin=file,
                stdout=subprocess.PIPE,
                cwd="/",
                env=bare(os.environ, network=False),
                pass_fds=[theirs] if growing else [],
                start_new_session=True,  # it has a nice value among all sessions, then
            )
        finally:
            if growing:
                os.close(theirs)
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self._words = self._process.stdout
        os.set_blocking(self._words.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._words, selectors.EVENT_READ)

    def word(self, patience: float, shown: str, finished: Callable[[], bool] | None) -> Word:
        """The next message. Raises VideoError if there is none."""
        until = time.monotonic() + patience
        head = self._exactly(LENGTH_BYTES, until, shown, finished)
        length = int.from_bytes(head)
        if length > LARGEST:
            raise VideoError(
                "crashed", f"the process that reads {shown} sent what cannot be read: please report it"
            )
        try:
            return parse_word(self._exactly(length, until, shown, finished))
        except msgspec.DecodeError:
            raise VideoError(
                "crashed", f"the process that reads {shown} sent what cannot be read: please report it"
            ) from None

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._selector.close()
        self._upload_is_complete()
        with suppress(ProcessLookupError):
            self._process.kill()
        self._words.close()
        self._process.wait()

    def _exactly(self, size: int, until: float, shown: str, finished: Callable[[], bool] | None) -> bytearray:
        data = bytearray()
        while len(data) < size:
            if self._upload >= 0 and finished is not None and finished():
                self._upload_is_complete()
            if self.stopped():
                raise _Stopped
            wait = LOOK_SECONDS if self._asked else until - time.monotonic()
            if self._selector.select(max(0.0, wait)):
                more = os.read(self._words.fileno(), min(size - len(data), 1 << 20))
                if not more:
                    raise self._gone(shown)
                data += more
            elif time.monotonic() >= until:
                raise VideoError("stuck", f"{shown} makes FFmpeg hang: it was given up")
        return data

    def _gone(self, shown: str) -> VideoError:
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return VideoError(
                "memory", f"the process that reads {shown} was killed: perhaps it needs too much memory"
            )
        if code >= 0:
            return VideoError("reader_failed", f"the process that reads {shown} ended with status {code}")
        return VideoError("crashed", f"{shown} makes FFmpeg crash ({signal.Signals(-code).name})")

    def _upload_is_complete(self) -> None:
        if self._upload >= 0:
            os.close(self._upload)
            self._upload = -1
