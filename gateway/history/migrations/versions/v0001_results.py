"""Results alone: what Framefleet 0.1 kept in SQLite, without Alembic (PRAGMA user_version = 1)."""

import sqlalchemy as sa
from alembic import op

from gateway.history.tables import Number, Real

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "results",
        sa.Column("id", Number, primary_key=True),
        sa.Column("frame_id", sa.Text, nullable=False),
        sa.Column("camera_id", sa.Text, nullable=False),
        sa.Column("original_timestamp", Real, nullable=False),
        sa.Column("timestamp", Real, nullable=False),
        sa.Column("node_id", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("processing_seconds", Real, nullable=False),
        sa.Column("queue_seconds", Real, nullable=False),
        sa.Column("faces", sa.Integer, nullable=False),
        sa.Column("detections", sa.Text, nullable=False),
        sa.Column("stored", Real, nullable=False),
        sa.UniqueConstraint("frame_id", name="results_frame_id_key"),
    )
    op.create_index("results_camera", "results", ["camera_id", "original_timestamp"])
