from im_proto.v1 import account_pb2, conversation_pb2, error_pb2, message_pb2
from im_sdk import ConflictError, Custom, Membership, Mention, MessageKind, NoticeKind, Role, UserKind
from im_sdk import _convert as convert


def test_a_text_with_its_mentions() -> None:
    content = convert.text_content("hi @ada", [Mention(7, 3, 4)])
    wire = message_pb2.Message(conversation_id=5, seq=2, sender_id=9, type=1, content=content, ref_seq=1)
    message = convert.message(wire, me=9)
    assert (message.text, message.mentions, message.ref_seq) == ("hi @ada", (Mention(7, 3, 4),), 1)
    assert message.kind is MessageKind.TEXT
    assert message.outgoing


def test_an_applications_own_body() -> None:
    custom = Custom("poll", b"\x00\x01", "a poll")
    wire = message_pb2.Message(type=2, content=convert.custom_content(custom), sender_id=3)
    message = convert.message(wire, me=9)
    assert (message.custom, message.text, message.outgoing) == (custom, None, False)


def test_notices() -> None:
    change = message_pb2.MembersChange(actor_id=1, user_ids=[2, 3], title="T", owner_id=4)
    for kind in ("created", "added", "left", "removed"):
        notice = convert.notice(message_pb2.Notice(**{kind: change}))  # type: ignore[arg-type]
        assert notice.kind is NoticeKind(kind)
        assert (notice.actor_id, notice.user_ids, notice.title, notice.owner_id) == (1, (2, 3), "T", 4)
    dissolved = convert.notice(message_pb2.Notice(dissolved=message_pb2.Dissolved(actor_id=5)))
    assert (dissolved.kind, dissolved.actor_id) == (NoticeKind.DISSOLVED, 5)
    assert convert.notice(message_pb2.Notice()).kind is NoticeKind.UNKNOWN


def test_what_a_newer_server_says_has_a_value() -> None:
    assert convert.message(message_pb2.Message(type=99), 1).kind is MessageKind.UNKNOWN  # type: ignore[arg-type]
    assert convert.user(account_pb2.User(kind=99)).kind is UserKind.UNKNOWN  # type: ignore[arg-type]
    assert convert.role(99) is Role.MEMBER
    assert convert.membership(99) is Membership.NONE


def test_a_conflict_carries_what_is_stored() -> None:
    wire = error_pb2.Error(number=4001, name="CONFLICT", message="", stored=message_pb2.SendResponse(seq=8))
    error = convert.error(wire)
    assert isinstance(error, ConflictError)
    assert error.stored is not None
    assert error.stored.seq == 8


def test_members_and_devices() -> None:
    member = convert.member(conversation_pb2.Member(user_id=1, role=3, state=1, muted_until_time=9))
    assert (member.role, member.membership, member.muted_until_time) == (Role.OWNER, Membership.IN, 9)
    device = convert.device(account_pb2.Device(session_id=4, device_class=1, current=True))
    assert (device.session_id, device.device_class, device.current) == (4, 1, True)
