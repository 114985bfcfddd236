"""Offline work through the batch lane: folders, archives and lists of pictures, as jobs that survive anything.

`process_batch` is the library; `framefleet batch` (cli.batch) is the command. Knows nothing of HTTP.
"""

from batch.errors import BatchError
from batch.process import process_batch
from batch.progress import Progress
from batch.report import BatchReport, ItemResult

__all__ = ["BatchError", "BatchReport", "ItemResult", "Progress", "process_batch"]
