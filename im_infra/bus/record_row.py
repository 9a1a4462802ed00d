"""The rows behind the embedded bus: units of work over `bus_record`.

A dead letter is a row of the topic `im.dlq` whose headers tell the topic and position it had.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from im_infra.bus.abstract import DEAD_LETTER_TOPIC, DeadLetter, Record
from im_infra.bus.tables import BUS_RECORD

TOPIC_HEADER: Final = "dlq-topic"
POSITION_HEADER: Final = "dlq-position"

_C: Final = BUS_RECORD.c


def store(connection: Connection, records: Sequence[Record], now_ms: int) -> None:
    """Append records, in their order, behind what their topics have though the clock stepped back."""
    last: dict[str, int] = {}
    for topic in {record.topic for record in records}:
        latest = connection.execute(select(func.max(_C.due_time)).where(_C.topic == topic)).scalar()
        last[topic] = max(now_ms, latest or 0)
    connection.execute(
        insert(BUS_RECORD),
        [
            {
                "topic": record.topic,
                "key": record.key,
                "due_time": last[record.topic],
                "attempts": 0,
                "error": "",
                "headers": json.dumps(dict(record.headers)),
                "body": record.value,
            }
            for record in records
        ],
    )


def due(connection: Connection, topic: str, limit: int) -> list[Record]:
    """The first records of a topic, in order."""
    rows = connection.execute(
        select(_C.id, _C.topic, _C.key, _C.attempts, _C.headers, _C.body)
        .where(_C.topic == topic)
        .order_by(_C.due_time, _C.id)
        .limit(limit)
    )
    return [_record(row) for row in rows.mappings()]


def count_attempt(connection: Connection, records: Sequence[Record]) -> None:
    """Remember that these are handed out once more, before they are: a handler may take the process with it."""
    _add_attempts(connection, records, 1)


def uncount_attempt(connection: Connection, records: Sequence[Record]) -> None:
    """The last hand-out of these failed for no fault of theirs."""
    _add_attempts(connection, records, -1)


def remove(connection: Connection, records: Sequence[Record]) -> None:
    """These took effect."""
    connection.execute(delete(BUS_RECORD).where(_C.id.in_([int(record.position) for record in records])))


def bury(connection: Connection, record: Record, error: str, now_ms: int, *, stored: bool) -> None:
    """Make a dead letter of a record, and take it off its topic in the same transaction where it is `stored` there."""
    if stored:
        remove(connection, [record])
    headers = {**record.headers, TOPIC_HEADER: record.topic, POSITION_HEADER: record.position}
    connection.execute(
        insert(BUS_RECORD).values(
            topic=DEAD_LETTER_TOPIC,
            key=record.key,
            due_time=now_ms,
            attempts=record.attempts,
            error=error,
            headers=json.dumps(headers),
            body=record.value,
        )
    )


def dead_letters(connection: Connection, limit: int) -> list[DeadLetter]:
    """The oldest dead letters."""
    rows = connection.execute(
        select(BUS_RECORD).where(_C.topic == DEAD_LETTER_TOPIC).order_by(_C.due_time, _C.id).limit(limit)
    )
    return [_dead_letter(row) for row in rows.mappings()]


def dead_letter(connection: Connection, dead_letter_id: int) -> DeadLetter | None:
    """One dead letter."""
    row = (
        connection.execute(select(BUS_RECORD).where(_C.id == dead_letter_id, _C.topic == DEAD_LETTER_TOPIC))
        .mappings()
        .first()
    )
    return None if row is None else _dead_letter(row)


def take_dead_letter(connection: Connection, dead_letter_id: int) -> bool:
    """Delete a dead letter, and say whether it was there."""
    gone = connection.execute(delete(BUS_RECORD).where(_C.id == dead_letter_id, _C.topic == DEAD_LETTER_TOPIC))
    return gone.rowcount == 1


def move_dead_letter(connection: Connection, dead_letter_id: int, record: Record, now_ms: int) -> bool:
    """Put `record` in the place of a dead letter, and say whether that was still there."""
    if not take_dead_letter(connection, dead_letter_id):
        return False
    store(connection, [record], now_ms)
    return True


def _add_attempts(connection: Connection, records: Sequence[Record], change: int) -> None:
    connection.execute(
        update(BUS_RECORD)
        .where(_C.id.in_([int(record.position) for record in records]))
        .values(attempts=_C.attempts + change)
    )


def _record(row: RowMapping) -> Record:
    headers = json.loads(row["headers"])
    return Record(row["topic"], row["key"], row["body"], headers, position=str(row["id"]), attempts=row["attempts"])


def _dead_letter(row: RowMapping) -> DeadLetter:
    headers: Mapping[str, str] = json.loads(row["headers"])
    record = Record(
        topic=headers[TOPIC_HEADER],
        key=row["key"],
        value=row["body"],
        headers={name: value for name, value in headers.items() if name not in (TOPIC_HEADER, POSITION_HEADER)},
        position=headers[POSITION_HEADER],
        attempts=row["attempts"],
    )
    return DeadLetter(str(row["id"]), record, row["error"], row["due_time"])
