"""Of a thumbnail not only its faces are known, but how sure they are (`presence.quality`)."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("UPDATE events SET thumbnail = thumbnail * 1000 WHERE thumbnail IS NOT NULL")
