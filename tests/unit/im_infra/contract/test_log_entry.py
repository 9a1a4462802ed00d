"""What repo keeps of an entry is what clients see."""

from uuid import UUID

from im_infra.contract.log_entry import bare, push_frame, to_message
from im_proto.repo.v1.stream_pb2 import LogEntry
from im_proto.v1.frame_pb2 import ServerFrame
from im_proto.v1.message_pb2 import Content, Text

ID = UUID("01936f2e-0000-7000-8000-000000000001")


def test_every_field_of_an_entry_reaches_the_client() -> None:
    entry = LogEntry(
        conversation_id=1, seq=2, count=3, message_id=4, sender_id=5, client_message_id=ID.bytes, type=1, ref_seq=6,
        server_time=7, body=Content(text=Text(text="hi")).SerializeToString(), changed_seq=8, edit_time=9,
    )  # fmt: skip
    message = to_message(entry)
    shared = ("conversation_id", "seq", "count", "message_id", "sender_id", "ref_seq", "type", "server_time")
    for name in (*shared, "changed_seq", "edit_time"):
        assert getattr(message, name) == getattr(entry, name), name
    assert message.client_message_id == str(ID)
    assert message.content.text.text == "hi"


def test_a_recalled_entry_has_no_content() -> None:
    message = to_message(LogEntry(client_message_id=ID.bytes, recalled=True))
    assert message.recalled
    assert not message.HasField("content")


def test_a_bare_copy_leaves_the_original_as_it_was() -> None:
    message = to_message(
        LogEntry(seq=2, client_message_id=ID.bytes, body=Content(text=Text(text="hi")).SerializeToString())
    )
    assert not bare(message).HasField("content")
    assert message.content.text.text == "hi"


def test_the_frame_is_a_push() -> None:
    message = to_message(LogEntry(seq=2, client_message_id=ID.bytes))
    assert ServerFrame.FromString(push_frame(message, epoch=3)).message_push.epoch == 3
