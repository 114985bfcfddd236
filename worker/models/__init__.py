"""Models by name: which there are, and where their files come from."""

from worker.errors import DownloadFailed, InvalidRegistry, ModelUnavailable, UnknownModel
from worker.models.download import Progress
from worker.models.entries import DetectorKind, ModelEntry
from worker.models.files import Copy, FileOrigin, Report, copies, digest, locate, present
from worker.models.packages import unusable
from worker.models.registry import Registry, is_ours

__all__ = [
    "Copy",
    "DetectorKind",
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
    "is_ours",
    "locate",
    "present",
    "unusable",
]
