"""Rows of `member` and `member_window` as an append reads and writes them."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.sql.dml import Insert

from im_infra.sql.expressions import upsert
from im_repo.conversations.windows import Window, windows_in_sight
from im_repo.log.draft import Place
from im_repo.log.values import KIND_WORLD, STATE_IN
from im_repo.schema import MEMBER, MEMBER_WINDOW


def find_places(connection: Connection, conversation_id: int, user_ids: Iterable[int]) -> dict[int, Place]:
    """The member rows of those users, locked; who has none is left out."""
    rows = connection.execute(
        select(MEMBER.c.user_id, MEMBER.c.role, MEMBER.c.state, MEMBER.c.muted_until_time, MEMBER.c.joined_time)
        .where(MEMBER.c.conversation_id == conversation_id, MEMBER.c.user_id.in_(sorted(user_ids)))
        .order_by(MEMBER.c.user_id)
        .with_for_update()
    )
    return {row[0]: Place(*row[1:]) for row in rows}


_STAYS: Final = (
    select(MEMBER_WINDOW.c.from_seq, MEMBER_WINDOW.c.to_seq)
    .where(
        MEMBER_WINDOW.c.conversation_id == bindparam("of_conversation"), MEMBER_WINDOW.c.user_id == bindparam("of_user")
    )
    .order_by(MEMBER_WINDOW.c.from_seq)
)


def find_windows(connection: Connection, conversation_id: int, user_id: int, *, kind: int) -> tuple[Window, ...]:
    """What the user may see."""
    rows = connection.execute(_STAYS, {"of_conversation": conversation_id, "of_user": user_id})
    stays = tuple(Window(*row) for row in rows)
    if kind != KIND_WORLD:
        return stays
    this = (MEMBER.c.conversation_id == conversation_id) & (MEMBER.c.user_id == user_id)
    return windows_in_sight(stays, kind=kind, state=connection.scalar(select(MEMBER.c.state).where(this)))


def find_successor(connection: Connection, conversation_id: int, departed: Iterable[int]) -> int | None:
    """Who owns a group next: the longest-standing admin, else member, of those who stay; None: nobody is left."""
    found: int | None = connection.scalar(
        select(MEMBER.c.user_id)
        .where(
            MEMBER.c.conversation_id == conversation_id,
            MEMBER.c.state == STATE_IN,
            MEMBER.c.user_id.not_in(list(departed)),
        )
        .order_by(MEMBER.c.role.desc(), MEMBER.c.joined_time, MEMBER.c.user_id)
        .limit(1)
    )
    return found


def save_places(
    connection: Connection, conversation_id: int, places: Mapping[int, Place], *, version: int, now: int
) -> None:
    """Write member rows, new or changed, under the conversation's new member_version."""
    connection.execute(
        _save_place(connection.dialect.name),
        [
            {
                "conversation_id": conversation_id,
                "user_id": user_id,
                "role": place.role,
                "state": place.state,
                "muted_until_time": place.muted_until_time,
                "joined_time": place.joined_time,
                "left_time": 0 if place.state == STATE_IN else now,
                "version": version,
            }
            for user_id, place in sorted(places.items())
        ],
    )


def open_windows(connection: Connection, conversation_id: int, user_ids: Iterable[int], *, from_seq: int) -> None:
    """Let them see the log from `from_seq` on."""
    rows = [
        {"conversation_id": conversation_id, "user_id": user_id, "from_seq": from_seq, "to_seq": 0}
        for user_id in sorted(user_ids)
    ]
    if rows:
        connection.execute(_open_window(connection.dialect.name), rows)


def close_windows(connection: Connection, conversation_id: int, user_ids: Iterable[int], *, to_seq: int) -> None:
    """Let them see nothing after `to_seq`."""
    rows = [{"of_log": conversation_id, "of_user": user_id, "last": to_seq} for user_id in sorted(user_ids)]
    if rows:
        connection.execute(_CLOSE_WINDOW, rows)


@lru_cache(maxsize=4)
def _save_place(dialect: str) -> Insert:
    changed = ("role", "state", "muted_until_time", "joined_time", "left_time", "version")
    return upsert(
        dialect,
        MEMBER,
        key=("conversation_id", "user_id"),
        change=lambda new: {name: new[name] for name in changed},
    )


@lru_cache(maxsize=4)
def _open_window(dialect: str) -> Insert:
    # The same first seq comes twice only where a member who saw the whole log comes back to see it again.
    return upsert(
        dialect,
        MEMBER_WINDOW,
        key=("conversation_id", "user_id", "from_seq"),
        change=lambda new: {"to_seq": new["to_seq"]},
    )


_CLOSE_WINDOW = (
    update(MEMBER_WINDOW)
    .where(
        MEMBER_WINDOW.c.conversation_id == bindparam("of_log"),
        MEMBER_WINDOW.c.user_id == bindparam("of_user"),
        MEMBER_WINDOW.c.to_seq == 0,
    )
    .values(to_seq=bindparam("last"))
)
