from dataclasses import replace

import pytest

from im_infra import error_table
from im_logic.conversations.conversation import Conversation, ConversationKind, Membership, Place, Role
from im_logic.messaging import rules
from im_logic.messaging.rules import UserKind
from tests.logic_support.states import conversation, place

NOW = 1_000
GROUP = conversation(1, 2)
WORLD = replace(GROUP, kind=ConversationKind.WORLD, places={}, complete=False)
DIRECT = replace(GROUP, kind=ConversationKind.DIRECT)


@pytest.mark.parametrize(
    ("where", "who", "kind", "reason"),
    [
        (GROUP, place(1), UserKind.REGISTERED, None),
        (GROUP, place(1), UserKind.BOT, None),
        (GROUP, place(1, state=Membership.NEVER), UserKind.REGISTERED, error_table.CONVERSATION_NOT_FOUND),
        (GROUP, place(1, state=Membership.LEFT), UserKind.REGISTERED, error_table.NOT_A_MEMBER),
        (GROUP, place(1, state=Membership.REMOVED), UserKind.ADMIN, error_table.NOT_A_MEMBER),
        (GROUP, place(1, state=Membership.BANNED), UserKind.REGISTERED, error_table.NOT_A_MEMBER),
        (GROUP, place(1, muted_until_time=NOW + 1), UserKind.REGISTERED, error_table.MUTED),
        (GROUP, place(1, muted_until_time=NOW), UserKind.REGISTERED, None),
        (replace(GROUP, status=2), place(1), UserKind.REGISTERED, error_table.CONVERSATION_DISSOLVED),
        (GROUP, place(1), UserKind.GUEST, error_table.PERMISSION_DENIED),
        (DIRECT, place(1), UserKind.GUEST, error_table.PERMISSION_DENIED),
        (replace(DIRECT, max_seq=1), place(1), UserKind.GUEST, None),
        (WORLD, WORLD.place(1), UserKind.GUEST, None),
        (WORLD, place(1, state=Membership.BANNED), UserKind.GUEST, error_table.NOT_A_MEMBER),
    ],
)
def test_who_may_send(where: Conversation, who: Place, kind: int, reason: error_table.Reason | None) -> None:
    refusal = rules.may_send(where, who, kind, NOW)
    assert (refusal and refusal.reason) is reason


def test_a_mute_says_how_long_it_lasts() -> None:
    refusal = rules.may_send(GROUP, place(1, muted_until_time=NOW + 70), UserKind.REGISTERED, NOW)
    assert refusal is not None
    assert refusal.retry_after_ms == 70


def test_typing_is_for_conversations_that_are_not_too_large() -> None:
    assert rules.may_type(GROUP, place(1), UserKind.REGISTERED, NOW, max_members=2) is None
    assert rules.may_type(GROUP, place(1), UserKind.REGISTERED, NOW, max_members=1) is not None
    assert rules.may_type(WORLD, WORLD.place(1), UserKind.REGISTERED, NOW, max_members=2) is not None


def test_slow_mode_slows_guests_always_and_moderators_never() -> None:
    slow = replace(WORLD, slow_mode_ms=3_000)
    assert rules.slow_mode_ms(slow, place(1), UserKind.REGISTERED, guest_ms=5_000) == 3_000
    assert rules.slow_mode_ms(slow, place(1, role=Role.ADMIN), UserKind.REGISTERED, guest_ms=5_000) == 0
    assert rules.slow_mode_ms(slow, place(1), UserKind.ADMIN, guest_ms=5_000) == 0
    assert rules.slow_mode_ms(WORLD, place(1), UserKind.GUEST, guest_ms=5_000) == 5_000
    assert rules.slow_mode_ms(DIRECT, place(1), UserKind.GUEST, guest_ms=5_000) == 0


def test_messages_of_others_are_recalled_by_admins_of_a_group_only() -> None:
    assert rules.may_recall_others(GROUP, place(1, role=Role.ADMIN), UserKind.REGISTERED)
    assert not rules.may_recall_others(GROUP, place(1), UserKind.ADMIN)
    assert not rules.may_recall_others(DIRECT, place(1, role=Role.OWNER), UserKind.ADMIN)
    assert rules.may_recall_others(WORLD, WORLD.place(1), UserKind.ADMIN)
    assert not rules.may_recall_others(WORLD, WORLD.place(1), UserKind.REGISTERED)
