"""One camera in the process that decodes it: its thread, from opening the source to the last word."""

import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing

from producer.errors import SourceError
from producer.frames import Skipped
from producer.sources.pacing import Playback, Rate, Sampling, Timeline
from producer.sources.streams.decoder import Decoded, decode, encoded
from producer.sources.streams.failures import failure
from producer.sources.streams.keyframes import Keyframes
from producer.sources.streams.messages import DecodeRequest, News
from producer.sources.streams.outbox import Closed, Outbox, Shot


class CameraReader:
    """Reads one camera. `run` is the camera's own thread; all other methods are called from other threads.

    `file` is the descriptor of an open file that is read instead of the requested address, and closed.
    """

    def __init__(
        self, camera: int, request: DecodeRequest, send: Callable[[News], None], file: int | None = None
    ) -> None:
        self._request = request
        self._file = file
        self._outbox = Outbox(camera, send)
        self._keyframes = Keyframes()
        self._keyframes.asked = request.keyframes_only
        # Monotonic: since when FFmpeg has been at work; None while it waits for us.
        self._calling: float | None = None
        self._number = 0

    def run(self) -> None:
        """Read until the source ends or fails, or until `close`."""
        try:
            self._read()
        except Closed:
            pass
        except SourceError as error:
            self._outbox.end(error.reason, str(error))
        except MemoryError as error:
            failed = failure(error, self._request.shown)
            self._outbox.end(failed.reason, str(failed))
        except Exception as error:
            # One camera's surprise must not end the others. Its message is left out, since it may hold the address.
            traceback.print_tb(error.__traceback__)
            print(type(error).__name__, file=sys.stderr)
            self._outbox.end(
                "error", f"{self._request.shown}: an unexpected error; the producer's log has the place"
            )
        else:
            self._outbox.end()
        finally:
            self._calling = None
            if self._file is not None:
                os.close(self._file)

    def take(self) -> None:
        """Note that the producer took the last picture."""
        self._outbox.take()

    def keyframes_only(self, on: bool) -> None:
        self._keyframes.asked = on

    def close(self) -> None:
        """End the thread as soon as FFmpeg returns."""
        self._outbox.close()

    def busy(self) -> float | None:
        """Seconds that the present call into FFmpeg has taken so far; None while there is none."""
        since = self._calling
        return None if since is None else time.monotonic() - since

    def _beat(self) -> None:
        self._calling = time.monotonic()

    def _read(self) -> None:
        request, pace = self._request, self._request.pace
        timeline, sampling, playback, rate = Timeline(), Sampling(request.fps), Playback(), Rate(request.fps)
        lasts = 0.0
        with closing(decode(request, self._keyframes, self._beat, self._file)) as items:
            for item in items:
                self._calling = None
                if isinstance(item, Skipped):
                    self._outbox.skip(item.reason, item.detail)
                    continue
                lasts = item.lasts
                number, self._number = self._number, self._number + 1
                at = timeline.at(item.media, item.lasts)
                # A live picture is as new as its arrival, whatever clock its camera has.
                wanted = rate.wants(time.monotonic()) if pace == "live" else sampling.wants(at)
                if number < request.skip:
                    continue
                if not wanted:
                    self._outbox.skip("rate")
                    continue
                if pace == "media":
                    self._wait(playback.delay(at, time.monotonic()))
                self._put(item, number)
        if pace == "media" and self._number:
            self._wait(min(lasts, Timeline.GAP))  # the last frame is shown as long as it lasts, too

    def _put(self, item: Decoded, number: int) -> None:
        timestamp = time.time()
        self._beat()
        jpeg = encoded(item.frame, self._request.shown, self._request.quality)
        self._calling = None
        self._outbox.put(Shot(timestamp, jpeg, number), wait=self._request.pace != "live")

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._outbox.pause(seconds)
