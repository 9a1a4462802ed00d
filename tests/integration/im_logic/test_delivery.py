"""What becomes of an entry when gateways, routes or confirmations fail, over a real repo."""

from collections.abc import AsyncIterator

import pytest

from im_infra.sql.sqlite import SqliteDatabase
from im_proto.repo.v1.stream_pb2 import LogEntry
from im_proto.v1.conversation_pb2 import AddMembersRequest, RemoveMemberRequest
from im_proto.v1.message_pb2 import RecallMessageRequest
from im_repo.settings import RepoSettings
from tests.logic_support.gateways import KeptStream
from tests.logic_support.message_cluster import MessageCluster, message_cluster, new_id

QUICK = RepoSettings.model_validate(
    {
        "outbox": {"sweep_after_s": 0.15, "interval_s": 0.05, "max_backoff_s": 0.1},
        "fanout": {"large_above": 3, "small_below": 2},
    }
)


@pytest.fixture
async def quick(database: SqliteDatabase) -> AsyncIterator[MessageCluster]:
    """A repo that repeats soon, and where four members are a large group."""
    async with message_cluster(database, repo_settings=QUICK) as running:
        yield running


async def test_what_no_gateway_acknowledged_is_delivered_again_until_it_is(quick: MessageCluster) -> None:
    alice, bob = await quick.user(), await quick.user(connections=(2,))
    conversation_id = await quick.direct(alice, bob)
    quick.gateway.acknowledge = False
    await quick.send(alice, conversation_id, "once")
    await quick.until(lambda: len(quick.pushed("message_push", connection=2)) >= 2)
    assert await quick.outbox_rows() == 1
    quick.gateway.acknowledge = True
    for acknowledged in quick.gateway.waiting:
        acknowledged()
    rows = 1
    while rows:
        rows = await quick.outbox_rows()


async def test_a_changes_entry_reaches_the_connection_that_asked_for_it_and_a_messages_does_not(
    quick: MessageCluster,
) -> None:
    """Its ack tells a sender all of a message; what a change looks like in the log only a push tells."""
    alice, bob = await quick.user(connections=(1,)), await quick.user(connections=(2,))
    conversation_id = await quick.direct(alice, bob)
    sent = await quick.send(alice, conversation_id, "oops", connection=1)
    request = RecallMessageRequest(conversation_id=conversation_id, seq=sent.seq, operation_id=new_id())
    await quick.ask(alice, connection=1, recall_message=request)
    await quick.until(lambda: quick.pushed("message_push", connection=1))
    assert [push.message.seq for push in quick.pushed("message_push", connection=1)] == [sent.seq + 1]
    await quick.until(lambda: len(quick.pushed("message_push", connection=2)) == 2)


async def test_a_gateway_whose_queue_is_full_gets_it_later(quick: MessageCluster) -> None:
    alice, bob = await quick.user(), await quick.user(connections=(2,))
    conversation_id = await quick.direct(alice, bob)
    quick.gateway.full = True
    await quick.send(alice, conversation_id, "later")
    quick.gateway.full = False
    await quick.until(lambda: quick.pushed("message_push", connection=2))


async def test_routes_of_a_gateways_earlier_boot_are_removed_and_hold_nothing_up(quick: MessageCluster) -> None:
    alice, bob = await quick.user(), await quick.user()
    await quick.connect(bob, 9, gateway_id="gw-2", boot_id="gone")
    quick.boots["gw-2"] = "new"
    await quick.publish("gw-2", "new")
    conversation_id = await quick.direct(alice, bob)
    await quick.send(alice, conversation_id)
    while await quick.routes.find_many([bob]):
        """It is removed in the background."""
    rows = 1
    while rows:
        rows = await quick.outbox_rows()


async def test_a_gateway_that_is_not_connected_yet_gets_it_once_it_is(quick: MessageCluster) -> None:
    alice, bob = await quick.user(), await quick.user()
    await quick.connect(bob, 9, gateway_id="gw-2", boot_id="b2")
    conversation_id = await quick.direct(alice, bob)
    await quick.send(alice, conversation_id, "wait for me")
    late = quick.gateways["gw-2", "b2"] = KeptStream("gw-2", "b2")
    await quick.until(lambda: any(b"wait for me" in push.deliver.frame for push in late.pushes))
    rows = 1
    while rows:
        rows = await quick.outbox_rows()


async def test_a_group_that_grows_large_goes_both_ways_and_its_gateways_hear_of_it(quick: MessageCluster) -> None:
    users = [await quick.user(connections=(number,)) for number in range(1, 5)]
    conversation_id = await quick.group(*users[:3])
    await quick.send(users[0], conversation_id, "small")
    assert not quick.bus.records
    add = AddMembersRequest(conversation_id=conversation_id, user_ids=users[3:], operation_id=new_id())
    await quick.ask(users[0], add_members=add)
    await quick.send(users[0], conversation_id, "both")
    await quick.until(lambda: [push for push in quick.pushed("message_push", connection=4) if push.message.seq == 4])
    published = [LogEntry.FromString(entry) for record in quick.bus.records for entry in record.entries]
    assert [entry.seq for entry in published] == [3, 4]
    assert [member.user_id for member in published[0].changed] == users[3:]
    changes = [push.membership_change for push in quick.gateway.pushes if push.HasField("membership_change")]
    assert {(change.user_id, change.from_seq) for change in changes} == {
        (users[0], 1),
        (users[1], 1),
        (users[2], 1),
        (users[3], 3),
    }
    remove = RemoveMemberRequest(conversation_id=conversation_id, user_id=users[3], operation_id=new_id())
    await quick.ask(users[0], remove_member=remove)
    await quick.until(
        lambda: any(
            push.membership_change.to_seq == 5 for push in quick.gateway.pushes if push.HasField("membership_change")
        )
    )
    rows = 1
    while rows:
        rows = await quick.outbox_rows()
