"""The store of objects that a setting names."""

from pathlib import Path

from batch.objects.folder import FolderObjects
from batch.objects.store import ObjectStore


def object_store(place: str) -> ObjectStore:
    """The store at `place`, the path of a folder."""
    return FolderObjects(Path(place))
