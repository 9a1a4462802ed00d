"""Read and received cursors, receipts and syncs, over a real repo."""

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_proto.v1.account_pb2 import FindUserRequest, GetUsersRequest
from im_proto.v1.read_pb2 import AckReceivedRequest, Cursor, MarkReadRequest
from im_proto.v1.sync_pb2 import OpenConversation, Since, SyncRequest
from tests.logic_support.message_cluster import MessageCluster


async def test_a_mark_is_answered_after_its_flush_and_told_to_both_sides(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(connections=(1,)), await cluster.user(connections=(2, 3))
    conversation_id = await cluster.direct(alice, bob)
    for _ in range(3):
        await cluster.send(alice, conversation_id)
    marks = [
        cluster.submit(bob, connection=2, mark_read=MarkReadRequest(conversation_id=conversation_id, seq=seq))
        for seq in (1, 2, 9)
    ]
    await cluster.until(lambda: all(mark.count for mark in marks))
    assert [(mark.frame.mark_read.read_seq, mark.frame.mark_read.unread) for mark in marks if mark.frame] == [
        (3, 0)
    ] * 3
    await cluster.until(lambda: cluster.pushed("receipt_push", connection=1))
    receipt = cluster.pushed("receipt_push", connection=1)[0].receipts[0]
    assert (receipt.user_id, receipt.read_seq) == (bob, 3)
    assert not cluster.pushed("receipt_push", connection=2)
    await cluster.until(lambda: cluster.pushed("account_event_push", connection=3))
    event = [push.event for push in cluster.pushed("account_event_push", connection=3)][-1]
    assert (event.read_moved.conversation_id, event.read_moved.read_seq) == (conversation_id, 3)


async def test_what_was_received_is_told_to_the_sender(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(connections=(1,)), await cluster.user()
    conversation_id = await cluster.direct(alice, bob)
    await cluster.send(alice, conversation_id)
    cursors = [Cursor(conversation_id=conversation_id, seq=1), Cursor(conversation_id=12345, seq=1)]
    await cluster.ask(bob, ack_received=AckReceivedRequest(cursors=cursors))
    await cluster.until(lambda: cluster.pushed("receipt_push", connection=1))
    receipt = cluster.pushed("receipt_push", connection=1)[0].receipts[0]
    assert (receipt.user_id, receipt.received_seq, receipt.read_seq) == (bob, 1, 0)


async def test_a_send_says_what_its_sender_has_read(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(connections=(1,)), await cluster.user()
    conversation_id = await cluster.direct(alice, bob)
    await cluster.send(alice, conversation_id)
    await cluster.send(bob, conversation_id, message={"seen_seq": 1})
    await cluster.until(lambda: cluster.pushed("receipt_push", connection=1))
    assert cluster.pushed("receipt_push", connection=1)[0].receipts[0].read_seq == 1


async def test_a_stranger_marks_nothing(cluster: MessageCluster) -> None:
    alice, eve = await cluster.user(), await cluster.user()
    conversation_id = await cluster.direct(alice, alice)
    await cluster.send(alice, conversation_id)
    with pytest.raises(ImError) as caught:
        await cluster.ask(eve, mark_read=MarkReadRequest(conversation_id=conversation_id, seq=1))
    assert caught.value.reason is error_table.NOT_A_MEMBER


async def test_a_first_sync_pages_everything_and_the_next_one_is_empty_but_for_the_overlap(
    cluster: MessageCluster,
) -> None:
    alice = await cluster.user()
    made = [await cluster.group(alice) for _ in range(5)]
    heads, token = [], ""
    while True:
        page = await cluster.ask(alice, sync=SyncRequest(page_size=2, page_token=token))
        heads.extend(head.conversation.conversation_id for head in page.heads)
        assert page.since.time > 0
        if not token:
            since = page.since
            assert [event.joined.conversation_id for event in page.events] == made
            assert page.pts == 5
        assert page.since == since
        token = page.next_page_token
        if not token:
            break
    assert heads == list(reversed(made))
    again = await cluster.ask(alice, sync=SyncRequest(pts=5, since=since))
    assert (list(again.events), again.reset, len(again.heads)) == ([], False, 5)
    hours = Since(time=since.time + 3_600_000, clock_generation=since.clock_generation)
    assert not (await cluster.ask(alice, sync=SyncRequest(pts=5, since=hours))).heads
    on_screen = [OpenConversation(conversation_id=made[0])]
    opened = await cluster.ask(alice, sync=SyncRequest(pts=5, since=hours, open=on_screen))
    assert [head.conversation.conversation_id for head in opened.heads] == [made[0]]
    other = Since(time=hours.time, clock_generation=since.clock_generation + 1)
    assert len((await cluster.ask(alice, sync=SyncRequest(pts=5, since=other))).heads) == 5


async def test_a_pts_from_the_future_begins_anew(cluster: MessageCluster) -> None:
    alice = await cluster.user()
    await cluster.group(alice)
    page = await cluster.ask(alice, sync=SyncRequest(pts=99, since=Since(time=2**50, clock_generation=0)))
    assert (page.reset, len(page.heads), page.pts) == (True, 1, 1)


async def test_users_are_found_by_id_and_by_handle(cluster: MessageCluster) -> None:
    alice = await cluster.user()
    found = await cluster.ask(alice, get_users=GetUsersRequest(user_ids=[alice, 5]))
    assert [user.user_id for user in found.users] == [alice]
    assert (await cluster.ask(alice, find_user=FindUserRequest(handle="@USER1"))).user.user_id == alice
    with pytest.raises(ImError) as caught:
        await cluster.ask(alice, find_user=FindUserRequest(handle="nobody"))
    assert caught.value.reason is error_table.USER_NOT_FOUND
