"""Ask the same of many stretches of logs in one statement."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, Connection, Dialect, Row, Select, bindparam, literal_column, select

from im_infra.sql.types import BIG_INT

_SIZES: Final = (1, 8, 32)
"""Spans a statement: few sizes, so that the database's driver knows the texts; SQLite takes at most 500."""
_ARM: Final = "ARM_NUMBER"
"""What stands in an arm's text for its number."""


class LogSpan(NamedTuple):
    """A stretch of a log that somebody asks about."""

    conversation_id: int
    from_seq: int
    to_seq: int
    subject: int = 0
    """What else the question is about: the reader, or an entry's seq."""


_NOTHING: Final = LogSpan(0, 1, 0)
"""Fills a statement up: no conversation has this id."""


class SpanParameters(NamedTuple):
    """A span's place in the statement."""

    conversation_id: BindParameter[int]
    from_seq: BindParameter[int]
    to_seq: BindParameter[int]
    subject: BindParameter[int]


class _Compiled(NamedTuple):
    """A statement as the driver takes it. Binding by SQLAlchemy costs 40 µs a span, this 1 µs."""

    sql: str
    constants: list[Any]
    slots: list[tuple[int, int, int]]
    """(position, arm, field of the span) of every value that is not constant."""

    def times(self, size: int) -> "_Compiled":
        """A UNION ALL of so many of this arm.

        Put together as text: compiling takes 1.5 ms an arm, in which the process does nothing else.
        """
        width = len(self.constants)
        return _Compiled(
            sql=" UNION ALL ".join(self.sql.replace(_ARM, str(arm)) for arm in range(size)),
            constants=self.constants * size,
            slots=[(position + arm * width, arm, field) for arm in range(size) for position, _, field in self.slots],
        )


class SpanQuery:
    """A SELECT over one span, run over many at once as arms of a UNION ALL.

    Each arm has constant bounds. Joining the bounds from a table instead reads well, but MySQL then reads the whole
    log of each conversation, since it takes no range from another table's columns.

    Args:
        arm: the SELECT for one span; made once per driver, so it must depend on its parameters alone.
    """

    def __init__(self, arm: Callable[[SpanParameters], Select[Any]]) -> None:
        self._arm = arm
        self._arms: dict[str, _Compiled] = {}
        self._compiled: dict[tuple[str, int], _Compiled] = {}

    def run(self, connection: Connection, spans: Sequence[LogSpan]) -> Iterator[tuple[int, Row[Any]]]:
        """Yield (index of the span, row) for every row of every span, in no promised order."""
        done = 0
        while done < len(spans):
            left = len(spans) - done
            size = next((size for size in _SIZES if size >= left), _SIZES[-1])
            chunk = spans[done : done + size]
            filled = [*chunk, *([_NOTHING] * (size - len(chunk)))]
            compiled = self._compiled_for(connection.dialect, size)
            values = compiled.constants.copy()
            for position, arm, field in compiled.slots:
                values[position] = filled[arm][field]
            for row in connection.exec_driver_sql(compiled.sql, tuple(values)):
                if row.arm < len(chunk):  # an aggregate gives a row for nothing, too
                    yield done + row.arm, row
            done += size

    def _compiled_for(self, dialect: Dialect, size: int) -> _Compiled:
        """Compiled once per driver and size; two threads that miss at once do the same work twice, no harm."""
        key = (dialect.driver, size)
        compiled = self._compiled.get(key)
        if compiled is None:
            arm = self._arms.get(dialect.driver)
            if arm is None:
                arm = self._arms[dialect.driver] = self._compile_arm(dialect)
            compiled = self._compiled[key] = arm.times(size)
        return compiled

    def _compile_arm(self, dialect: Dialect) -> _Compiled:
        fields = {name: field for field, name in enumerate(SpanParameters._fields)}
        parameters = SpanParameters(*(bindparam(name, None, type_=BIG_INT) for name in fields))
        arm = select(literal_column(_ARM).label("arm"), self._arm(parameters).subquery())
        compiled = arm.compile(dialect=dialect)
        names: Sequence[str] = compiled.positiontup or ()
        return _Compiled(
            sql=str(compiled),
            constants=[compiled.params[name] for name in names],
            slots=[(position, 0, fields[name]) for position, name in enumerate(names) if name in fields],
        )
