"""Checksums by conversation or user, and what two sides of them say."""

from typing import Any

from im_repo.schema import INVITE, MEMBER_WINDOW, SESSION
from im_repo.transfer.checksums import Checksum, Read, checksums, compare, group_name
from im_repo.transfer.key_order import key_of

Window = tuple[int, int, int, int]


def reading(table: Any, rows: list[Any], limit: int = 2) -> Read:
    """Reads a list as a table is read."""

    async def read(after: Any) -> list[Any]:
        return [row for row in rows if after is None or key_of(table, row) > after][:limit]

    return read


def windows(*conversation_ids: int) -> list[Window]:
    return [(conversation_id, number, 1, 0) for number, conversation_id in enumerate(conversation_ids)]


async def sums(rows: list[Window], limit: int = 2) -> list[Checksum]:
    return [checksum async for checksum in checksums(MEMBER_WINDOW, reading(MEMBER_WINDOW, rows, limit))]


async def test_there_is_one_for_each_conversation_whatever_the_batches() -> None:
    rows = windows(5, 5, 5, 6, 9, 9)
    expected = await sums(rows, 1)
    assert [(each.group, each.rows) for each in expected] == [(5, 3), (6, 1), (9, 2)]
    for limit in (2, 3, 100):
        assert await sums(rows, limit) == expected
    assert await sums([]) == []


async def test_it_tells_any_change_of_any_row() -> None:
    (whole,) = await sums(windows(5, 5))
    for other in (
        [(5, 0, 1, 0)],
        [(5, 0, 1, 0), (5, 1, 1, 9)],
        [(5, 0, 1, 0), (5, 2, 1, 0)],
        [(5, 1, 1, 0), (5, 0, 1, 0)],
    ):
        assert (await sums(other))[0].digest != whole.digest


async def test_a_value_filled_up_with_zeros_is_the_same() -> None:
    """A server fills fixed lengths up; it cannot tell whether the value was shorter."""
    names = [column.name for column in SESSION.columns]

    async def digest(previous_hash: bytes) -> bytes:
        row = tuple(
            previous_hash if name == "previous_hash" else b"x" * 32 if name == "refresh_hash" else 0 for name in names
        )
        return (await anext(checksums(SESSION, reading(SESSION, [row])))).digest

    assert await digest(b"") == await digest(bytes(32))
    assert await digest(b"") != await digest(b"\1")


def test_tables_are_grouped_by_what_their_key_begins_with() -> None:
    assert group_name(MEMBER_WINDOW) == "conversation_id"
    assert group_name(INVITE) is None


async def compared(here: list[Window], there: list[Window]) -> tuple[list[str], int]:
    told = 0

    def tell(rows: int) -> None:
        nonlocal told
        told += rows

    found = await compare(MEMBER_WINDOW, reading(MEMBER_WINDOW, here), reading(MEMBER_WINDOW, there), told=tell)
    return found.differences, told


async def test_the_same_on_both_sides() -> None:
    assert await compared(windows(5, 5, 6), windows(5, 5, 6)) == ([], 3)


async def test_groups_of_one_side_only_are_told_wherever_they_lie() -> None:
    few, many = [(5, 0, 1, 0)], [(4, 0, 1, 0), (5, 0, 1, 0), (6, 0, 1, 0)]
    more = [f"member_window of conversation_id {number}: 0 rows were sent, 1 arrived" for number in (4, 6)]
    assert (await compared(few, many))[0] == more
    less = [f"member_window of conversation_id {number}: 1 rows were sent, 0 arrived" for number in (4, 6)]
    assert (await compared(many, few))[0] == less


async def test_no_more_than_ten_are_told() -> None:
    assert len((await compared(windows(*range(50)), []))[0]) == 10
    assert len((await compared([], windows(*range(50))))[0]) == 10
