"""Objects in a bucket of whatever speaks S3: Amazon's, MinIO, Ceph. Needs the package obstore.

`s3://bucket/prefix?endpoint=https://minio.example:9000&region=eu-central-1`; without an endpoint it is
Amazon's. The key is in a file of its own, `access key:secret key`; without one it is asked for where Amazon's
machines are told theirs.
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from batch.objects.store import NoSuchObject, ObjectsUnavailable

REGION = "us-east-1"
PATIENCE = timedelta(seconds=20)
WHAT = "STORAGE_URL looks like s3://bucket/prefix?endpoint=https://host:9000&region=eu-central-1"
KEY = "holds one line, `access key:secret key`"


class S3Objects:
    """An object store in a bucket. Raises ObjectsUnavailable for an address or a key that is none."""

    def __init__(self, url: str, key_file: Path | None) -> None:
        self._place = url.partition("?")[0]
        self._store = S3Store(**(bucket_of(url) | _key(key_file)))

    def put(self, name: str, file: Path) -> None:
        """Keep what the file holds, in parts where it is large."""
        try:
            with file.open("rb") as opened:
                obstore.put(self._store, name, opened)
            file.unlink()
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    def get(self, name: str) -> bytes:
        """The object. Raises NoSuchObject."""
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except (NotFoundError, FileNotFoundError):
            raise NoSuchObject(name) from None
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    def names(self, prefix: str) -> list[str]:
        """The names that begin with that, sorted."""
        try:
            return sorted(each for some in self._listed(prefix) for each in some)
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    def delete(self, prefix: str) -> None:
        """Delete all whose names begin with that."""
        try:
            for some in self._listed(prefix):
                obstore.delete(self._store, some)
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    def move(self, name: str, to: str) -> None:
        """Copy the object, and delete it then. Raises NoSuchObject."""
        try:
            obstore.copy(self._store, name, to)
            obstore.delete(self._store, name)
        except (NotFoundError, FileNotFoundError):
            raise NoSuchObject(name) from None
        except (BaseError, OSError) as error:
            raise self._unavailable(error) from error

    def _listed(self, prefix: str) -> Iterable[list[str]]:
        for some in obstore.list(self._store, prefix=prefix):
            yield [each["path"] for each in some]

    def _unavailable(self, error: Exception) -> ObjectsUnavailable:
        first = str(error).strip().partition("\n")[0][:200]
        return ObjectsUnavailable(f"{self._place} does not do it: {first}")


def bucket_of(url: str) -> dict[str, Any]:
    """How the bucket of an address is reached. Raises ObjectsUnavailable for one that makes no sense."""
    parts = urlsplit(url)
    said = parse_qs(parts.query)
    endpoint = said.pop("endpoint", [""])[0]
    region = said.pop("region", [REGION])[0]
    if parts.scheme != "s3" or not parts.hostname or "@" in parts.netloc or said:
        raise ObjectsUnavailable(WHAT)
    if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
        raise ObjectsUnavailable(WHAT)
    return {
        "bucket": parts.netloc,
        "prefix": parts.path.strip("/") or None,
        "region": region,
        **({"endpoint": endpoint} if endpoint else {}),
        "client_options": {"allow_http": endpoint.startswith("http://"), "timeout": PATIENCE},
        "retry_config": {"max_retries": 2, "retry_timeout": PATIENCE},
    }


def _key(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        access, colon, secret = file.read_text().strip().partition(":")
    except (OSError, UnicodeDecodeError) as error:
        raise ObjectsUnavailable(f"STORAGE_KEY_FILE {file} cannot be read ({error}): it {KEY}") from None
    if not (access and colon and secret):
        raise ObjectsUnavailable(f"STORAGE_KEY_FILE {file} {KEY}")
    return {"access_key_id": access, "secret_access_key": secret}
