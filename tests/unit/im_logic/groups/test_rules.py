from dataclasses import replace

import pytest

from im_infra import error_table
from im_logic.conversations.conversation import ConversationKind, Membership, Place, Role
from im_logic.groups import rules
from im_logic.messaging.rules import UserKind
from tests.logic_support.states import conversation, place

GROUP = conversation(1, 2)


@pytest.mark.parametrize(
    ("who", "terms"),
    [
        (place(1, role=Role.OWNER), (Role.OWNER, Role.ADMIN)),
        (place(1, role=Role.ADMIN), (Role.ADMIN, Role.MEMBER)),
        (place(1), error_table.PERMISSION_DENIED),
        (place(1, state=Membership.LEFT), error_table.NOT_A_MEMBER),
    ],
)
def test_the_owner_removes_anybody_and_an_admin_plain_members(who: Place, terms: object) -> None:
    found = rules.removal_terms(GROUP, who)
    assert (tuple(found) if isinstance(found, rules.RemovalTerms) else found.reason) == terms


def test_anybody_in_it_but_a_guest_adds() -> None:
    assert rules.may_change_members(GROUP, place(1), UserKind.REGISTERED) is None
    assert rules.may_change_members(GROUP, place(1), UserKind.GUEST) is not None


def test_only_the_owner_dissolves() -> None:
    assert rules.may_dissolve(GROUP, place(1, role=Role.OWNER)) is None
    assert rules.may_dissolve(GROUP, place(1, role=Role.ADMIN)) is not None


def test_private_chats_and_the_world_room_have_no_such_changes() -> None:
    for kind in (ConversationKind.DIRECT, ConversationKind.WORLD):
        refusal = rules.may_leave(replace(GROUP, kind=kind), place(1))
        assert refusal is not None
        assert refusal.reason is error_table.PERMISSION_DENIED


def test_a_dissolved_group_changes_no_more() -> None:
    refusal = rules.may_leave(replace(GROUP, status=2), place(1))
    assert refusal is not None
    assert refusal.reason is error_table.CONVERSATION_DISSOLVED


def test_guests_are_no_members() -> None:
    assert not rules.may_be_member(UserKind.GUEST)
    assert rules.may_be_member(UserKind.BOT)
