"""Presence events with thumbnails, activity by the minute; the hop at which a frame expired."""

import sqlalchemy as sa
from alembic import op

from gateway.history.tables import DETECTED, Number, Real

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("results", sa.Column("hop", sa.Text))
    op.drop_index("results_camera", "results")
    for name, columns in (
        ("results_camera_time", ["camera_id", "original_timestamp", "id"]),
        ("results_time", ["original_timestamp", "id"]),
    ):
        op.create_index(name, "results", columns, sqlite_where=DETECTED, postgresql_where=DETECTED)
    op.create_table(
        "events",
        sa.Column("event_id", Number, primary_key=True),
        sa.Column("camera_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("camera_group", sa.Text),
        sa.Column("started", Real, nullable=False),
        sa.Column("ended", Real, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("faces", sa.Integer, nullable=False),
        sa.Column("certainty", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("crowd", sa.Integer, nullable=False),
        sa.Column("span", sa.Integer, nullable=False),
        sa.Column("thumbnail", sa.Integer),
        sa.Column("updated", Real, nullable=False),
    )
    op.create_index("events_start", "events", ["started", "event_id"])
    op.create_index("events_camera", "events", ["camera_id", "started", "event_id", "crowd", "certainty"])
    op.create_index("events_group", "events", ["camera_group", "crowd", "started", "event_id", "certainty"])
    op.create_index("events_crowd", "events", ["crowd", "started", "event_id", "certainty"])
    op.create_index("events_certainty", "events", ["certainty", "started", "event_id"])
    op.create_index("events_span", "events", ["span", "started"])
    op.create_table(
        "thumbnails",
        sa.Column("event_id", Number, primary_key=True, autoincrement=False),
        sa.Column("frame_id", sa.Text, nullable=False),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "activity",
        sa.Column("minute", Number, nullable=False),
        sa.Column("camera_id", sa.Text, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("with_detections", sa.Integer, nullable=False),
        sa.Column("faces", sa.Integer, nullable=False),
        sa.Column("expired", sa.Integer, nullable=False),
        sa.Column("latency", Real, nullable=False),
        sa.PrimaryKeyConstraint("minute", "camera_id", name="activity_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_index("activity_camera", "activity", ["camera_id", "minute"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("PRAGMA user_version = 2")  # so that Framefleet 0.1 leaves the file alone, and says why
