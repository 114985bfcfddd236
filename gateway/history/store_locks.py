"""Locks of cameras' events, for gateways that share a PostgreSQL."""

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, text

LOCKS = 256
"""Advisory locks that the cameras share: some per camera would need a larger lock table."""
LOCK_SPACE = 7_305


def lock_cameras(connection: Connection, camera_ids: Iterable[str]) -> None:
    """Until the end of the transaction nobody else changes these cameras' events. SQLite has one writer anyway."""
    if connection.dialect.name != "postgresql":
        return
    digests = (hashlib.blake2b(camera_id.encode(), digest_size=1).digest()[0] for camera_id in camera_ids)
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:space, slot) FROM unnest(CAST(:slots AS int[])) AS slot"),
        {"space": LOCK_SPACE, "slots": sorted({digest % LOCKS for digest in digests})},
    )
