"""What a remote model says of an event's picture, and when it was asked."""

import sqlalchemy as sa
from alembic import op

from gateway.history.tables import Real

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name, kind in (("asked_at", Real), ("description", sa.Text), ("description_model", sa.Text)):
        op.add_column("events", sa.Column(name, kind))
