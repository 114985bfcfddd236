"""What a file is, by its name: workers read JPEG and PNG; WebP becomes JPEG, and videos are taken apart into such
pictures.
"""

import os

PICTURE, VIDEO, SAMPLE = "picture", "video", "sample"
"""Kinds of items; a sample is a picture of a video."""

PICTURES = (b".jpg", b".jpeg", b".jpe", b".jfif", b".png", b".webp")
VIDEOS = (b".mp4", b".m4v", b".mov", b".avi", b".mkv", b".webm", b".flv", b".mts", b".m2ts", b".ts", b".wmv")
ZIPS = (b".zip", b".cbz")
TARS = (b".tar", b".tar.gz", b".tgz", b".tar.bz2", b".tbz2", b".tar.xz", b".txz")


def is_picture(name: bytes) -> bool:
    """Whether the name is that of a picture which workers read, or of which they read a copy."""
    return name.lower().endswith(PICTURES)


def is_video(name: bytes) -> bool:
    """Whether the name is that of a video."""
    return name.lower().endswith(VIDEOS)


def is_likely_video(name: bytes) -> bool:
    """Whether it is taken for a video where nobody named it: a folder's `.ts` are programs more often."""
    return is_video(name) and not name.lower().endswith(b".ts")


def is_zip(name: bytes) -> bool:
    """Whether the name is that of a zip archive."""
    return name.lower().endswith(ZIPS)


def is_tar(name: bytes) -> bool:
    """Whether the name is that of a tar archive, compressed or not."""
    return name.lower().endswith(TARS)


def ending(name: bytes) -> str:
    """The ending by which what is left out is counted; the whole name where it has none."""
    base = os.path.basename(name)
    found = os.path.splitext(base)[1].lower() or base
    return found[:20].decode("utf-8", "replace")
