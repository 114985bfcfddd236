"""The tables, the same in SQLite and PostgreSQL. `migrations/` makes them; a test compares the two.

Times are Unix seconds. `started` and `ended`, because `end` is a keyword of SQL.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

Number = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")  # what a rowid must be called there
Real: TypeEngine[float] = Double().with_variant(sqlite.REAL(), "sqlite")
DETECTED = text("faces > 0")
KEPT = text("bytes > 0")
UNSEEN = text("seen_at IS NULL")
TOLD = text("feedback IS NOT NULL")

metadata = MetaData()

results = Table(
    "results",
    metadata,
    Column("id", Number, primary_key=True),  # ascends with the time of storing
    Column("frame_id", Text, nullable=False),
    Column("camera_id", Text, nullable=False),
    Column("original_timestamp", Real, nullable=False),
    Column("timestamp", Real, nullable=False),
    Column("node_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("processing_seconds", Real, nullable=False),
    Column("queue_seconds", Real, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("detections", Text, nullable=False),  # JSON, as the worker wrote it
    Column("stored", Real, nullable=False),
    Column("hop", Text),
    UniqueConstraint("frame_id", name="results_frame_id_key"),
    # Who asks for results by time asks for detections: most rows have none, and stay out of these.
    Index(
        "results_camera_time",
        "camera_id",
        "original_timestamp",
        "id",
        sqlite_where=DETECTED,
        postgresql_where=DETECTED,
    ),
    Index("results_time", "original_timestamp", "id", sqlite_where=DETECTED, postgresql_where=DETECTED),
)

events = Table(
    "events",
    metadata,
    Column("event_id", Number, primary_key=True),
    Column("camera_id", Text, nullable=False),
    Column("name", Text),
    Column("camera_group", Text),
    Column("started", Real, nullable=False),
    Column("ended", Real, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("certainty", Integer, nullable=False),  # the best confidence in whole hundredths
    Column("model", Text, nullable=False),
    # Classes of `faces` and of the length, to search by: see presence.py.
    Column("crowd", Integer, nullable=False),
    Column("span", Integer, nullable=False),
    Column("thumbnail", Integer),  # how good it is (presence.quality); null: there is none
    Column("updated", Real, nullable=False),  # the time of storing
    Column("seen_at", Real),  # null: nobody has
    Column("seen_by", Text),
    Column("feedback", Text),  # wrong, missed; null: nothing was said
    Column("note", Text),
    Column("feedback_at", Real),
    Column("feedback_by", Text),
    Column("asked_at", Real),  # when its picture went to a remote model; null: it has not
    Column("description", Text),  # what a remote model says of it
    Column("description_model", Text),
    # `ended` changes with every batch and is in no index: PostgreSQL then updates in place.
    Index("events_start", "started", "event_id"),
    Index("events_camera", "camera_id", "started", "event_id", "crowd", "certainty"),
    Index("events_group", "camera_group", "crowd", "started", "event_id", "certainty"),
    Index("events_crowd", "crowd", "started", "event_id", "certainty"),
    Index("events_certainty", "certainty", "started", "event_id"),
    Index("events_span", "span", "started"),
    Index("events_unseen", "started", "event_id", sqlite_where=UNSEEN, postgresql_where=UNSEEN),
    Index("events_feedback", "started", "event_id", sqlite_where=TOLD, postgresql_where=TOLD),
)

thumbnails = Table(
    "thumbnails",
    metadata,
    Column("event_id", Number, primary_key=True, autoincrement=False),
    Column("frame_id", Text, nullable=False),
    Column("jpeg", LargeBinary, nullable=False),
)

event_frames = Table(  # of the thumbnail, the whole; those of before version 0004 have none
    "event_frames",
    metadata,
    Column("event_id", Number, primary_key=True, autoincrement=False),
    Column("frame_id", Text, nullable=False),
    Column("captured", Real, nullable=False),
    Column("model", Text, nullable=False),
    Column("width", Integer, nullable=False),  # of the frame, in whose pixels the boxes are
    Column("height", Integer, nullable=False),
    Column("detections", Text, nullable=False),  # JSON, as the worker wrote it
    Column("bytes", Integer, nullable=False),  # of `jpeg`; 0: it had to make room
    Column("jpeg", LargeBinary),
    Index("event_frames_bytes", "event_id", "bytes", sqlite_where=KEPT, postgresql_where=KEPT),
)

activity = Table(
    "activity",
    metadata,
    Column("minute", Number, nullable=False),  # its begin
    Column("camera_id", Text, nullable=False),  # empty: all cameras together
    Column("frames", Integer, nullable=False),
    Column("with_detections", Integer, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("expired", Integer, nullable=False),
    Column("latency", Real, nullable=False),  # the sum over `frames`, capture to result
    PrimaryKeyConstraint("minute", "camera_id", name="activity_pkey"),
    Index("activity_camera", "camera_id", "minute"),
    sqlite_with_rowid=False,
)

camera_states = Table(
    "camera_states",
    metadata,
    Column("id", Number, primary_key=True),  # ascends with the time of storing
    Column("camera_id", Text, nullable=False),
    Column("time", Real, nullable=False),  # since when
    Column("noticed", Real, nullable=False),  # by the gateway's clock
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("producer_id", Text),
    Index("camera_states_camera", "camera_id", "id"),
)
