"""Whether a server's database has the schema that this version works with."""

from typing import Final

from im_infra.errors import ImError
from im_infra.finding import Finding, Grade
from im_infra.sql.mysql import open_mysql
from im_infra.sql.settings import MysqlSettings
from im_repo.migrations.upgrade import HEAD, SchemaError, current

_SUBJECT: Final = "schema"


async def examine_schema(settings: MysqlSettings) -> list[Finding]:
    """Look at the database; nothing where it cannot be reached, which the look at its server tells.

    Raises:
        OSError: a certificate cannot be read.
    """
    try:
        async with open_mysql(settings) as database:
            return [judge(await database.read(current))]
    except SchemaError as error:
        return [Finding(Grade.BAD, _SUBJECT, error.message)]
    except ImError:
        return []


def judge(found: str | None) -> Finding:
    """What a stored revision means; None: the database is empty."""
    if found is None:
        return Finding(Grade.GOOD, _SUBJECT, "none yet; the first repo process makes it")
    told = f"revision {found}"
    if found == HEAD:
        return Finding(Grade.GOOD, _SUBJECT, told)
    told = f"{told}, this version has {HEAD}"
    if found < HEAD:
        advice = "`im migrate` brings it up, or the next repo process that starts"
        return Finding(Grade.WARNING, _SUBJECT, told, advice)
    return Finding(Grade.BAD, _SUBJECT, f"{told}: a newer one wrote it", "install that version here, too")
