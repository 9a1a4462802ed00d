"""What a server's database holds, as its revision tells."""

import pytest

from im_cli.doctor.schema import examine_schema, judge
from im_infra.finding import Grade
from im_infra.sql.mysql import open_mysql
from im_repo.migrations.upgrade import HEAD, upgrade
from im_repo.transfer import bookkeeping
from tests.support.mariadb import MariadbServer


@pytest.mark.parametrize(
    ("revision", "grade"), [(None, Grade.GOOD), (HEAD, Grade.GOOD), ("0000", Grade.WARNING), ("9999", Grade.BAD)]
)
def test_an_older_one_is_brought_up_and_a_newer_one_is_not_ours(revision: str | None, grade: Grade) -> None:
    assert judge(revision).grade is grade


async def test_a_real_server_is_read_and_a_half_carried_database_is_told(
    mariadb_server: MariadbServer, mariadb_database: str
) -> None:
    settings = mariadb_server.settings(mariadb_database)
    assert [finding.told for finding in await examine_schema(settings)] == [judge(None).told]
    async with open_mysql(settings) as database:
        await database.write(upgrade)
        assert await examine_schema(settings) == [judge(HEAD)]
        await database.write(lambda connection: bookkeeping.begin(connection, "source"))
    (finding,) = await examine_schema(settings)
    assert (finding.grade, "migrate-data" in finding.told) == (Grade.BAD, True)


async def test_a_server_that_is_away_is_not_told_twice(mariadb_server: MariadbServer) -> None:
    assert await examine_schema(mariadb_server.settings("im", port=1)) == []
