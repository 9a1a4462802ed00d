"""Batches in one round trip: they leave what those leave that look first, and nothing where they guessed wrong."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from im_proto.repo.v1.stream_pb2 import OutboxRanges
from im_repo.log.draft import Effects, Guards, MemberChange
from im_repo.schema import CONVERSATION, MESSAGE, OUTBOX
from tests.support.append_bench import LOG, Bench, open_bench
from tests.support.database_faults import MariadbFaults
from tests.support.databases import AnyDatabase

pytestmark = pytest.mark.parametrize("any_database", ["mariadb"], indirect=True)


@pytest.fixture
def bench(any_database: AnyDatabase, ids: Any) -> Callable[..., Any]:
    """An appender on this database, to be opened."""
    return partial(open_bench, any_database, ids)


async def sent(one: Bench, *drafts: Any) -> list[Any]:
    return [await asker.result() for asker in one.send(*drafts)]


async def change(one: Bench, log: int, **columns: object) -> None:
    """As another process does it."""
    await one.database.write(
        lambda connection: connection.execute(
            update(CONVERSATION).where(CONVERSATION.c.conversation_id == log).values(**columns)
        )
    )


async def rows(one: Bench, table: Any, *order: Any) -> list[dict[str, Any]]:
    def read(connection: Connection) -> list[dict[str, Any]]:
        return [dict(row._mapping) for row in connection.execute(select(table).order_by(*order))]

    return await one.database.read(read)


async def test_known_conversations_take_one_round_trip(bench: Any, draft: Any) -> None:
    """Rows, heads, outbox and answers are those of any append."""
    async with bench() as one:
        await one.meet(draft)
        before = await rows(one, CONVERSATION, CONVERSATION.c.conversation_id)
        drafts = [draft(LOG + 1, 5), draft(LOG, 6), draft(LOG, 7), draft(LOG, 6), draft(LOG + 2, 1)]
        results = await sent(one, *drafts)
        assert (one.watched.batches, one.watched.at_once) == (2, 1)
        assert [(each.status, each.seq, each.count) for each in results] == [
            (1, 2, 2), (1, 2, 2), (1, 3, 3), (1, 4, 4), (1, 2, 2),
        ]  # fmt: skip
        stored = {(row["conversation_id"], row["seq"]): row for row in await rows(one, MESSAGE, MESSAGE.c.seq)}
        for result, asked in zip(results, drafts, strict=True):
            row = stored[result.conversation_id, result.seq]
            assert (row["sender_id"], row["client_message_id"], row["digest"], row["body"]) == (
                asked.sender_id, asked.client_message_id, asked.digest, asked.body,
            )  # fmt: skip
            assert (row["count"], row["message_id"], row["server_time"]) == (
                result.count, result.message_id, result.server_time,
            )  # fmt: skip
            assert (row["type"], row["flags"], row["ref_seq"]) == (1, 4, 0)
        time = results[0].server_time
        for was, grown, now in zip(
            before, (3, 1, 1), await rows(one, CONVERSATION, CONVERSATION.c.conversation_id), strict=True
        ):
            was["max_seq"] += grown
            was["max_count"] += grown
            assert was["last_time"] <= time
            assert now == {**was, "last_time": time, "active_time": time}
        [outbox] = [row for row in await rows(one, OUTBOX, OUTBOX.c.id) if row["id"] == results[0].outbox_id]
        assert {each.outbox_id for each in results} == {outbox["id"]}
        assert (outbox["created_time"], outbox["next_time"], outbox["owner"]) == (time, time + 3_000, "boot")
        ranges = OutboxRanges.FromString(outbox["ranges"]).ranges
        assert {(each.conversation_id, each.from_seq, each.to_seq, each.fanout) for each in ranges} == {
            (LOG, 2, 4, 1), (LOG + 1, 2, 2, 1), (LOG + 2, 2, 2, 1),
        }  # fmt: skip


async def test_what_another_process_appended_is_not_written_over(bench: Any, draft: Any) -> None:
    """Two with the same conversations: each is refused once, looks, and goes on behind the other."""
    async with bench() as one, bench(seed=False) as other:
        await one.meet(draft)
        assert [each.seq for each in await sent(other, draft(LOG, 2), draft(LOG, 2))] == [2, 3]
        assert [each.seq for each in await sent(one, draft(LOG, 1), draft(LOG + 1, 1))] == [4, 2]
        assert (one.watched.batches, one.watched.at_once) == (3, 1)
        assert one.stale() == 1
        assert [each.seq for each in await sent(one, draft(LOG, 1))] == [5]
        assert (one.watched.batches, one.watched.at_once, one.stale()) == (4, 2, 1)
        assert [each.seq for each in await sent(other, draft(LOG, 2))] == [6]
        assert other.stale() == 1
        assert await one.count() == 9


async def test_a_message_that_was_stored_before_is_not_stored_again(bench: Any, draft: Any) -> None:
    """By another process or by this one; its neighbours pass. The same id with other words is a conflict."""
    async with bench() as one, bench(seed=False) as other:
        await one.meet(draft)
        mine, theirs = draft(LOG, 1), draft(LOG + 1, 2)
        [first] = await sent(one, mine)
        [second] = await sent(other, theirs)
        await sent(one, draft(LOG + 1, 1))
        results = await sent(one, draft(LOG, 1), mine, theirs)
        assert [(each.status, each.seq) for each in results] == [(1, 3), (2, first.seq), (2, second.seq)]
        [asker] = one.send(mine._replace(digest=bytes(16)))
        assert await asker.reason() == "CONFLICT"
        assert await one.count() == 7


async def test_twice_in_a_batch_is_looked_at_first(bench: Any, draft: Any) -> None:
    async with bench() as one:
        await one.meet(draft)
        same = draft(LOG, 1)
        results = await sent(one, same, same)
        assert [(each.status, each.seq) for each in results] == [(1, 2), (2, 2)]
        assert one.watched.at_once == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"guards": Guards(min_gap_ms=1)},
        {"effects": Effects(members=[MemberChange(9, 1)])},
        {"seen_seq": 1},
        {"countable": False},
        {"deny_version": 7},
    ],
)
async def test_what_more_than_the_row_decides_about_is_looked_at_first(bench: Any, draft: Any, fields: Any) -> None:
    async with bench() as one:
        await one.meet(draft)
        [result] = await sent(one, draft(LOG, 1, **fields))
        assert result.status == (3 if "deny_version" in fields else 1)
        assert one.watched.at_once == 0


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({"deny_version": 2}, 3),
        ({"member_version": 2}, 1),
        ({"epoch": 2}, 1),
        ({"fanout": 2}, 1),
        ({"fanout": 2, "fanout_time": 1}, 1),
        ({"max_count": 9}, 1),
    ],
)
async def test_what_changed_meanwhile_counts(bench: Any, draft: Any, columns: Any, status: Any) -> None:
    """The answer is of the row as it is, not as it was known."""
    async with bench() as one:
        await one.meet(draft)
        await change(one, LOG, **columns)
        [result] = await sent(one, draft(LOG, 1))
        assert (one.watched.at_once, one.stale()) == (1, 1)
        assert result.status == status
        assert result.deny_version == columns.get("deny_version", 1)
        assert result.member_version == columns.get("member_version", 1)
        assert result.epoch == columns.get("epoch", 1)
        if status == 1:
            assert result.fanout == columns.get("fanout", 1)
            assert result.count == columns.get("max_count", 1) + 1
            [result] = await sent(one, draft(LOG, 1))
            assert (result.seq, one.watched.at_once, one.stale()) == (3, 2, 1)


async def test_nothing_is_stored_where_a_conversation_was_dissolved_meanwhile(bench: Any, draft: Any) -> None:
    """Its neighbours of the batch are."""
    async with bench() as one:
        await one.meet(draft)
        await change(one, LOG, status=2)
        good, bad = one.send(draft(LOG + 1, 1), draft(LOG, 1))
        assert await bad.reason() == "CONVERSATION_DISSOLVED"
        assert (await good.result()).seq == 2
        [bad] = one.send(draft(LOG, 1))
        assert await bad.reason() == "CONVERSATION_DISSOLVED"
        assert await one.count() == 4


async def test_times_never_go_back(bench: Any, draft: Any) -> None:
    """A conversation that is ahead of the database's clock stays there, and takes no other one along."""
    async with bench() as one:
        ahead = (await sent(one, draft(LOG + 1, 1)))[0].server_time + 3_600_000
        await change(one, LOG, last_time=ahead)
        assert [each.server_time for each in await sent(one, draft(LOG, 1))] == [ahead]
        first, second = await sent(one, draft(LOG, 1), draft(LOG + 1, 1))
        assert one.watched.at_once == 1
        assert first.server_time == ahead > second.server_time
        stored = await rows(one, MESSAGE, MESSAGE.c.conversation_id, MESSAGE.c.seq)
        assert [row["server_time"] for row in stored] == [ahead, ahead, ahead - 3_600_000, second.server_time]
        heads = await rows(one, CONVERSATION, CONVERSATION.c.conversation_id)
        assert [(row["last_time"], row["active_time"]) for row in heads[:2]] == [
            (ahead, ahead), (second.server_time, second.server_time),
        ]  # fmt: skip


