"""From nothing to the newest revision, and what is refused."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, insert

from im_infra.sql.errors import StoreBusyError, StoreUnavailableError
from im_infra.sql.mysql import open_mysql
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import open_sqlite
from im_repo.migrations import upgrade as module
from im_repo.migrations.upgrade import HEAD, SchemaError, current, require_head, upgrade
from im_repo.schema import CLOCK, METADATA, TABLES
from tests.support.databases import mysql_engine
from tests.support.mariadb import MariadbServer


@pytest.fixture
def mariadb_engine(mariadb_server: MariadbServer, mariadb_database: str) -> Iterator[Engine]:
    """An empty database of a real server."""
    engine = mysql_engine(mariadb_server.settings(mariadb_database))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "mariadb"])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    engine = create_engine("sqlite://") if request.param == "sqlite" else request.getfixturevalue("mariadb_engine")
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
    """Somebody's data is in it."""
    upgrade(connection)
    connection.execute(insert(CLOCK), {"id": 1, "high_time": 1, "generation": 1})
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


def test_processes_that_start_at_the_same_moment_upgrade_once(mariadb_engine: Engine) -> None:
    """One makes the schema, the others wait for it, whatever they saw of it when they came."""

    def start(_number: int) -> str | None:
        with mariadb_engine.begin() as connection:
            return upgrade(connection)

    with ThreadPoolExecutor(5) as threads:
        assert sorted(threads.map(start, range(5)), key=str) == [HEAD] * 4 + [None]
    with mariadb_engine.begin() as connection:
        require_head(connection)


def test_whoever_waited_sees_what_was_upgraded(mariadb_engine: Engine) -> None:
    """The revision is committed when the lock is let go, not when the caller's transaction ends."""
    with mariadb_engine.begin() as first, mariadb_engine.begin() as second:
        assert upgrade(first) is None
        assert upgrade(second) == HEAD


async def test_the_product_upgrades_a_server_from_several_processes(
    mariadb_server: MariadbServer, mariadb_database: str
) -> None:
    """Through its own member, whose units have a deadline that an upgrade moves."""
    settings = mariadb_server.settings(mariadb_database, unit_timeout_s=5)
    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(open_mysql(settings)) for _ in range(3)]
        found = await asyncio.gather(*(database.write(upgrade) for database in databases))
        assert sorted(found, key=str) == [HEAD, HEAD, None]
        assert await databases[0].read(current) == HEAD


@pytest.mark.parametrize("made", [1, 5, len(TABLES) + 1])
def test_a_first_upgrade_that_was_cut_short_is_made_anew(mariadb_engine: Engine, made: int) -> None:
    """There each table commits by itself, the version's first and its row last."""
    with mariadb_engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        for table in METADATA.sorted_tables[: made - 1]:
            table.create(connection)
        with pytest.raises(SchemaError):
            require_head(connection)
        assert upgrade(connection) is None
        require_head(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_an_upgrade_that_takes_long_is_waited_for_no_longer_than_that(
    mariadb_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_UPGRADE_S", 1)
    with mariadb_engine.begin() as connection, mariadb_engine.begin() as other, module._alone(other):
        with pytest.raises(StoreBusyError):
            upgrade(connection)
        assert current(connection) is None
