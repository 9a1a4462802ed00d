"""The bits of message.flags."""

from sqlalchemy import Connection, literal, select

from im_repo.conversations.message_flags import COUNTABLE, PURGED, RECALLED, has
from im_repo.log import values


def test_a_bit_is_told_from_the_others(connection: Connection) -> None:
    assert connection.scalar(select(has(literal(RECALLED | COUNTABLE), COUNTABLE)))
    assert not connection.scalar(select(has(literal(RECALLED | COUNTABLE), PURGED)))


def test_the_room_that_writes_them_means_the_same() -> None:
    assert (values.FLAG_RECALLED, values.FLAG_PURGED, values.FLAG_COUNTABLE) == (RECALLED, PURGED, COUNTABLE)
