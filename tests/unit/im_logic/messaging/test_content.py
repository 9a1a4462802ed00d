import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_logic.messaging.content import ContentLimits, check_edit, check_message
from im_proto.v1.message_pb2 import Content, Custom, Mention, Notice, Text

LIMITS = ContentLimits(max_text_bytes=10, max_custom_bytes=10, max_mentions=2)


def text(words: str, *mentions: tuple[int, int, int]) -> Content:
    said = [Mention(user_id=user_id, offset=offset, length=length) for user_id, offset, length in mentions]
    return Content(text=Text(text=words, mentions=said))


def test_a_text_of_the_greatest_length_passes() -> None:
    checked = check_message(text("x" * 10), ref_seq=0, limits=LIMITS)
    assert Content.FromString(checked.body).text.text == "x" * 10
    assert checked.type == 1


def test_a_custom_body_passes() -> None:
    content = Content(custom=Custom(kind="poll", data=b"\x00\xff", fallback="a poll"))
    assert check_message(content, ref_seq=3, limits=LIMITS).type == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (text(""), error_table.FIELD_INVALID),
        (text("ä" * 6), error_table.TEXT_TOO_LONG),
        (text("hello", (1, 4, 2)), error_table.FIELD_INVALID),
        (text("hello", (1, -1, 2)), error_table.FIELD_INVALID),
        (text("hello", (1, 0, 0)), error_table.FIELD_INVALID),
        (text("hello", (1, 0, 1), (1, 0, 1), (1, 0, 1)), error_table.FIELD_INVALID),
        (Content(), error_table.FIELD_INVALID),
        (Content(notice=Notice()), error_table.FIELD_INVALID),
        (Content(edit=Text(text="x")), error_table.FIELD_INVALID),
        (Content(custom=Custom(data=b"x")), error_table.FIELD_INVALID),
        (Content(custom=Custom(kind="k" * 65)), error_table.FIELD_INVALID),
        (Content(custom=Custom(kind="k", data=b"x" * 11)), error_table.TEXT_TOO_LONG),
        (Content(custom=Custom(kind="k", fallback="x" * 1_025)), error_table.TEXT_TOO_LONG),
    ],
)
def test_what_may_not_be_said_is_refused(content: Content, reason: error_table.Reason) -> None:
    with pytest.raises(ImError) as caught:
        check_message(content, ref_seq=0, limits=LIMITS)
    assert caught.value.reason is reason


def test_everything_a_client_says_is_in_the_digest() -> None:
    said = [
        (text("a"), 0),
        (text("b"), 0),
        (text("a"), 1),
        (text("a", (1, 0, 1)), 0),
        (text("a", (2, 0, 1)), 0),
        (Content(custom=Custom(kind="a")), 0),
        (Content(custom=Custom(kind="a", data=b"x")), 0),
        (Content(custom=Custom(kind="a", fallback="x")), 0),
    ]
    digests = {check_message(content, ref_seq=ref_seq, limits=LIMITS).digest for content, ref_seq in said}
    assert len(digests) == len(said)
    assert check_edit(Text(text="a"), seq=0, limits=LIMITS).digest not in digests


def test_an_edit_is_stored_as_an_edit() -> None:
    checked = check_edit(Text(text="new"), seq=4, limits=LIMITS)
    assert Content.FromString(checked.body).edit.text == "new"
    with pytest.raises(ImError):
        check_edit(Text(), seq=4, limits=LIMITS)
