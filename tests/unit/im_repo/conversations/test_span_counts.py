"""Counts of many spans at once."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, event

from im_proto.v1.message_pb2 import MESSAGE_TYPE_NOTICE, MESSAGE_TYPE_RECALL
from im_repo.conversations.span_counts import SpanCounts, count_spans
from im_repo.conversations.span_query import LogSpan

ME, OTHER = 7, 8


def counted(connection: Connection, spans: Sequence[LogSpan]) -> list[SpanCounts]:
    found = dict(count_spans(connection, spans))
    return [found.get(index, SpanCounts()) for index in range(len(spans))]


def talk(seed: Any, conversation_id: int) -> None:
    seed.conversation(conversation_id, ME, OTHER)
    seed.say(conversation_id, 0, type=MESSAGE_TYPE_NOTICE)
    seed.say(conversation_id, ME)
    recalled = seed.say(conversation_id, OTHER)
    seed.say(conversation_id, OTHER, type=MESSAGE_TYPE_RECALL, ref_seq=recalled)
    for _ in range(conversation_id % 3):
        seed.say(conversation_id, OTHER)
    seed.say(conversation_id, OTHER, mentions=(ME,))


def expected(conversation_id: int) -> SpanCounts:
    return SpanCounts(countable=3 + conversation_id % 3, others=1 + conversation_id % 3, suspects=1)


@pytest.mark.parametrize("conversations", [1, 5, 40])
def test_a_reader_of_many_conversations_is_counted_as_one_at_a_time(
    connection: Connection, seed: Any, conversations: int
) -> None:
    for conversation_id in range(1, conversations + 1):
        talk(seed, conversation_id)
    spans = [LogSpan(conversation_id, 1, 9, ME) for conversation_id in range(conversations, 0, -1)]
    assert counted(connection, spans) == [expected(span.conversation_id) for span in spans]
    assert [counted(connection, [span]) for span in spans] == [[expected(span.conversation_id)] for span in spans]


def test_bounds_readers_and_conversations_are_kept_apart(connection: Connection, seed: Any) -> None:
    for conversation_id in (1, 2):
        talk(seed, conversation_id)
    spans = [
        LogSpan(1, 1, 9, ME),
        LogSpan(1, 1, 9, OTHER),
        LogSpan(2, 1, 9, ME),
        LogSpan(1, 2, 2, ME),
        LogSpan(3, 1, 9, ME),
    ]
    assert counted(connection, spans) == [
        expected(1), SpanCounts(countable=4, others=1), expected(2), SpanCounts(countable=1), SpanCounts(),
    ]  # fmt: skip
    apart = [LogSpan(1, 3, 5, ME), LogSpan(2, 6, 9, ME), LogSpan(3, 1, 9, ME)]
    assert counted(connection, apart) == [SpanCounts(2, 1, 0), SpanCounts(2, 2, 1), SpanCounts()]


def test_more_than_a_statement_takes(connection: Connection, seed: Any) -> None:
    for conversation_id in (1, 250, 450):
        talk(seed, conversation_id)
    spans = [LogSpan(conversation_id, 1, 9, ME) for conversation_id in range(1, 451)]
    found = counted(connection, spans)
    assert (found[0], found[249], found[449]) == (expected(1), expected(250), expected(450))
    assert sum(counts.countable for counts in found) == sum(expected(of).countable for of in (1, 250, 450))


def test_no_log_is_scanned(connection: Connection, seed: Any) -> None:
    for conversation_id in range(1, 13):
        seed.conversation(conversation_id, ME, OTHER)
        for _ in range(40):
            seed.say(conversation_id, OTHER)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(connection, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        asked.append((statement, parameters))

    spans = [LogSpan(conversation_id, 31, 35, ME) for conversation_id in range(1, 13)]
    assert counted(connection, spans) == [SpanCounts(5, 5, 0)] * 12
    for statement, parameters in asked.copy():
        if connection.dialect.name == "sqlite":
            plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            steps = [step for step in plan if "message" in step]
            assert steps
            assert {step.split(" ")[0] for step in steps} == {"SEARCH"}
        else:
            [step] = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).all()
            assert (step.type, step.key) == ("range", "PRIMARY")
            assert int(step.rows) <= 5 * len(spans)
            assert "temporary" not in (step.Extra or "")
