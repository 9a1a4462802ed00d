"""Ask the same of many stretches of logs in one statement."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, Connection, Dialect, Row, Select, bindparam, literal_column, select, union_all

from im_infra.sql.types import BIG_INT

_SIZES: Final = (1, 8, 32)
"""Spans a statement: few sizes, so that each is compiled once (1.5 ms a span); SQLite takes at most 500."""


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


class SpanQuery:
    """A SELECT over one span, run over many at once as arms of a UNION ALL.

    Each arm has constant bounds. Joining the bounds from a table instead reads well, but MySQL then reads the whole
    log of each conversation, since it takes no range from another table's columns.

    Args:
        arm: the SELECT for one span; made once per size, so it must depend on its parameters alone.
    """

    def __init__(self, arm: Callable[[SpanParameters], Select[Any]]) -> None:
        self._arm = arm
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
            compiled = self._compiled[key] = self._compile(dialect, size)
        return compiled

    def _compile(self, dialect: Dialect, size: int) -> _Compiled:
        arms = []
        slot_of_name: dict[str, tuple[int, int]] = {}
        for arm in range(size):
            names = [f"{field}_{arm}" for field in SpanParameters._fields]
            slot_of_name |= {name: (arm, field) for field, name in enumerate(names)}
            parameters = SpanParameters(*(bindparam(name, None, type_=BIG_INT) for name in names))
            arms.append(select(literal_column(str(arm)).label("arm"), self._arm(parameters).subquery()))
        compiled = union_all(*arms).compile(dialect=dialect)
        names_by_position: Sequence[str] = compiled.positiontup or ()
        return _Compiled(
            sql=str(compiled),
            constants=[compiled.params[name] for name in names_by_position],
            slots=[
                (position, *slot_of_name[name])
                for position, name in enumerate(names_by_position)
                if name in slot_of_name
            ],
        )
