"""Choosing the member."""

from pathlib import Path

from im_infra.sql.open_database import open_database
from im_infra.sql.settings import SqliteSettings, SqlSettings


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
