"""Processes that append to the same conversations, each by what it knows: whatever happens, there is one log."""

import asyncio
import itertools
import random
from typing import Any

import pytest
from sqlalchemy import Connection, select

from im_infra.errors import ImError
from im_repo.log.draft import Draft, Guards
from im_repo.schema import CONVERSATION, MESSAGE
from tests.support.append_bench import LOG, Bench, open_bench
from tests.support.databases import AnyDatabase


class Ids:
    """Numbers that only ever grow, for every process."""

    def __init__(self) -> None:
        self._last = 0

    def next_ids(self, count: int) -> list[int]:
        self._last += count
        return list(range(self._last - count + 1, self._last + 1))


@pytest.mark.parametrize("any_database", ["mariadb"], indirect=True)
@pytest.mark.parametrize("seed", range(6))
async def test_one_dense_log_whoever_appends(any_database: AnyDatabase, seed: int) -> None:
    """Three processes, plain messages and others, repeats at any of them: stored once, numbered without a hole, told so."""
    chance = random.Random(seed)
    ids = Ids()
    told: dict[tuple[int, int, bytes], list[Any]] = {}
    async with (
        open_bench(any_database, ids, batch_items=8) as first,
        open_bench(any_database, ids, seed=False, batch_items=8) as second,
        open_bench(any_database, ids, seed=False, batch_items=8) as third,
    ):
        benches, numbers = (first, second, third), itertools.count(1)
        sent = [_draft(chance, next(numbers))]
        for turn in range(40):
            asked: list[tuple[Draft, Any]] = []
            for one in chance.sample(benches, chance.choice((1, 1, 2))):
                drafts = [
                    chance.choice(sent) if chance.random() < 0.15 else _draft(chance, next(numbers))
                    for _ in range(chance.randint(1, 12))
                ]
                sent += drafts
                asked += zip(drafts, one.send(*drafts), strict=True)
            answers = await asyncio.gather(*(asker.result() for _, asker in asked), return_exceptions=True)
            for (draft, _), answer in zip(asked, answers, strict=True):
                assert not isinstance(answer, BaseException) or isinstance(answer, ImError), turn
                told.setdefault(draft[:3], []).append(answer)
        await _check(first, told)
        assert sum(one.watched.at_once for one in benches) > 20
        assert sum(one.stale() for one in benches) > 0


def _draft(chance: random.Random, number: int) -> Draft:
    plain = chance.random() < 0.8
    return Draft(
        conversation_id=LOG + chance.randrange(3),
        sender_id=chance.randint(1, 4),
        client_message_id=number.to_bytes(16),
        digest=number.to_bytes(16),
        type=1,
        ref_seq=0,
        countable=plain or chance.random() < 0.5,
        body=b"x",
        deny_version=1,
        guards=None if plain else Guards(min_gap_ms=0),
    )


async def _check(one: Bench, told: dict[tuple[int, int, bytes], list[Any]]) -> None:
    rows, heads = await one.database.read(_read)
    by_identity = {(row.conversation_id, row.sender_id, row.client_message_id): row for row in rows}
    assert len(by_identity) == len(rows)
    for log in heads:
        log_rows = [row for row in rows if row.conversation_id == log.conversation_id]
        assert [row.seq for row in log_rows] == list(range(1, len(log_rows) + 1))
        counts, times = [row._mapping["count"] for row in log_rows], [row.server_time for row in log_rows]
        countable = [bool(row.flags & 4) for row in log_rows]
        assert counts == [sum(countable[: at + 1]) for at in range(len(log_rows))]
        assert times == sorted(times)
        assert (log.max_seq, log.max_count, log.last_time) == (len(log_rows), counts[-1], times[-1])
        assert log.active_time == max(time for time, counts_in in zip(times, countable, strict=True) if counts_in)
    assert set(by_identity) == set(told)
    for identity, answers in told.items():
        row = by_identity[identity]
        assert {(each.seq, each.count, each.message_id, each.server_time) for each in answers} == {
            (row.seq, row._mapping["count"], row.message_id, row.server_time)
        }
        assert [each.status for each in answers].count(1) == 1


def _read(connection: Connection) -> Any:
    rows = connection.execute(select(MESSAGE).order_by(MESSAGE.c.conversation_id, MESSAGE.c.seq)).all()
    return rows, connection.execute(select(CONVERSATION)).all()
