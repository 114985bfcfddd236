"""Models by name: which there are, and where their files come from."""

from worker.models.download import DownloadFailed, Progress
from worker.models.entries import InvalidRegistry, ModelEntry
from worker.models.files import Copy, FileOrigin, ModelUnavailable, Report, copies, digest, locate, present
from worker.models.packages import unusable
from worker.models.registry import Registry, UnknownModel

__all__ = [
    "Copy",
    "DownloadFailed",
    "FileOrigin",
    "InvalidRegistry",
    "ModelEntry",
    "ModelUnavailable",
    "Progress",
    "Registry",
    "Report",
    "UnknownModel",
    "copies",
    "digest",
    "locate",
    "present",
    "unusable",
]
