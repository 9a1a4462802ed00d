"""Several statements in one packet, and the answers counted.

The server answers a packet statement by statement and stops at the first that fails; the driver hands the answers out
one at a time, and what was not fetched comes with the next command on the connection, as an error of that one. So all
of them are fetched here, and an end before the last is a failure.
"""

from collections.abc import Sequence
from typing import Final

from asyncmy.connection import Connection as DriverConnection
from asyncmy.connection import MySQLResult
from asyncmy.constants import SERVER_STATUS
from asyncmy.errors import InternalError, MySQLError
from sqlalchemy.util import await_

from im_infra.sql.at_once import Expression
from im_infra.sql.mysql_errors import number_of
from im_infra.sql.statements import Rows, Statement

_COMMIT: Final = Statement("COMMIT")
_ROLLBACK: Final = Statement("ROLLBACK")
_OF_THE_DRIVER: Final = frozenset({0, *range(2_000, 3_000)})
"""Numbers that no server sends: the connection is lost, and what the server did last is not known."""


class RefusedError(Exception):
    """The server refused a statement of a packet before it came to the COMMIT: nothing is committed."""

    def __init__(self, refusal: MySQLError) -> None:
        super().__init__(*refusal.args)
        self.refusal = refusal


class Packets:
    """The shortcut of a connection that may send several statements at once; used in the greenlet of a unit.

    After an error of any kind but RefusedError the connection may be out of step: drop it. After that one the transaction
    is still open, for `roll_back`.

    Args:
        connection: the driver's own, asked for multi-statements.
    """

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection
        self._results: list[MySQLResult] = []
        """The answers to the last packet, as far as they came."""

    def read(self, statements: Sequence[Statement]) -> list[Rows]:
        """See `Shortcut.read`; one round trip."""
        return [result.rows for result in await_(self._send(statements))] if statements else []

    def write(self, statements: Sequence[Statement]) -> list[int]:
        """See `Shortcut.write`; one round trip."""
        return [result.insert_id for result in await_(self._send(statements))] if statements else []

    def write_and_commit(self, statements: Sequence[Statement]) -> list[int]:
        """`write` and COMMIT in one round trip.

        Raises:
            RefusedError: a statement failed, and nothing is committed.
            MySQLError: COMMIT was refused, the connection broke on the way, or the answers are not those that a
                committed transaction has.
        """
        try:
            *written, committed = await_(self._send([*statements, _COMMIT]))
        except MySQLError as error:
            if len(self._results) < len(statements) and number_of(error) not in _OF_THE_DRIVER:
                raise RefusedError(error) from error
            raise
        if committed.rows is not None or committed.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS:
            raise InternalError("the last answer of a packet was not the end of its transaction")
        return [result.insert_id for result in written]

    def roll_back(self) -> None:
        """End the transaction; the connection has to be in step."""
        await_(self._send([_ROLLBACK]))

    async def _send(self, statements: Sequence[Statement]) -> list[MySQLResult]:
        connection = self._connection
        results = self._results
        results.clear()
        await connection.query(";".join([self._bound(one) for one in statements]))
        results.append(connection._result)  # noqa: SLF001 - a cursor would ask for warnings, one round trip each
        while results[-1].has_next:
            await connection.next_result()
            results.append(connection._result)  # noqa: SLF001 - as above
        if len(results) != len(statements):
            raise InternalError(f"a packet of {len(statements)} statements had {len(results)} answers")
        return results

    def _bound(self, statement: Statement) -> str:
        """The statement as text, each value as a literal.

        Bytes go as hexadecimal digits, a binary string as the driver's own escapes are: those look at each byte of a
        message by itself, which costs 58 µs for a hundred of them instead of one.
        """
        sql, values = statement.sql, statement.values
        if not values:
            return sql
        literal = self._connection.literal
        return sql % tuple(
            [
                str(value)
                if type(value) is int
                else f"x'{value.hex()}'"
                if type(value) is bytes
                else value.sql
                if type(value) is Expression
                else literal(value)
                for value in values
            ]
        )
