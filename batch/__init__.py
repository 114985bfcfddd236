"""Offline work through the batch lane: pictures and videos by the thousand, as jobs that survive anything.

`process_batch` is the library; `framefleet batch` (cli.batch) is the command. Knows nothing of HTTP.
"""

from batch.errors import BatchError
from batch.process import process_batch
from batch.progress import Progress
from batch.report import BatchReport, ItemResult, VideoTotals
from batch.video.settings import VideoSettings

__all__ = [
    "BatchError",
    "BatchReport",
    "ItemResult",
    "Progress",
    "VideoSettings",
    "VideoTotals",
    "process_batch",
]
