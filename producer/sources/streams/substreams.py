"""Chooses among several video streams: cameras and playlists offer the same picture in several sizes."""

from collections.abc import Sequence

ENOUGH = 640  # pixels of the longer side: detectors look at 320 to 640


def choose(sizes: Sequence[tuple[int, int]]) -> int:
    """The index of the size (width, height) to decode: the smallest that has `ENOUGH` pixels, else the largest.

    Among equal sizes the first is taken. Raises ValueError if there is none.
    """
    if not sizes:
        raise ValueError("no size to choose from")
    enough = [n for n, size in enumerate(sizes) if max(size) >= ENOUGH]
    if enough:
        return min(enough, key=lambda n: sizes[n][0] * sizes[n][1])
    return max(range(len(sizes)), key=lambda n: sizes[n][0] * sizes[n][1])
