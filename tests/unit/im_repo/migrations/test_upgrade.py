"""From nothing to the newest revision, and what is refused."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from im_infra.sql.errors import StoreUnavailableError
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import open_sqlite
from im_repo.migrations import upgrade as module
from im_repo.migrations.upgrade import HEAD, SchemaError, current, require_head, upgrade
from im_repo.schema import METADATA


@pytest.fixture
def connection() -> Any:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_an_empty_database_becomes_the_schema(connection: Connection) -> None:
    """Exactly what `im_repo.schema` says: a change there needs a revision (tools/new_revision.py)."""
    assert current(connection) is None
    assert upgrade(connection) is None
    assert current(connection) == HEAD
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    assert compare_metadata(context, METADATA) == []


def test_upgrading_again_changes_nothing(connection: Connection) -> None:
    upgrade(connection)
    assert upgrade(connection) == HEAD


def test_the_newest_revision_is_the_one_in_the_folder() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_newer_database_is_refused_untouched(connection: Connection) -> None:
    upgrade(connection)
    connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match=r"9999.*newer"):
        upgrade(connection)
    with pytest.raises(SchemaError, match="9999"):
        require_head(connection)


def test_what_is_not_ours_is_refused(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE somebody_elses (id INTEGER)")
    with pytest.raises(SchemaError, match="something else"):
        upgrade(connection)


def test_a_lost_revision_is_refused(connection: Connection) -> None:
    upgrade(connection)
    connection.exec_driver_sql("DELETE FROM alembic_version")
    with pytest.raises(SchemaError, match="cut short"):
        upgrade(connection)


def test_an_empty_database_is_not_at_head(connection: Connection) -> None:
    with pytest.raises(SchemaError, match="im migrate"):
        require_head(connection)
    upgrade(connection)
    require_head(connection)


async def test_a_failing_upgrade_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All or nothing: the half-made schema is rolled back."""
    async with open_sqlite(tmp_path / "im.db", SqliteSettings()) as database:

        def breaks(connection: Connection) -> Any:
            upgrade(connection)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await database.write(breaks)
        assert await database.read(current) is None
        await database.write(upgrade)
        assert await database.read(current) == HEAD


async def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "im.db"
    async with open_sqlite(path, SqliteSettings()) as database:
        await database.write(upgrade)
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(content)
    with pytest.raises(StoreUnavailableError, match="malformed"):
        async with open_sqlite(damaged, SqliteSettings()) as database:
            await database.write(upgrade)


def test_a_start_at_head_does_not_import_alembic(tmp_path: Path) -> None:
    """It takes longer than everything else a start does."""
    path = tmp_path / "im.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        upgrade(connection)
    engine.dispose()
    shutil.copy(path, tmp_path / "copy.db")
    script = (
        "import sys; from sqlalchemy import create_engine; from im_repo.migrations.upgrade import upgrade\n"
        f"with create_engine('sqlite:///{tmp_path / 'copy.db'}').begin() as connection: upgrade(connection)\n"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(module.__file__).parents[2])
