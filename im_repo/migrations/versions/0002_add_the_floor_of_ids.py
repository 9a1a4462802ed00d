"""Add the floor of ids."""

import sqlalchemy as sa
from alembic import op

from im_infra.sql import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the floor of ids."""
    op.add_column(
        "clock",
        sa.Column(
            "id_floor_time",
            types.BIG_INT,
            server_default="0",
            nullable=False,
            comment="no new id carries a time at or below it",
        ),
    )
