"""What reaches a connection by itself: nothing of a conversation from before one came or after one went."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from im_proto.v1.frame_pb2 import ServerFrame
from tests.integration.access.people import People
from tests.support.cluster import Cluster
from tests.support.http_client import Account, HttpClient
from tests.support.ids import uuid7
from tests.support.socket_client import JSON, PROTOBUF, SocketClient, open_session

HEADS_S = 1.2
"""A little more than the interval at which heads are pushed."""

BAN = """
    INSERT INTO member (conversation_id, user_id, role, state, muted_until_time, joined_time, left_time, version)
    VALUES (?, ?, 1, 4, 0, 1, 1, 1)
"""
"""No operation bans yet; the rows are what one would write."""


@contextlib.asynccontextmanager
async def sockets(
    cluster: Cluster, *accounts: Account, subprotocol: str = PROTOBUF
) -> AsyncIterator[list[SocketClient]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                open_session(cluster.socket_url, account.access_token, subprotocol=subprotocol)
            )
            for account in accounts
        ]


async def done(client: SocketClient, operation: str, **fields: Any) -> ServerFrame:
    answer = await client.ask_for(operation, **fields)
    assert answer.WhichOneof("event") == operation, answer
    return answer


async def say(
    client: SocketClient, conversation_id: int, text: str = "words", *, mentions: list[Any] | None = None
) -> int:
    content = {"text": {"text": text, "mentions": mentions or []}}
    fields = {"conversation_id": str(conversation_id), "client_message_id": uuid7(), "content": content}
    return int((await done(client, "send", **fields)).send.seq)


async def group(client: SocketClient, *members: Account) -> int:
    user_ids = [str(member.user_id) for member in members]
    made = await done(client, "create_group", title="Tea", user_ids=user_ids, operation_id=uuid7())
    return int(made.create_group.head.conversation.conversation_id)


def of_conversation(client: SocketClient, conversation_id: int) -> list[ServerFrame]:
    """Everything pushed that names the conversation, wherever in the frame it stands."""
    return [frame for frame in client.pushed if f"conversation_id: {conversation_id}\n" in str(frame)]


@pytest.mark.parametrize(
    ("how", "large", "subprotocol"),
    [
        ("leaves", False, PROTOBUF),
        ("leaves", True, JSON),
        ("is removed", False, JSON),
        ("is removed", True, PROTOBUF),
    ],
)
async def test_whoever_went_hears_nothing_more(
    cluster: Cluster, http: HttpClient, how: str, large: bool, subprotocol: str
) -> None:
    alice, bob, carol = [await http.register() for _ in range(3)]
    async with sockets(cluster, alice) as (maker,):
        conversation_id = await group(maker, bob, carol)
    if large:  # as if there were more than 500
        cluster.plant(
            ("UPDATE conversation SET fanout = 2, fanout_time = 0 WHERE conversation_id = ?", (conversation_id,))
        )
    async with sockets(cluster, alice, bob, carol, subprotocol=subprotocol) as (host, gone, stays):
        here = str(conversation_id)
        for client in (gone, stays):
            await done(client, "view", conversation_ids=[here])
        seen = await say(host, conversation_id)
        for client in (gone, stays):
            await client.until(lambda frame: frame.message_push.message.seq == seen)
        if how == "leaves":
            left = await done(gone, "leave_group", conversation_id=here, operation_id=uuid7())
            last = left.leave_group.entry.seq
        else:
            removed = await done(
                host, "remove_member", conversation_id=here, user_id=str(bob.user_id), operation_id=uuid7()
            )
            last = removed.remove_member.entry.seq
        await gone.until(lambda frame: frame.account_event_push.event.left.conversation_id == conversation_id)
        everybody = [
            {"user_id": "0", "offset": 0, "length": 1},
            {"user_id": str(bob.user_id), "offset": 0, "length": 1},
        ]
        after = await say(host, conversation_id, mentions=everybody)
        await done(host, "typing", conversation_id=here)
        await done(host, "mark_read", conversation_id=here, seq=str(after))
        await stays.until(lambda frame: frame.message_push.message.seq == after)
        if large:
            await asyncio.sleep(HEADS_S)
        else:
            await stays.until(lambda frame: frame.HasField("typing_push"))
            await stays.until(lambda frame: frame.HasField("receipt_push"))
        await done(gone, "ping")
        assert all(seq <= last for seq in gone.messages(conversation_id))
        heard = of_conversation(gone, conversation_id)
        assert not [frame for frame in heard if frame.HasField("typing_push") or frame.HasField("receipt_push")]
        assert all(mark.max_seq <= last for frame in heard for mark in frame.head_push.heads)


async def test_whoever_comes_hears_nothing_from_before(cluster: Cluster, http: HttpClient) -> None:
    alice, bob = [await http.register() for _ in range(2)]
    async with sockets(cluster, alice, bob) as (host, comes):
        conversation_id = await group(host)
        await say(host, conversation_id, "before")
        added = await done(
            host, "add_members", conversation_id=str(conversation_id), user_ids=[str(bob.user_id)], operation_id=uuid7()
        )
        first = added.add_members.entry.seq
        after = await say(host, conversation_id, "after")
        await comes.until(lambda frame: frame.message_push.message.seq == after)
        assert comes.messages(conversation_id) == [first, after]


async def test_what_was_edited_after_one_went_stays_as_one_saw_it(cluster: Cluster, http: HttpClient) -> None:
    alice, bob = [await http.register() for _ in range(2)]
    async with sockets(cluster, alice, bob) as (host, gone):
        conversation_id = await group(host, bob)
        here = str(conversation_id)
        seq = await say(host, conversation_id, "as it was")
        left = await done(gone, "leave_group", conversation_id=here, operation_id=uuid7())
        edit = {"conversation_id": here, "seq": str(seq), "operation_id": uuid7(), "text": {"text": "as it is"}}
        await done(host, "edit_message", **edit)
        got = await done(gone, "get_messages", conversation_id=here, seqs=[str(seq)])
        pulled = await done(gone, "pull", conversation_id=here)
        head = (await done(gone, "get_conversation", conversation_id=here)).get_conversation.head
        shown = [got.get_messages.messages[0], *(each for each in pulled.pull.messages if each.seq == seq)]
        for message in [*shown, head.last_message]:
            assert message.content.text.text == "as it was"
            assert message.changed_seq <= left.leave_group.entry.seq
        assert head.max_seq == left.leave_group.entry.seq


async def test_an_outsiders_acks_reach_nobody(cluster: Cluster, http: HttpClient) -> None:
    alice, bob, mallory = [await http.register() for _ in range(3)]
    async with sockets(cluster, alice, bob, mallory) as (host, member, outsider):
        opened = await done(host, "open_direct", user_id=str(bob.user_id))
        conversation_id = opened.open_direct.head.conversation.conversation_id
        seq = await say(host, conversation_id)
        cursors = [{"conversation_id": str(conversation_id), "seq": str(seq)}]
        await done(outsider, "ack_received", cursors=cursors)
        await done(member, "ack_received", cursors=cursors)
        told = await host.until(lambda frame: frame.HasField("receipt_push"))
        assert {receipt.user_id for receipt in told.receipt_push.receipts} == {bob.user_id}
        await done(outsider, "ping")
        assert not of_conversation(outsider, conversation_id)
        assert not of_conversation(host, mallory.user_id)


async def test_whoever_is_banned_from_the_world_room_hears_nothing_of_it(
    cluster: Cluster, http: HttpClient, people: People, world_id: int
) -> None:
    speaker, listener, outcast = await http.register(), await http.register(), await http.register()
    cluster.plant((BAN, (world_id, outcast.user_id)))
    async with sockets(cluster, speaker, listener, outcast) as (host, hears, banned):
        for client in (hears, banned):
            await done(client, "view", conversation_ids=[str(world_id)])
        mentions = [
            {"user_id": "0", "offset": 0, "length": 1},
            {"user_id": str(outcast.user_id), "offset": 0, "length": 1},
        ]
        seq = await say(host, world_id, mentions=mentions)
        await hears.until(lambda frame: frame.message_push.message.seq == seq)
        await done(banned, "view")
        await asyncio.sleep(HEADS_S)
        await done(banned, "ping")
        assert not of_conversation(banned, world_id)
        pulled = await banned.ask_for("pull", conversation_id=str(world_id))
        assert pulled.error.name == "CONVERSATION_NOT_FOUND"
