"""Invites."""

import pytest
from sqlalchemy import Connection

from im_infra import error_table
from im_infra.errors import ImError
from im_repo.accounts.invites import create_invite, spend_invite


def refused(connection: Connection, code: str, now: int) -> bool:
    try:
        spend_invite(connection, code, now=now)
    except ImError as error:
        assert error.reason is error_table.INVITE_INVALID  # noqa: PT017 - both outcomes are asked for
        return True
    return False


def test_an_invite_is_good_for_its_number_of_uses(connection: Connection) -> None:
    create_invite(connection, "tea", uses=2, expire_time=0, now=10)
    assert [refused(connection, "tea", now=10**12) for _ in range(3)] == [False, False, True]
    assert refused(connection, "coffee", now=10)


def test_an_invite_expires(connection: Connection) -> None:
    create_invite(connection, "tea", uses=9, expire_time=20, now=10)
    assert not refused(connection, "tea", now=19)
    assert refused(connection, "tea", now=20)


@pytest.mark.parametrize(("uses", "expire_time"), [(0, 0), (-1, 0), (1, 10)])
def test_an_invite_that_is_good_for_nothing_is_not_made(connection: Connection, uses: int, expire_time: int) -> None:
    with pytest.raises(ImError) as caught:
        create_invite(connection, "tea", uses=uses, expire_time=expire_time, now=10)
    assert caught.value.reason is error_table.FIELD_INVALID
