"""From a send to the ack, the push and the confirmation, over a real repo."""

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_proto.v1.conversation_pb2 import OpenDirectRequest
from im_proto.v1.message_pb2 import (
    Content,
    EditMessageRequest,
    GetMessagesRequest,
    PullRequest,
    RecallMessageRequest,
    SendRequest,
    SendResponse,
    Text,
    TypingRequest,
)
from tests.logic_support.message_cluster import GUEST, MessageCluster, new_id, text


async def test_a_message_is_acked_pushed_to_everybody_but_the_sending_connection_and_confirmed(
    cluster: MessageCluster,
) -> None:
    alice, bob = await cluster.user(connections=(1, 2)), await cluster.user(connections=(3,))
    conversation_id = await cluster.direct(alice, bob)
    message_id = new_id()
    ack = await cluster.send(alice, conversation_id, "hello", message={"client_message_id": message_id}, connection=1)
    assert (ack.seq, ack.count, ack.duplicate, ack.client_message_id) == (1, 1, False, message_id)
    await cluster.until(lambda: cluster.pushed("message_push"))
    (push,) = [push for push in cluster.gateway.pushes if b"hello" in push.deliver.frame]
    assert sorted(push.deliver.connection_ids) == [2, 3]
    message = cluster.pushed("message_push")[0].message
    assert (message.seq, message.sender_id, message.content.text.text) == (1, alice, "hello")
    assert (message.client_message_id, message.server_time) == (message_id, ack.server_time)
    await cluster.send(alice, conversation_id, "again")  # its transaction deletes what was confirmed
    await cluster.until(lambda: len(cluster.pushed("message_push")) == 2)


