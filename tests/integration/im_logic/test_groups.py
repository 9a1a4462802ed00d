"""Groups over a real repo: who is in, what they see, who hears of it."""

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_proto.v1.conversation_pb2 import (
    AddMembersRequest,
    CreateGroupRequest,
    DissolveGroupRequest,
    GetConversationRequest,
    LeaveGroupRequest,
    ListConversationsRequest,
    ListMembersRequest,
    RemoveMemberRequest,
)
from im_proto.v1.message_pb2 import PullRequest
from tests.logic_support.message_cluster import GUEST, MessageCluster, new_id


def joined(cluster: MessageCluster, connection: int) -> list[int]:
    """The conversations that a connection heard it was let into."""
    pushes = cluster.pushed("account_event_push", connection=connection)
    return [push.event.joined.conversation_id for push in pushes if push.event.HasField("joined")]


def seqs(cluster: MessageCluster, connection: int) -> set[int]:
    """The entries pushed to a connection; what was repeated is pushed again."""
    return {push.message.seq for push in cluster.pushed("message_push", connection=connection)}


async def test_a_group_is_made_once_and_its_members_hear_of_it(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(connections=(1,)), await cluster.user(connections=(2,))
    request = CreateGroupRequest(title=" Team ", user_ids=[bob], operation_id=new_id())
    made = await cluster.ask(alice, create_group=request)
    again = await cluster.ask(alice, create_group=request)
    conversation = made.head.conversation
    assert (conversation.title, conversation.member_count, conversation.role) == ("Team", 2, 3)
    assert again.head.conversation.conversation_id == conversation.conversation_id
    await cluster.until(lambda: joined(cluster, 2))
    assert joined(cluster, 2) == [conversation.conversation_id]
    await cluster.until(lambda: cluster.pushed("message_push", connection=2))
    notice = cluster.pushed("message_push", connection=2)[0].message
    assert list(notice.content.notice.created.user_ids) == [bob]
    request.title = "Other"
    with pytest.raises(ImError) as caught:
        await cluster.ask(alice, create_group=request)
    assert caught.value.reason is error_table.CONFLICT


async def test_a_group_of_more_than_an_entry_may_carry_has_them_all(cluster: MessageCluster) -> None:
    owner = await cluster.user()
    others = [await cluster.user() for _ in range(120)]
    conversation_id = await cluster.group(owner, *others)
    head = (await cluster.ask(owner, get_conversation=GetConversationRequest(conversation_id=conversation_id))).head
    assert (head.conversation.member_count, head.max_seq) == (121, 2)
    pulled = await cluster.ask(others[-1], pull=PullRequest(conversation_id=conversation_id))
    assert [message.seq for message in pulled.messages] == [1, 2]
    listed, token = [], ""
    while True:
        request = ListMembersRequest(conversation_id=conversation_id, page_size=50, page_token=token)
        page = await cluster.ask(owner, list_members=request)
        listed.extend(member.user_id for member in page.members)
        token = page.next_page_token
        if not token:
            break
    assert listed == sorted([owner, *others])


async def test_who_comes_in_later_sees_what_follows_and_who_goes_sees_what_was(cluster: MessageCluster) -> None:
    alice, bob, carol = [await cluster.user(connections=(number,)) for number in (1, 2, 3)]
    conversation_id = await cluster.group(alice, bob)
    await cluster.send(alice, conversation_id, "before")
    add = AddMembersRequest(conversation_id=conversation_id, user_ids=[bob, carol], operation_id=new_id())
    added = await cluster.ask(bob, add_members=add)
    assert list(added.user_ids) == [carol]
    assert list((await cluster.ask(bob, add_members=add)).user_ids) == [carol]
    await cluster.until(lambda: joined(cluster, 3))
    await cluster.send(carol, conversation_id, "hello", message={"ref_seq": 2})
    pulled = await cluster.ask(carol, pull=PullRequest(conversation_id=conversation_id))
    assert [message.seq for message in pulled.messages] == [3, 4]
    remove = RemoveMemberRequest(conversation_id=conversation_id, user_id=carol, operation_id=new_id())
    assert (await cluster.ask(alice, remove_member=remove)).entry.seq == 5
    await cluster.send(alice, conversation_id, "after")
    await cluster.until(lambda: seqs(cluster, 2) == {1, 2, 3, 4, 5, 6})
    assert seqs(cluster, 3) == {3, 4, 5}
    with pytest.raises(ImError) as caught:
        await cluster.send(carol, conversation_id)
    assert caught.value.reason is error_table.NOT_A_MEMBER
    pulled = await cluster.ask(carol, pull=PullRequest(conversation_id=conversation_id))
    assert [message.seq for message in pulled.messages] == [3, 4, 5]


async def test_a_reply_to_what_somebody_may_not_see_reaches_them_bare(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(connections=(1,)), await cluster.user(connections=(2,))
    conversation_id = await cluster.group(alice)
    await cluster.send(alice, conversation_id, "secret")
    add = AddMembersRequest(conversation_id=conversation_id, user_ids=[bob], operation_id=new_id())
    await cluster.ask(alice, add_members=add)
    await cluster.send(alice, conversation_id, "re: secret", message={"ref_seq": 2})
    await cluster.until(lambda: len(cluster.pushed("message_push", connection=2)) == 2)
    full = cluster.pushed("message_push", connection=1)[-1].message
    bare = cluster.pushed("message_push", connection=2)[-1].message
    assert (full.content.text.text, full.ref_seq) == ("re: secret", 2)
    assert (bare.seq, bare.ref_seq, bare.HasField("content")) == (full.seq, 2, False)


async def test_an_owner_who_leaves_hands_the_group_on_and_may_ask_again(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(), await cluster.user()
    conversation_id = await cluster.group(alice, bob)
    leave = LeaveGroupRequest(conversation_id=conversation_id, operation_id=new_id())
    entry = (await cluster.ask(alice, leave_group=leave)).entry
    again = (await cluster.ask(alice, leave_group=leave)).entry
    assert (again.seq, again.duplicate) == (entry.seq, True)
    head = (await cluster.ask(bob, get_conversation=GetConversationRequest(conversation_id=conversation_id))).head
    assert head.conversation.role == 3
    with pytest.raises(ImError) as caught:
        await cluster.ask(alice, leave_group=LeaveGroupRequest(conversation_id=conversation_id, operation_id=new_id()))
    assert caught.value.reason is error_table.NOT_A_MEMBER


async def test_a_dissolved_group_takes_nothing_and_stays_readable(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(), await cluster.user()
    conversation_id = await cluster.group(alice, bob)
    with pytest.raises(ImError) as caught:
        await cluster.ask(
            bob, dissolve_group=DissolveGroupRequest(conversation_id=conversation_id, operation_id=new_id())
        )
    assert caught.value.reason is error_table.PERMISSION_DENIED
    again = {"client_message_id": new_id()}
    first = await cluster.send(bob, conversation_id, message=again)
    dissolve = DissolveGroupRequest(conversation_id=conversation_id, operation_id=new_id())
    await cluster.ask(alice, dissolve_group=dissolve)
    assert (await cluster.ask(alice, dissolve_group=dissolve)).entry.duplicate
    with pytest.raises(ImError) as caught:
        await cluster.send(bob, conversation_id)
    assert caught.value.reason is error_table.CONVERSATION_DISSOLVED
    repeated = await cluster.send(bob, conversation_id, message={**again, "attempt": 2})
    assert (repeated.seq, repeated.duplicate) == (first.seq, True)
    assert (await cluster.ask(bob, pull=PullRequest(conversation_id=conversation_id))).messages


async def test_a_removal_elsewhere_stops_the_next_message_whatever_is_cached(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(), await cluster.user()
    conversation_id = await cluster.group(alice, bob)
    await cluster.send(bob, conversation_id)
    await cluster.change(
        ("UPDATE member SET state = 3 WHERE user_id = ?", (bob,)),
        ("UPDATE conversation SET deny_version = deny_version + 1", ()),
    )
    with pytest.raises(ImError) as caught:
        await cluster.send(bob, conversation_id)
    assert caught.value.reason is error_table.NOT_A_MEMBER


async def test_somebody_let_in_elsewhere_may_send_whatever_is_cached(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(), await cluster.user()
    conversation_id = await cluster.group(alice)
    await cluster.send(alice, conversation_id)  # now the state is cached, without bob
    await cluster.change(
        ("INSERT INTO member SELECT conversation_id, ?, 1, 1, 0, 1, 0, 2 FROM conversation", (bob,)),
        ("INSERT INTO member_window SELECT conversation_id, ?, 3, 0 FROM conversation", (bob,)),
        ("UPDATE conversation SET member_version = member_version + 1, member_count = 2", ()),
    )
    assert (await cluster.send(bob, conversation_id)).seq == 3


async def test_guests_are_not_members_and_strangers_are_told_apart(cluster: MessageCluster) -> None:
    alice, guest = await cluster.user(), await cluster.user(GUEST)
    for user_ids, reason in (([guest], error_table.PERMISSION_DENIED), ([7], error_table.USER_NOT_FOUND)):
        with pytest.raises(ImError) as caught:
            await cluster.ask(
                alice, create_group=CreateGroupRequest(title="T", user_ids=user_ids, operation_id=new_id())
            )
        assert caught.value.reason is reason
    with pytest.raises(ImError) as caught:
        await cluster.ask(guest, kind=GUEST, create_group=CreateGroupRequest(title="T", operation_id=new_id()))
    assert caught.value.reason is error_table.PERMISSION_DENIED


async def test_the_list_of_conversations_pages_and_takes_only_its_own_tokens(cluster: MessageCluster) -> None:
    alice, bob = await cluster.user(), await cluster.user()
    made = {await cluster.group(alice) for _ in range(5)}
    listed, token = [], ""
    while True:
        page = await cluster.ask(alice, list_conversations=ListConversationsRequest(page_size=2, page_token=token))
        listed.extend(head.conversation.conversation_id for head in page.heads)
        if not page.next_page_token:
            break
        token = page.next_page_token
    assert set(listed) == made
    assert len(listed) == 5
    for user_id, stolen in ((bob, token), (alice, token[:-2] + "AA")):
        with pytest.raises(ImError) as caught:
            await cluster.ask(user_id, list_conversations=ListConversationsRequest(page_size=2, page_token=stolen))
        assert caught.value.reason is error_table.PAGE_TOKEN_INVALID


async def test_the_world_room_is_everybodys_and_goes_over_the_bus(cluster: MessageCluster) -> None:
    world_id = await cluster.make_world()
    alice, guest = await cluster.user(), await cluster.user(GUEST)
    assert (await cluster.send(alice, world_id, "hello")).seq == 1
    assert (await cluster.send(alice, world_id, "again")).seq == 2
    assert (await cluster.send(guest, world_id, kind=GUEST)).seq == 3
    with pytest.raises(ImError) as caught:
        await cluster.send(guest, world_id, kind=GUEST)
    assert caught.value.reason is error_table.SLOW_MODE
    assert 0 < caught.value.retry_after_ms <= 5_000
    await cluster.until(lambda: [record.to_seq for record in cluster.bus.records][-1:] == [3])
    assert not cluster.pushed("message_push")
    pulled = await cluster.ask(guest, kind=GUEST, pull=PullRequest(conversation_id=world_id))
    assert [message.seq for message in pulled.messages] == [1, 2, 3]
    listed = await cluster.ask(guest, kind=GUEST, list_conversations=ListConversationsRequest())
    assert [head.conversation.conversation_id for head in listed.heads] == [world_id]
    for operation in (
        {"list_members": ListMembersRequest(conversation_id=world_id)},
        {"leave_group": LeaveGroupRequest(conversation_id=world_id, operation_id=new_id())},
    ):
        with pytest.raises(ImError) as caught:
            await cluster.ask(alice, **operation)
        assert caught.value.reason is error_table.PERMISSION_DENIED
