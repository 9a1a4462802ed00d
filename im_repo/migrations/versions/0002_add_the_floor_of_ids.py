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
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("clock")}
    if "id_floor_time" in columns:  # on MySQL it is committed at once, and the upgrade may have been cut short after it
        return
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
