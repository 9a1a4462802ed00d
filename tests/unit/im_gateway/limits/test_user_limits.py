"""A user's buckets."""

from im_gateway.limits.user_limits import UserLimitTable
from im_gateway.settings import LimitSettings

SETTINGS = LimitSettings(sends_per_user_per_s=1, send_burst_per_user=1, typing_interval_s=3)


def test_all_of_a_user_share_them() -> None:
    table = UserLimitTable(SETTINGS)
    assert table.of(1, 0.0) is table.of(1, 5.0)
    assert table.of(1, 0.0) is not table.of(2, 0.0)


def test_idle_users_are_forgotten_and_busy_ones_not() -> None:
    table = UserLimitTable(SETTINGS)
    table.of(1, 0.0).sends.take(0.0)
    table.of(2, 0.0)
    table.forget_idle(0.5)
    assert len(table) == 1
    table.forget_idle(1.5)
    assert len(table) == 0


def test_typing_goes_on_once_per_interval_and_conversation() -> None:
    limits = UserLimitTable(SETTINGS).of(1, 0.0)
    assert [limits.take_typing(7, now) for now in (0.0, 2.9, 3.0)] == [True, False, True]
    assert limits.take_typing(8, 3.0)


def test_typing_in_many_conversations_keeps_little() -> None:
    limits = UserLimitTable(SETTINGS).of(1, 0.0)
    assert all(limits.take_typing(conversation_id, 0.0) for conversation_id in range(1000))
    assert limits._typing is not None
    assert len(limits._typing) <= 32
