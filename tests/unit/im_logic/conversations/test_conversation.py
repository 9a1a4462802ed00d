from dataclasses import replace

from im_logic.conversations.conversation import ConversationKind, Membership, Role
from tests.logic_support.states import conversation, place


def test_a_place_sees_what_lies_in_one_of_its_windows() -> None:
    stays = place(1, windows=((3, 5), (9, 0)))
    assert [seq for seq in range(1, 12) if stays.sees(seq)] == [3, 4, 5, 9, 10, 11]


def test_in_the_world_room_no_row_means_in_from_the_beginning() -> None:
    world = replace(conversation(), kind=ConversationKind.WORLD, min_seq=4, complete=False)
    found = world.place(7)
    assert (found.state, found.role, found.windows) == (Membership.IN, Role.MEMBER, ((4, 0),))
    banned = replace(world, places={7: place(7, state=Membership.BANNED)})
    assert banned.place(7).state == Membership.BANNED


def test_elsewhere_no_row_means_never() -> None:
    group = conversation(1)
    assert group.place(7).state == Membership.NEVER
    assert group.knows(7)
    assert not replace(group, complete=False).knows(7)


def test_others_are_those_who_are_in() -> None:
    group = conversation(1, 2, 3)
    group.places[2] = place(2, state=Membership.LEFT)
    assert group.others_in(1) == [3]
