"""Detections by time, for exports."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, text

from contract.result import DetectedObject

COLUMNS = (
    *("time", "camera_id", "frame_id", "label", "confidence", "x", "y", "w", "h"),
    *("width", "height", "model", "node_id"),
)
_decoder = msgspec.json.Decoder(list[DetectedObject])


@dataclass(frozen=True, slots=True)
class Position:
    """After which result of a camera (None: of all) the next chunk begins."""

    when: float
    row: int


def chunk(
    connection: Connection, camera_id: str | None, after: Position | None, until: float | None, limit: int
) -> Sequence[Row[Any]]:
    """Up to `limit` results with detections, by time of capture."""
    # Without `faces > 0`, word for word, the indexes are of no use: they hold nothing else.
    conditions = ["faces > 0"]
    given: dict[str, Any] = {"limit": limit}
    if camera_id is not None:
        conditions.append("camera_id = :camera_id")
        given["camera_id"] = camera_id
    if after is not None:
        conditions.append("(original_timestamp, id) > (:when, :row)")
        given |= {"when": after.when, "row": after.row}
    if until is not None:
        conditions.append("original_timestamp <= :until")
        given["until"] = until
    statement = (
        "SELECT id, original_timestamp, camera_id, frame_id, width, height, model, node_id, status, detections "  # noqa: S608
        f"FROM results WHERE {' AND '.join(conditions)} ORDER BY original_timestamp, id LIMIT :limit"
    )
    return connection.execute(text(statement), given).all()


def records(rows: Sequence[Row[Any]], min_confidence: float) -> Iterator[dict[str, Any]]:
    """A record per detection."""
    for row in rows:
        for found in _decoder.decode(row.detections) if row.status == "ok" else ():
            if found.confidence >= min_confidence:
                yield {
                    "time": row.original_timestamp,
                    "camera_id": row.camera_id,
                    "frame_id": row.frame_id,
                    "label": found.label,
                    "confidence": found.confidence,
                    "x": found.x,
                    "y": found.y,
                    "w": found.w,
                    "h": found.h,
                    "width": row.width,
                    "height": row.height,
                    "model": row.model,
                    "node_id": row.node_id,
                }
