"""Choosing the member."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from im_infra.sql.open_database import open_database
from im_infra.sql.settings import SqliteSettings, SqlSettings
from tests.support.mariadb import MariadbServer


async def test_a_file_lies_in_the_data_folder(tmp_path: Path) -> None:
    async with open_database(SqlSettings(), tmp_path) as database:
        assert database.dialect == "sqlite"
        await database.check()
    assert (tmp_path / "im.sqlite3").exists()


async def test_an_absolute_path_stays_where_it_is(tmp_path: Path) -> None:
    settings = SqlSettings(sqlite=SqliteSettings(path=tmp_path / "elsewhere.db"))
    async with open_database(settings, Path("/nowhere")):
        pass
    assert (tmp_path / "elsewhere.db").exists()


async def test_a_server_is_reached_by_its_settings(
    mariadb_server: MariadbServer, mariadb_database: str, tmp_path: Path
) -> None:
    """Nothing is written into the data folder."""
    settings = SqlSettings(kind="mysql", mysql=mariadb_server.settings(mariadb_database))
    async with open_database(settings, tmp_path) as database:
        assert database.dialect == "mysql"
        await database.check()
    assert not list(tmp_path.iterdir())


def test_a_server_needs_a_password() -> None:
    """There is no default, not even an empty one; a file needs none."""
    with pytest.raises(ValidationError, match="password is needed"):
        SqlSettings(kind="mysql")
    assert SqlSettings().kind == "sqlite"
