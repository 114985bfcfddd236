"""Windows: stretches of a video that are analysed as one. Pure."""

from collections.abc import Iterable

from msgspec import Struct


class WindowSpan(Struct):
    """A window of a video as far as it was seen: its first and its last picture, in seconds; how many there were."""

    number: int
    started: float
    ended: float
    samples: int = 0
    analysed: int = 0


def without_contained(spans: Iterable[WindowSpan]) -> list[WindowSpan]:
    """Leave out windows that hold nothing of their own: the video, or a scene, ended within the one before."""
    kept: list[WindowSpan] = []
    for span in spans:
        if not kept or span.ended > kept[-1].ended:
            kept.append(span)
    return kept


class Windows:
    """Windows of `length` seconds, each of which shares `overlap` seconds with the next; anew after every cut.

    Whatever takes no longer than the overlap lies whole in at least one window, and no window holds a cut.
    """

    def __init__(self, length: float, overlap: float) -> None:
        self._length = length
        self._step = length - overlap
        self._first = 0  # number of the scene's first window
        self._begin = 0.0  # of the scene
        self._last = -1  # the highest number so far

    def cut(self, time: float) -> None:
        """A new scene begins."""
        self._begin = time
        self._first = self._last + 1

    def at(self, time: float) -> tuple[int, ...]:
        """The numbers of the windows that hold this time, which is no earlier than the one before."""
        since = max(0.0, time - self._begin)
        newest = int(since // self._step)
        oldest = newest
        while oldest > 0 and since < (oldest - 1) * self._step + self._length:
            oldest -= 1
        self._last = max(self._last, self._first + newest)
        return tuple(range(self._first + oldest, self._first + newest + 1))
