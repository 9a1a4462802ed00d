"""A whole transaction in one packet: what is known before is put to the test by the statements themselves.

Optimistic concurrency control: nothing is locked and read first. An UPDATE finds its rows only as they were when
they were last seen, the statement after it fails where it did not find them all, and a server runs nothing of a packet
behind a statement that failed. For MySQL and MariaDB, where the look before costs a round trip.

Each statement's answer is one more time that the server writes to its socket and wakes us. So the database's time is no
statement of its own: the UPDATE leaves it in the session as LAST_INSERT_ID, which every statement after it may use until
one has given a row its id, and which comes back as the UPDATE's new id.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from im_infra.sql.expressions import now_ms_sql
from im_infra.sql.statements import Statement

_MOST: Final = 2**63 - 1
"""Of BIGINT."""


class Expression(NamedTuple):
    """SQL in the place of a bound value: what only the server knows as it runs the statement."""

    sql: str


WriteAtOnce = Callable[[Sequence[Statement]], Awaitable[Sequence[int]]]
"""See `abstract.Database.write_at_once`."""

GIVE_NOW: Final = f"LAST_INSERT_ID({now_ms_sql('mysql')})"
"""In the first UPDATE: the database's time, milliseconds since the epoch; it is that statement's new id."""
NOW: Final = Expression("LAST_INSERT_ID()")
"""The time that `GIVE_NOW` gave, in statements after it; the last of them is the first that numbers a new row."""


def not_before(time: int) -> Expression:
    """`NOW`, or `time` where that is later: milliseconds since the epoch."""
    return Expression(f"GREATEST({NOW.sql}, {time:d})")


def after(delay_ms: int) -> Expression:
    """So many milliseconds after `NOW`."""
    return Expression(f"{NOW.sql} + {delay_ms:d}")


def if_changed(rows: int, value: int) -> Expression:
    """The value (at least 1), if the UPDATE right before found so many rows; else an error: out of range, in any mode."""
    return Expression(f"{value:d} + IF(ROW_COUNT() = {rows:d}, 0, {_MOST})")
