"""The history of cameras' states."""

import sqlalchemy as sa
from alembic import op

from gateway.history.tables import Number, Real

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "camera_states",
        sa.Column("id", Number, primary_key=True),
        sa.Column("camera_id", sa.Text, nullable=False),
        sa.Column("time", Real, nullable=False),
        sa.Column("noticed", Real, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("producer_id", sa.Text),
    )
    op.create_index("camera_states_camera", "camera_states", ["camera_id", "id"])
