"""How much memory this process has."""

import psutil


def resident_bytes() -> int | None:
    """Bytes of this process that are in memory, or None where the system does not tell."""
    try:
        return int(psutil.Process().memory_info().rss)
    except (OSError, psutil.Error):
        return None
