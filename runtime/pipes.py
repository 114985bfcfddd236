"""Messages to another process, through a pipe."""

import os


def write_whole(descriptor: int, *parts: bytes) -> None:
    """Write all of it to a blocking pipe, or a file. Raises OSError.

    A buffered file does not do: a process that is stopped and goes on (Ctrl-Z, a suspended laptop, a paused container)
    finds its write ended in the middle, and CPython 3.11's BufferedWriter then writes on in the wrong place.
    """
    data = memoryview(b"".join(parts))
    while data:
        data = data[os.write(descriptor, data) :]
