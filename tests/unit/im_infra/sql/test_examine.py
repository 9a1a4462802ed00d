"""What a database server's variables mean to an operator."""

import pytest
from pydantic import SecretStr

from im_infra.finding import Finding, Grade
from im_infra.sql.examine import examine_mysql, judge
from im_infra.sql.settings import MysqlSettings
from tests.support.mariadb import MariadbServer

SAFE = {
    "version": "10.11.6-MariaDB",
    "innodb_flush_log_at_trx_commit": "1",
    "log_bin": "1",
    "sync_binlog": "1",
    "max_connections": "200",
    "max_allowed_packet": "16777216",
    "read_only": "0",
}


def grades(findings: list[Finding]) -> dict[str, Grade]:
    return {finding.subject: finding.grade for finding in findings}


def test_a_durable_server_is_good() -> None:
    findings = list(judge(SAFE, MysqlSettings(), ahead_s=0.2))
    assert set(grades(findings).values()) == {Grade.GOOD}


@pytest.mark.parametrize(
    ("changed", "subject", "grade"),
    [
        ({"innodb_flush_log_at_trx_commit": "2"}, "durability", Grade.BAD),
        ({"sync_binlog": "0"}, "binary log", Grade.BAD),
        ({"max_connections": "10"}, "connections", Grade.WARNING),
        ({"max_allowed_packet": "1048576"}, "packets", Grade.BAD),
        ({"read_only": "1"}, "read only", Grade.BAD),
        ({"version": "10.5.8-MariaDB"}, "database", Grade.WARNING),
        ({"version": "5.7.44"}, "database", Grade.WARNING),
        ({"version": "who knows"}, "database", Grade.WARNING),
    ],
)
def test_each_danger_is_named_with_what_to_do(changed: dict[str, str], subject: str, grade: Grade) -> None:
    findings = list(judge({**SAFE, **changed}, MysqlSettings(), ahead_s=0.0))
    (found,) = [finding for finding in findings if finding.subject == subject]
    assert found.grade is grade
    assert found.advice


@pytest.mark.parametrize("version", ["10.11.6-MariaDB-log", "5.5.5-11.4.2-MariaDB", "9.7.4", "10.0.1"])
def test_a_server_that_is_new_enough_is_good(version: str) -> None:
    assert grades(list(judge({**SAFE, "version": version}, MysqlSettings(), ahead_s=0)))["database"] is Grade.GOOD


def test_without_a_binary_log_nothing_is_asked_of_it() -> None:
    assert "binary log" not in grades(
        list(judge({**SAFE, "log_bin": "0", "sync_binlog": "0"}, MysqlSettings(), ahead_s=0))
    )


def test_a_clock_that_is_off_is_told() -> None:
    assert grades(list(judge(SAFE, MysqlSettings(), ahead_s=-60.0)))["database's clock"] is Grade.WARNING


async def test_a_real_server_is_looked_at(mariadb_server: MariadbServer, mariadb_database: str) -> None:
    """The tests' own server trades durability for speed, and that is found."""
    found = grades(await examine_mysql(mariadb_server.settings(mariadb_database)))
    assert found["database"] is Grade.GOOD
    assert found["durability"] is Grade.BAD


async def test_one_that_is_not_there_is_told() -> None:
    settings = MysqlSettings(port=1, password=SecretStr("x"), connect_timeout_s=1)
    (finding,) = await examine_mysql(settings)
    assert finding.grade is Grade.BAD
