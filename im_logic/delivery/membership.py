"""Who came or went hears of it: an account event on each of their devices, and their gateways for large conversations."""

from collections.abc import Iterator

from im_logic.conversations.conversation import Conversation, Membership, Place
from im_logic.delivery.committed import MembersChanged
from im_logic.delivery.parcel import Parcel
from im_proto.gateway.v1.gateway_pb2 import GatewayPush, MembershipChange
from im_proto.repo.v1.stream_pb2 import MemberEffect
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.session_pb2 import Check
from im_proto.v1.sync_pb2 import AccountEvent, AccountEventPush


def parcels(event: MembersChanged) -> Iterator[Parcel]:
    """What is pushed because of a change of members, in order."""
    for member in event.changed:
        if member.state == Membership.NEVER:
            continue
        yield Parcel(users=(member.user_id,), frame=_account_frame(event, member))
        if event.large:
            yield _gateway_parcel(_change(event, member), member.user_id)
    if event.turned_large is not None:
        yield from _interest(event, event.turned_large)


def _account_frame(event: MembersChanged, member: MemberEffect) -> bytes:
    """The account event itself where its pts is known, else the advice to fetch it."""
    if not member.pts:
        check = Check(account=True, conversation_ids=[event.conversation_id])
        return ServerFrame(check=check).SerializeToString()
    told = AccountEvent(pts=member.pts, time=event.time)
    if member.state == Membership.IN:
        told.joined.conversation_id = event.conversation_id
    else:
        told.left.conversation_id = event.conversation_id
        told.left.state = member.state  # type: ignore[assignment]  # an int of the same enum
    return ServerFrame(account_event_push=AccountEventPush(event=told)).SerializeToString()


def _change(event: MembersChanged, member: MemberEffect) -> MembershipChange:
    change = MembershipChange(
        conversation_id=event.conversation_id, user_id=member.user_id, member_version=event.member_version
    )
    if member.state == Membership.IN:
        change.from_seq = 1 if event.whole_history else event.seq
    else:
        change.to_seq = event.seq
    return change


def _interest(event: MembersChanged, before: Conversation) -> Iterator[Parcel]:
    """The gateways of everybody who was in already: until now nothing there was interested in the conversation."""
    told = {member.user_id for member in event.changed}
    for place in before.places.values():
        if place.state == Membership.IN and place.user_id not in told:
            change = MembershipChange(
                conversation_id=event.conversation_id,
                user_id=place.user_id,
                from_seq=_open_window(place),
                member_version=event.member_version,
            )
            yield _gateway_parcel(change, place.user_id)


def _open_window(place: Place) -> int:
    return next((first for first, last in place.windows if not last), 1)


def _gateway_parcel(change: MembershipChange, user_id: int) -> Parcel:
    push = GatewayPush(membership_change=change).SerializeToString()
    return Parcel(users=(user_id,), frame=b"", gateway_push=push)
