from dataclasses import replace

from im_logic.conversations.conversation import Membership
from im_logic.delivery.committed import MembersChanged
from im_logic.delivery.membership import parcels
from im_proto.gateway.v1.gateway_pb2 import GatewayPush
from im_proto.repo.v1.stream_pb2 import MemberEffect
from im_proto.v1.frame_pb2 import ServerFrame
from tests.logic_support.states import conversation

JOINED = MemberEffect(user_id=7, state=Membership.IN, pts=3)
GONE = MemberEffect(user_id=8, state=Membership.REMOVED, pts=4)
EVENT = MembersChanged(conversation_id=5, seq=9, time=1_000, member_version=2, changed=[JOINED, GONE], large=False)


def test_who_came_and_who_went_hear_their_account_event() -> None:
    came, went = parcels(EVENT)
    assert (list(came.users), list(went.users)) == ([7], [8])
    event = ServerFrame.FromString(came.frame).account_event_push.event
    assert (event.pts, event.time, event.joined.conversation_id) == (3, 1_000, 5)
    event = ServerFrame.FromString(went.frame).account_event_push.event
    assert (event.pts, event.left.conversation_id, event.left.state) == (4, 5, Membership.REMOVED)


def test_without_its_pts_they_are_told_to_look() -> None:
    (parcel,) = parcels(replace(EVENT, changed=[MemberEffect(user_id=7, state=Membership.IN)]))
    check = ServerFrame.FromString(parcel.frame).check
    assert (check.account, list(check.conversation_ids)) == (True, [5])


def test_gateways_hear_of_changes_in_large_conversations() -> None:
    changes = [
        GatewayPush.FromString(parcel.gateway_push).membership_change
        for parcel in parcels(replace(EVENT, large=True))
        if parcel.gateway_push
    ]
    assert [(change.user_id, change.from_seq, change.to_seq, change.member_version) for change in changes] == [
        (7, 9, 0, 2),
        (8, 0, 9, 2),
    ]


def test_of_one_that_turned_large_everybodys_gateways_hear() -> None:
    event = replace(EVENT, changed=[JOINED], large=True, turned_large=conversation(1, 2, 7), whole_history=True)
    changes = [
        GatewayPush.FromString(parcel.gateway_push).membership_change
        for parcel in parcels(event)
        if parcel.gateway_push
    ]
    assert {(change.user_id, change.from_seq) for change in changes} == {(1, 1), (2, 1), (7, 1)}
