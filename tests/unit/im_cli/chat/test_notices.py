import pytest

from im_cli.chat.notices import joined, membership_text, message_text, notice_text, preview_of, title_of, typing_text
from im_sdk import ConversationKind, Custom, Membership, MessageKind, Notice, NoticeKind
from tests.chat_support.values import GRACE, GUEST, ME, conversation, message, people


@pytest.mark.parametrize(
    ("notice", "expected"),
    [
        (Notice(NoticeKind.CREATED, 1, (1, 2, 3), "Tea"), "You made the group “Tea” with Grace Hopper and Visitor"),
        (Notice(NoticeKind.ADDED, 2, (1,)), "Grace Hopper added you"),
        (Notice(NoticeKind.ADDED, 2, (1, 3)), "Grace Hopper added you and Visitor"),
        (Notice(NoticeKind.LEFT, 2, (2,), owner_id=1), "Grace Hopper left; you own the group now"),
        (Notice(NoticeKind.LEFT, 1, (1,), owner_id=2), "You left; Grace Hopper owns the group now"),
        (Notice(NoticeKind.REMOVED, 2, (3,)), "Grace Hopper removed Visitor"),
        (Notice(NoticeKind.DISSOLVED, 2), "Grace Hopper dissolved the group; it can be read, not written to"),
        (Notice(NoticeKind.UNKNOWN, 0), "Something changed that this version cannot show"),
        (None, "Something changed that this version cannot show"),
    ],
)
def test_notices_in_words(notice: Notice | None, expected: str) -> None:
    assert notice_text(notice, people()) == expected


def test_what_a_message_says_in_each_state() -> None:
    assert message_text(message(1, "hi")) == "hi"
    assert message_text(message(1, None, recalled=True)) == "This message was taken back"
    assert message_text(message(1, None)) == "[not available any more]"
    assert message_text(message(1, None, custom=Custom("poll", b"", "A poll"))) == "A poll"
    assert message_text(message(1, None, custom=Custom("poll", b""))) == "[poll: this version cannot show it]"
    assert message_text(message(1, None, kind=MessageKind.UNKNOWN)) == "[A newer version can show this]"


def test_titles() -> None:
    assert title_of(conversation(), people()) == "Grace Hopper"
    assert title_of(conversation(peer_id=ME.user_id), people()) == "Notes to myself"
    assert title_of(conversation(kind=ConversationKind.GROUP, title="Tea\ntime"), people()) == "Tea time"
    assert title_of(conversation(kind=ConversationKind.WORLD), people()) == "World room"


def test_previews() -> None:
    group = conversation(kind=ConversationKind.GROUP, last_message=message(1, "a\nb"))
    assert preview_of(group, people()) == "Grace Hopper: a b"
    assert preview_of(conversation(last_message=message(1, "hi")), people()) == "hi"
    assert preview_of(conversation(last_message=message(1, "hi", sender_id=ME.user_id)), people()) == "You: hi"
    assert preview_of(conversation(), people()) == "no messages yet"
    assert preview_of(conversation(unread=3), people()) == "new messages"
    assert preview_of(conversation(dissolved=True), people()) == "dissolved"
    assert preview_of(conversation(membership=Membership.REMOVED), people()) == "you were removed"
    assert membership_text(Membership.IN) == ""


def test_who_is_typing() -> None:
    assert typing_text([], people()) == ""
    assert typing_text([GRACE.user_id], people()) == "Grace Hopper is typing…"
    assert typing_text([GRACE.user_id, GUEST.user_id], people()) == "Grace Hopper and Visitor are typing…"
    assert typing_text([2, 3, 4], people()) == "3 people are typing…"


def test_many_names_are_counted() -> None:
    assert joined([1, 2, 3, 4, 5, 6], str) == "1, 2, 3 and 3 others"
