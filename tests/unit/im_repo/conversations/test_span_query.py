"""Many spans in one statement."""

from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from im_repo.conversations.span_query import LogSpan, SpanParameters, SpanQuery
from im_repo.schema import MESSAGE


def seqs(span: SpanParameters) -> Any:
    return select(MESSAGE.c.seq).where(
        MESSAGE.c.conversation_id == span.conversation_id,
        MESSAGE.c.seq.between(span.from_seq, span.to_seq),
        MESSAGE.c.sender_id != span.subject,
        MESSAGE.c.type == 1,
    )


def count(span: SpanParameters) -> Any:
    return select(func.count().label("rows_")).where(MESSAGE.c.conversation_id == span.conversation_id)


@pytest.mark.parametrize("spans", [0, 1, 2, 8, 9, 32, 33, 70])
def test_each_span_gets_its_own_rows(connection: Connection, seed: Any, spans: int) -> None:
    for conversation_id in (1, 2):
        seed.conversation(conversation_id)
        for sender_id in (7, 8, 7, 8):
            seed.say(conversation_id, sender_id)
    asked = [LogSpan(1 + number % 2, 1, 2 + number % 3, 7 if number % 2 else 0) for number in range(spans)]
    found: dict[int, list[int]] = {number: [] for number in range(spans)}
    for index, row in SpanQuery(seqs).run(connection, asked):
        found[index].append(row.seq)
    expected = {
        number: [seq for seq in range(1, span.to_seq + 1) if not (span.subject and seq % 2)]
        for number, span in enumerate(asked)
    }
    assert {number: sorted(rows) for number, rows in found.items()} == expected


def test_an_aggregate_gives_one_row_a_span_and_none_for_the_filling(connection: Connection, seed: Any) -> None:
    seed.conversation(1)
    seed.say(1, 7)
    rows = list(SpanQuery(count).run(connection, [LogSpan(1, 1, 9), LogSpan(2, 1, 9)]))
    assert {index: row.rows_ for index, row in rows} == {0: 1, 1: 0}


def test_an_arm_is_compiled_once_for_any_number_of_spans(connection: Connection) -> None:
    """It takes 1.5 ms, and where the first people come online together all of them would wait for dozens."""
    made = []

    def noted(span: SpanParameters) -> Any:
        made.append(span)
        return seqs(span)

    query = SpanQuery(noted)
    for spans in (1, 8, 32, 70):
        list(query.run(connection, [LogSpan(1, 1, 9)] * spans))
    assert len(made) == 1
