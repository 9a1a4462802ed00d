"""Looking at a MySQL or MariaDB for `im doctor`: whether what it acknowledges outlives a power cut, and whether it fits us."""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Connection

from im_infra.errors import ImError
from im_infra.finding import Finding, Grade
from im_infra.sql.mysql import open_mysql
from im_infra.sql.settings import MysqlSettings

_ASKED: Final = (
    "version",
    "innodb_flush_log_at_trx_commit",
    "log_bin",
    "sync_binlog",
    "max_connections",
    "max_allowed_packet",
    "read_only",
)
TESTED: Final = {"MariaDB": (10, 11), "MySQL": (9, 7)}
"""The oldest of each that was tried: what every test runs on, and what the database's own tests were run on by hand."""
PACKET_BYTES: Final = 4 << 20
"""A packet of the append holds 1 MiB of bodies by default, each byte of which may take two, and their rows' other columns."""
_SKEW_S: Final = 30.0
_SUBJECT: Final = "database"


async def examine_mysql(settings: MysqlSettings) -> list[Finding]:
    """Look at the server. Takes a few timeouts at most.

    Raises:
        OSError: a certificate cannot be read.
    """
    try:
        async with open_mysql(settings) as database:
            began = time.time()
            variables, clock_s = await database.read(_read)
            ended = time.time()
    except ImError as error:
        return [Finding(Grade.BAD, _SUBJECT, error.message, "start it, or mend sql.mysql in the settings")]
    return list(judge(variables, settings, ahead_s=clock_s - (began + ended) / 2))


def judge(variables: Mapping[str, str], settings: MysqlSettings, *, ahead_s: float) -> Iterator[Finding]:
    """What the server's variables mean.

    Args:
        variables: by name, as the server tells them.
        settings: ours.
        ahead_s: by how much the server's clock is ahead of ours, in seconds.
    """
    yield _version(f"{settings.host}:{settings.port}", variables["version"])
    flush = variables["innodb_flush_log_at_trx_commit"]
    told = f"innodb_flush_log_at_trx_commit = {flush}"
    if flush == "1":
        yield Finding(Grade.GOOD, "durability", told)
    else:
        yield Finding(Grade.BAD, "durability", told, "set it to 1: a power cut would lose acknowledged messages")
    if variables["log_bin"] in {"1", "ON"}:
        sync = variables["sync_binlog"]
        told = f"sync_binlog = {sync}"
        if sync == "1":
            yield Finding(Grade.GOOD, "binary log", told)
        else:
            yield Finding(Grade.BAD, "binary log", told, "set it to 1: after a power cut replicas would differ")
    wanted = settings.append_connections + settings.write_connections + settings.read_connections
    told = f"max_connections = {variables['max_connections']}, a repo process takes up to {wanted}"
    if int(variables["max_connections"]) < 2 * wanted:
        yield Finding(Grade.WARNING, "connections", told, "raise it: two repo processes would already not fit")
    else:
        yield Finding(Grade.GOOD, "connections", told)
    told = f"max_allowed_packet = {variables['max_allowed_packet']}"
    if int(variables["max_allowed_packet"]) < PACKET_BYTES:
        yield Finding(Grade.BAD, "packets", told, f"set it to {PACKET_BYTES} or more: batches would be refused")
    else:
        yield Finding(Grade.GOOD, "packets", told)
    if variables["read_only"] not in {"0", "OFF"}:
        yield Finding(Grade.BAD, "read only", "the server takes no writes", "name the primary, or end read_only")
    told = f"{abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine's"
    if abs(ahead_s) > _SKEW_S:
        yield Finding(Grade.WARNING, "database's clock", told, "run a time daemon on both: tokens and syncs go by them")
    else:
        yield Finding(Grade.GOOD, "database's clock", told)


def _version(place: str, version: str) -> Finding:
    product = "MariaDB" if "mariadb" in version.lower() else "MySQL"
    oldest = TESTED[product]
    told = f"{place}: {product} {version}"
    numbers = re.match(r"(\d+)\.(\d+)", version.removeprefix("5.5.5-"))  # what MariaDB puts before for old replicas
    if numbers is None or tuple(map(int, numbers.groups())) < oldest:
        advice = f"take {product} {'.'.join(map(str, oldest))} or newer: with older ones this version is not tried"
        return Finding(Grade.WARNING, _SUBJECT, told, advice)
    return Finding(Grade.GOOD, _SUBJECT, told)


def _read(connection: Connection) -> tuple[dict[str, str], float]:
    columns = ", ".join(f"@@{name}" for name in _ASKED)
    row = connection.exec_driver_sql(f"SELECT {columns}, UNIX_TIMESTAMP(NOW(6))").one()
    return {name: str(value) for name, value in zip(_ASKED, row, strict=False)}, float(row[-1])
