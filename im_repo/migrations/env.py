"""Run by Alembic with the connection that `upgrade.py` hands over, inside the transaction that is already open."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.dialects import mysql, sqlite

from im_infra.sql import types
from im_repo.schema import TABLES

_NAMED = ("BIG_INT", "INT", "SMALL_INT", "UUID_BYTES", "HASH_BYTES", "BLOB")


def _render_item(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:  # noqa: ANN401 - theirs
    """Write our own column types by name: a new revision reads like the schema, with all variants of the engines."""
    if kind != "type":
        return False
    names = {_ddl(getattr(types, name)): name for name in _NAMED}
    length = getattr(item, "length", None)
    if isinstance(length, int):
        names.setdefault(_ddl(types.ascii_text(length)), f"ascii_text({length})")
        names.setdefault(_ddl(types.text(length)), f"text({length})")
    name = names.get(_ddl(item))
    if name is None:
        return False
    autogen_context.imports.add("from im_infra.sql import types")
    return f"types.{name}"


def _ddl(item: Any) -> tuple[str, ...]:  # noqa: ANN401 - a column type of theirs or ours
    """What tells two types apart: how each engine writes them."""
    return tuple(item.compile(dialect=dialect) for dialect in (sqlite.dialect(), mysql.dialect()))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES[0].metadata,
    compare_type=True,
    render_item=_render_item,
    transactional_ddl=True,  # what `upgrade.py` has begun it commits; on MySQL each statement of DDL does so by itself
)
context.run_migrations()