async def test_a_repeated_send_answers_the_first_ack_and_is_pushed_again(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(), await cluster.user(connections=(3,))
    conversation_id = await cluster.direct(alice, bob)
    again = {"client_message_id": new_id()}
    first = await cluster.send(alice, conversation_id, message=again)
    second = await cluster.send(alice, conversation_id, message={**again, "attempt": 2})
    assert (second.seq, second.message_id, second.duplicate) == (first.seq, first.message_id, True)
    await cluster.until(lambda: len(cluster.pushed("message_push")) == 2)


async def test_another_content_under_the_same_id_is_a_conflict_that_carries_the_ack(cluster: MessageCluster) -> None:
    alice = await cluster.user()
    conversation_id = await cluster.direct(alice, alice)
    again = {"client_message_id": new_id()}
    first = await cluster.send(alice, conversation_id, "one", message=again)
    with pytest.raises(ImError) as caught:
        await cluster.send(alice, conversation_id, "other", message=again)
    assert caught.value.reason is error_table.CONFLICT
    assert SendResponse.FromString(caught.value.detail).message_id == first.message_id


async def test_an_id_made_too_long_ago_is_refused_unless_it_was_stored(cluster: MessageCluster) -> None:
    alice = await cluster.user()
    conversation_id = await cluster.direct(alice, alice)
    with pytest.raises(ImError) as caught:
        await cluster.send(
            alice, conversation_id, message={"client_message_id": new_id(15 * 24 * 3600 * 1000), "attempt": 2}
        )
    assert caught.value.reason is error_table.TOO_OLD


async def test_a_stranger_hears_that_there_is_no_such_conversation(cluster: MessageCluster) -> None:
    alice, bob, eve = [await cluster.user() for _ in range(3)]
    conversation_id = await cluster.direct(alice, bob)
    await cluster.send(alice, conversation_id)
    for operation in (
        {"send": SendRequest(conversation_id=conversation_id, client_message_id=new_id(), content=text("x"))},
        {"pull": PullRequest(conversation_id=conversation_id)},
        {"get_messages": GetMessagesRequest(conversation_id=conversation_id, seqs=[1])},
        {"typing": TypingRequest(conversation_id=conversation_id)},
        {"recall_message": RecallMessageRequest(conversation_id=conversation_id, seq=1, operation_id=new_id())},
    ):
        with pytest.raises(ImError) as caught:
            await cluster.ask(eve, **operation)
        assert caught.value.reason is error_table.CONVERSATION_NOT_FOUND, operation


async def test_messages_sent_without_waiting_are_stored_in_their_order(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(connections=(1,)), await cluster.user(connections=(2,))
    conversation_id = await cluster.direct(alice, bob)
    responders = [
        cluster.submit(
            alice,
            connection=1,
            send=SendRequest(conversation_id=conversation_id, client_message_id=new_id(), content=text(f"{number}")),
        )
        for number in range(50)
    ]
    await cluster.until(lambda: all(responder.count for responder in responders))
    assert [responder.frame.send.seq for responder in responders if responder.frame] == list(range(1, 51))
    await cluster.until(lambda: len(cluster.pushed("message_push")) == 50)
    assert [push.message.seq for push in cluster.pushed("message_push")] == list(range(1, 51))
    pulled = await cluster.ask(bob, pull=PullRequest(conversation_id=conversation_id, limit=200))
    assert [message.content.text.text for message in pulled.messages] == [f"{number}" for number in range(50)]


async def test_an_edit_and_a_recall_are_entries_that_change_their_target(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(), await cluster.user(connections=(2,))
    conversation_id = await cluster.direct(alice, bob)
    await cluster.send(alice, conversation_id, "first")
    edit = EditMessageRequest(conversation_id=conversation_id, seq=1, text=Text(text="better"), operation_id=new_id())
    assert (await cluster.ask(alice, edit_message=edit)).entry.seq == 2
    assert (await cluster.ask(alice, edit_message=edit)).entry.duplicate
    with pytest.raises(ImError) as caught:
        await cluster.ask(
            bob, recall_message=RecallMessageRequest(conversation_id=conversation_id, seq=1, operation_id=new_id())
        )
    assert caught.value.reason is error_table.PERMISSION_DENIED
    pulled = await cluster.ask(bob, pull=PullRequest(conversation_id=conversation_id))
    assert pulled.messages[0].content.text.text == "better"
    recall = RecallMessageRequest(conversation_id=conversation_id, seq=1, operation_id=new_id())
    assert (await cluster.ask(alice, recall_message=recall)).entry.seq == 3
    got = await cluster.ask(bob, get_messages=GetMessagesRequest(conversation_id=conversation_id, seqs=[1]))
    assert got.messages[0].recalled
    assert not got.messages[0].HasField("content")
    edit.operation_id = new_id()
    with pytest.raises(ImError) as caught:
        await cluster.ask(alice, edit_message=edit)
    assert caught.value.reason is error_table.TARGET_RECALLED
    await cluster.until(lambda: len(cluster.pushed("message_push", connection=2)) >= 3)


async def test_a_guest_answers_who_wrote_and_opens_nothing(cluster: MessageCluster) -> None:
    alice, guest = await cluster.user(), await cluster.user(GUEST)
    with pytest.raises(ImError) as caught:
        await cluster.ask(guest, kind=GUEST, open_direct=OpenDirectRequest(user_id=alice))
    assert caught.value.reason is error_table.PERMISSION_DENIED
    conversation_id = await cluster.direct(alice, guest)
    with pytest.raises(ImError) as caught:
        await cluster.send(guest, conversation_id, kind=GUEST)
    assert caught.value.reason is error_table.PERMISSION_DENIED
    await cluster.send(alice, conversation_id)
    assert (await cluster.send(guest, conversation_id, kind=GUEST)).seq == 2


async def test_typing_is_told_to_the_other_once_per_interval(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(connections=(1,)), await cluster.user(connections=(2,))
    conversation_id = await cluster.direct(alice, bob)
    for _ in range(3):
        await cluster.ask(alice, typing=TypingRequest(conversation_id=conversation_id))
    await cluster.until(lambda: cluster.pushed("typing_push"))
    await cluster.send(alice, conversation_id)
    await cluster.until(lambda: cluster.pushed("message_push"))
    assert [push.user_id for push in cluster.pushed("typing_push", connection=2)] == [alice]
    assert not cluster.pushed("typing_push", connection=1)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"client_message_id": "no"}, error_table.FIELD_INVALID),
        ({"content": Content()}, error_table.FIELD_INVALID),
        ({"content": text("")}, error_table.FIELD_INVALID),
        ({"content": text("x" * 16_385)}, error_table.TEXT_TOO_LONG),
        ({"ref_seq": -1}, error_table.FIELD_INVALID),
    ],
)
async def test_what_is_malformed_is_refused_at_once(
    cluster: MessageCluster, message: dict[str, object], reason: error_table.Reason
) -> None:
    alice = await cluster.user()
    with pytest.raises(ImError) as caught:
        await cluster.send(alice, 1, message=message)
    assert caught.value.reason is reason