async def test_both_ways_are_told_after_a_change_of_class(bench: Any, draft: Any) -> None:
    async with bench() as one:
        now = (await sent(one, draft(LOG + 1, 1)))[0].server_time
        await change(one, LOG, fanout=2, fanout_time=now)
        results = [(await sent(one, draft(LOG, 1)))[0] for _ in range(2)]
        assert one.watched.at_once == 1
        assert [(each.fanout, each.previous_fanout) for each in results] == [(2, 1), (2, 1)]


async def test_each_statement_failing_in_turn_leaves_nothing(
    bench: Any, draft: Any, any_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COMMIT among them; then the same drafts pass, by looking first: what is known after a failure is nothing."""
    faults = MariadbFaults(any_database, monkeypatch)
    async with bench() as one:
        [first] = await sent(one, draft(LOG, 2))
        drafts = [draft(LOG, 1), draft(LOG, 1)]
        for statement in range(5):
            one.pending.confirm(first.outbox_id, LOG, from_seq=0, to_seq=first.seq)
            with faults.failing(statement) as seen:
                askers = one.send(*drafts)
                assert [await asker.reason() for asker in askers] == ["STORAGE_FULL"] * 2
            assert len(seen) > statement
            assert one.watched.at_once == statement + 1
            assert await one.count() == statement + 1
            [again] = await sent(one, draft(LOG, 3))
            assert (again.seq, one.watched.at_once) == (statement + 2, statement + 1)
            first = again
        assert seen[-1] == "COMMIT"
        assert [each.seq for each in await sent(one, *drafts)] == [7, 8]
