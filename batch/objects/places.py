"""The store of objects that a setting names."""

from pathlib import Path

from batch.objects.folder import FolderObjects
from batch.objects.shelves import ShelvedObjects

S3 = "s3://"


def object_store(place: str, key_file: Path | None = None) -> ShelvedObjects:
    """The store at `place`: the path of a folder, or the address of a bucket. Raises ObjectsUnavailable."""
    if place.startswith(S3):
        from batch.objects.s3 import S3Objects  # a tenth of a second that a folder does not need

        return ShelvedObjects(S3Objects(place, key_file))
    return ShelvedObjects(FolderObjects(Path(place)))
