"""The frame of each event's picture with what was found in it; who has seen an event, and what they say of it."""

import sqlalchemy as sa
from alembic import op

from gateway.history.tables import KEPT, TOLD, UNSEEN, Number, Real

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "event_frames",
        sa.Column("event_id", Number, primary_key=True, autoincrement=False),
        sa.Column("frame_id", sa.Text, nullable=False),
        sa.Column("captured", Real, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("detections", sa.Text, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("jpeg", sa.LargeBinary),
    )
    op.create_index(
        "event_frames_bytes", "event_frames", ["event_id", "bytes"], sqlite_where=KEPT, postgresql_where=KEPT
    )
    for name, kind in (
        ("seen_at", Real),
        ("seen_by", sa.Text),
        ("feedback", sa.Text),
        ("note", sa.Text),
        ("feedback_at", Real),
        ("feedback_by", sa.Text),
    ):
        op.add_column("events", sa.Column(name, kind))
    op.create_index(
        "events_unseen", "events", ["started", "event_id"], sqlite_where=UNSEEN, postgresql_where=UNSEEN
    )
    op.create_index(
        "events_feedback", "events", ["started", "event_id"], sqlite_where=TOLD, postgresql_where=TOLD
    )
