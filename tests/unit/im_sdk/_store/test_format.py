from im_sdk import (
    Conversation,
    ConversationKind,
    Custom,
    Membership,
    Mention,
    Message,
    MessageKind,
    Notice,
    NoticeKind,
    Role,
    Tokens,
    User,
    UserKind,
)
from im_sdk._store import format as form

MESSAGE = Message(
    conversation_id=1,
    seq=2,
    message_id=2**60,
    sender_id=3,
    client_message_id="id",
    server_time=4,
    kind=MessageKind.CUSTOM,
    text="größer",
    mentions=(Mention(5, 0, 1),),
    custom=Custom("poll", b"\x00\xff", "a poll"),
    notice=Notice(NoticeKind.ADDED, 3, (4, 5), "T", 6),
    ref_seq=7,
    changed_seq=8,
    edit_time=9,
    recalled=False,
    outgoing=True,
)


def test_a_message_survives() -> None:
    assert form.load_message(form.dump_message(MESSAGE)) == MESSAGE


def test_a_conversation_survives() -> None:
    conversation = Conversation(
        conversation_id=1,
        kind=ConversationKind.GROUP,
        title="T",
        peer_id=0,
        dissolved=False,
        member_count=3,
        role=Role.OWNER,
        membership=Membership.IN,
        large=False,
        max_seq=9,
        local_seq=8,
        read_seq=7,
        unread=1,
        mentioned=True,
        peer_received_seq=0,
        peer_read_seq=0,
        active_time=5,
        last_message=MESSAGE,
    )
    assert form.load_conversation(form.dump_conversation(conversation)) == conversation


def test_tokens_survive() -> None:
    tokens = Tokens(User(1, "ada", "Ada", UserKind.REGISTERED), 2, "device", "access", 3, "refresh")
    assert form.load_tokens(form.dump_tokens(tokens)) == tokens
