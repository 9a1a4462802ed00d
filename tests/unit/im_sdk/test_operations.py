"""What a connected account can do, over real sockets."""

import asyncio
from contextvars import ContextVar

import pytest

from im_sdk import (
    Client,
    ClosedError,
    Custom,
    DeniedError,
    InvalidError,
    MessageChanged,
    MessageReceived,
    MessageSent,
    NotFoundError,
    Role,
    Typing,
)
from im_sdk._error_table import ErrorNumber
from tests.sdk_support.live_server import Line, LiveServer
from tests.sdk_support.model_server import error
from tests.sdk_support.people import eventually, signed_in, until


async def test_two_people_talk(live: LiveServer) -> None:
    """What one sends, the other one's events bring; the sender's own events bring it too."""
    async with await signed_in(live, "ada") as ada, await signed_in(live, "grace") as grace:
        group = await ada.create_group("Engines", [grace.user.user_id])
        sent = await ada.send(group.conversation_id, "Hello")
        received = await until(grace.events(), MessageReceived)
        assert (received.message.text, received.message.seq) == ("Hello", sent.seq)
        own = await until(ada.events(), MessageSent)
        assert own.message.client_message_id == sent.client_message_id
        assert [c.unread for c in grace.conversations()] == [1]
        assert await grace.mark_read(group.conversation_id) == 0
        assert [c.unread for c in grace.conversations()] == [0]


async def test_a_refused_send_raises_the_servers_error(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada:
        log = live.model.make({2})
        with pytest.raises(DeniedError) as caught:
            await ada.send(log.conversation_id, "let me in")
        assert caught.value.number == ErrorNumber.NOT_A_MEMBER


async def test_edits_and_recalls_come_as_changes(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada, await signed_in(live, "grace") as grace:
        group = await ada.create_group("Engines", [grace.user.user_id])
        key = group.conversation_id
        sent = await ada.send(key, "Helo")
        await ada.edit(key, sent.seq, "Hello")
        await ada.recall(key, sent.seq)
        events = grace.events()
        edited, recalled = await until(events, MessageChanged), await until(events, MessageChanged)
        assert (edited.seq, edited.text) == (sent.seq, "Hello")
        assert (recalled.seq, recalled.text) == (sent.seq, None)
        kinds = [m.recalled async for m in grace.history(key) if m.seq == sent.seq]
        assert kinds == [True]


async def test_members_are_read_page_by_page(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada:
        log = live.model.make(set(range(1, 9)))
        assert [member.user_id async for member in ada.members(log.conversation_id)] == list(range(1, 9))


async def test_typing_reaches_the_other_one(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada, await signed_in(live, "grace") as grace:
        group = await ada.create_group("Engines", [grace.user.user_id])
        ada.typing(group.conversation_id)
        assert await until(grace.events(), Typing) == Typing(group.conversation_id, 1)


async def test_an_applications_own_body(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada, await signed_in(live, "grace") as grace:
        group = await ada.create_group("Engines", [grace.user.user_id])
        poll = Custom("poll", b"{}", "a poll")
        await ada.send(group.conversation_id, poll)
        received = await until(grace.events(), MessageReceived)
        assert received.message.custom == poll


async def test_conversations_are_opened_by_handle_or_id(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada, await signed_in(live, "grace") as grace:
        one = await ada.open_direct("@grace")
        two = await grace.open_direct(ada.user.user_id)
        assert one.conversation_id == two.conversation_id
        assert (one.peer_id, two.peer_id) == (2, 1)
        with pytest.raises(NotFoundError):
            await ada.open_direct("nobody")


async def test_members_come_and_go(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada, await signed_in(live, "grace") as grace:
        group = await ada.create_group("Engines")
        key = group.conversation_id
        assert await ada.add_members(key, [grace.user.user_id, ada.user.user_id]) == [2]
        assert [(m.user_id, m.role) async for m in ada.members(key)] == [(1, Role.MEMBER), (2, Role.MEMBER)]
        await ada.remove_member(key, grace.user.user_id)
        assert live.model.logs[key].members == {1}
        await ada.dissolve_group(key)
        await ada.leave_group(key)
        assert live.model.logs[key].members == set()


async def test_profiles_and_single_messages(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada:
        log = live.model.make({1, 2})
        live.model.append(log, 2, "one")
        live.model.append(log, 2, "two")
        assert [m.text for m in await ada.get_messages(log.conversation_id, [2])] == ["two"]
        assert [user.handle for user in await ada.get_users([1])] == ["ada"]


async def test_before_connect_and_after_close(live: LiveServer) -> None:
    client = Client(live.url)
    with pytest.raises(InvalidError):
        await client.send(1, "too early")
    assert client.conversations() == []
    assert client.conversation(1) is None
    await client.close()
    with pytest.raises(ClosedError):
        await client.send(1, "too late")


async def test_mark_read_of_a_part_asks_the_server(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada:
        log = live.model.make({1, 2})
        for number in range(4):
            live.model.append(log, 2, f"{number}")
        assert await ada.mark_read(log.conversation_id, 3) == 1
        asked = [frame.WhichOneof("operation") for frame in live.lines[0].connection.requests]
        assert asked.count("mark_read") == 1
        live.model.refuse = lambda *_: error(ErrorNumber.CONVERSATION_NOT_FOUND)
        with pytest.raises(NotFoundError):
            await ada.mark_read(99, 1)


async def test_mark_read_beyond_the_log_leaves_what_comes_later_unread(live: LiveServer) -> None:
    async with await signed_in(live, "ada") as ada:
        log = live.model.make({1, 2})
        live.model.append(log, 2, "before")
        live.flush()
        await until(ada.events(), MessageReceived)
        assert await ada.mark_read(log.conversation_id, 1_000) == 0
        live.model.append(log, 2, "after")
        live.flush()
        await until(ada.events(), MessageReceived)
        assert [(c.read_seq, c.unread) for c in ada.conversations()] == [(1, 1)]


async def test_what_is_asked_carries_its_callers_trace_over_reconnects(live: LiveServer) -> None:
    """What the client asks for by itself, its Hello among it, is part of nobody's trace."""
    trace: ContextVar[str] = ContextVar("trace", default="")
    async with await signed_in(live, "ada", traceparent=trace.get) as ada:
        log = live.model.make({1, 2})
        first = live.lines[0]
        live.silent = True
        trace.set("00-0a-0b-01")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ada.send(log.conversation_id, "traced"))
            tasks.create_task(ada.find_user("ada"))
            await eventually(lambda: len(traced(first)) == 2)
            live.silent = False
            live.abort_all()
        trace.set("")
        await ada.send(log.conversation_id, "not traced")
        asked = {("send", "00-0a-0b-01"), ("find_user", "00-0a-0b-01")}
        assert traced(first) == asked
        assert traced(live.lines[0]) == asked


def traced(line: Line) -> set[tuple[str, str]]:
    """What was asked within a trace on a connection, and the trace."""
    return {
        (frame.WhichOneof("operation") or "", frame.traceparent)
        for frame in line.connection.requests
        if frame.traceparent
    }
