"""Ask the same of many stretches of logs in one statement."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Dialect, Label, Row, Select, literal_column, select

from im_infra.sql.rows import mark
from im_infra.sql.types import BIG_INT

_SIZES: Final = (1, 8, 32)
"""Spans a statement on SQLite: few sizes, so that its driver knows the texts; it takes at most 500."""
_MOST: Final = 200
"""Spans a statement on MySQL, which gets every text anew: as many as there are."""
_ARM: Final = "ARM_NUMBER"
"""What stands in an arm's text for its number."""
_SPAN: Final = "SPAN_"
_PLACE: Final = re.compile(rf"\b{_SPAN}(\w+)")
"""What stands there for a field of its span, until it is a mark."""


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

    conversation_id: ColumnElement[int]
    from_seq: ColumnElement[int]
    to_seq: ColumnElement[int]
    subject: ColumnElement[int]


class _Compiled(NamedTuple):
    """A statement as the driver takes it: SQLAlchemy would take 40 µs a span to bind its values."""

    sql: str
    fields: Sequence[int]
    """Of the span, one for each mark of an arm."""

    def times(self, size: int) -> "_Compiled":
        """A UNION ALL of so many of this arm.

        Put together as text: compiling takes 1.5 ms an arm, in which the process does nothing else.
        """
        arms = (self.sql.replace(_ARM, str(arm)) for arm in range(size))
        return _Compiled(" UNION ALL ".join(arms), self.fields)


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
        self._kept: dict[int, _Compiled] = {}
        """By number of arms, for SQLite; on MySQL every number has a text of its own."""

    def run(self, connection: Connection, spans: Sequence[LogSpan]) -> Iterator[tuple[int, Row[Any]]]:
        """Yield (index of the span, row) for every row of every span, in no promised order."""
        done = 0
        while done < len(spans):
            size = _size(connection.dialect.name, len(spans) - done)
            chunk = spans[done : done + size]
            filled = [*chunk, *([_NOTHING] * (size - len(chunk)))]
            compiled = self._compiled_for(connection.dialect, size)
            values = tuple([span[field] for span in filled for field in compiled.fields])
            for row in connection.exec_driver_sql(compiled.sql, values):
                if row.arm < len(chunk):  # an aggregate gives a row for nothing, too
                    yield done + row.arm, row
            done += size

    def _compiled_for(self, dialect: Dialect, size: int) -> _Compiled:
        """An arm is compiled once per driver; two threads that miss at once do the same work twice, no harm."""
        arm = self._arms.get(dialect.driver)
        if arm is None:
            arm = self._arms[dialect.driver] = self._compile_arm(dialect)
        if dialect.name != "sqlite":
            return arm.times(size)
        compiled = self._kept.get(size)
        if compiled is None:
            compiled = self._kept[size] = arm.times(size)
        return compiled

    def _compile_arm(self, dialect: Dialect) -> _Compiled:
        names = SpanParameters._fields
        parameters = SpanParameters(*(literal_column(f"{_SPAN}{name}", BIG_INT) for name in names))
        arm = self._arm(parameters)
        number: Label[int] = literal_column(_ARM).label("arm")
        # SQLite takes neither parentheses nor an order in an arm; in a derived table, MySQL would store what it finds.
        whole = select(number, arm.subquery()) if dialect.name == "sqlite" else arm.add_columns(number)
        # What every arm repeats is part of the text: a value costs the driver more than the server's parser.
        sql = str(whole.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        fields = [names.index(name) for name in _PLACE.findall(sql)]
        sql = _PLACE.sub(mark(dialect.name), sql)
        return _Compiled(sql if dialect.name == "sqlite" else f"({sql})", fields)


def _size(dialect: str, left: int) -> int:
    """Of the next statement, in spans."""
    if dialect == "sqlite":
        return next((size for size in _SIZES if size >= left), _SIZES[-1])
    return min(left, _MOST)
