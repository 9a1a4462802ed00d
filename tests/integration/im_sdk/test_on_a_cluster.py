"""The client against a real embedded cluster."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self
from uuid import uuid4

import pytest

from im_sdk import (
    ChangeKind,
    Client,
    ClosedError,
    ConnectionState,
    ConnectionStateChanged,
    ConversationLeft,
    DeniedError,
    DeviceClass,
    ErrorNumber,
    Event,
    Kicked,
    LocalStore,
    Membership,
    MessageChanged,
    MessageReceived,
    MessageSent,
    NotFoundError,
    NoticeKind,
    NoticeReceived,
    ReceiptReceived,
    SessionSettings,
    Typing,
)
from tests.sdk_support.people import eventually, until
from tests.support.cluster import Cluster

PASSWORD = "correct horse battery"


def a_handle() -> str:
    return f"u{uuid4().hex[:12]}"


@asynccontextmanager
async def online(url: str, **options: object) -> AsyncIterator[Client]:
    async with Client(url, **options) as client:  # type: ignore[arg-type]
        await client.register(a_handle(), PASSWORD)
        await client.connect()
        yield client


async def texts_until(client: Client, conversation_id: int, count: int) -> list[str | None]:
    """The texts that events bring, own ones too."""
    shown: list[str | None] = []
    async with asyncio.timeout(60):
        async for event in client.events():
            if isinstance(event, MessageReceived | MessageSent) and event.message.conversation_id == conversation_id:
                shown.append(event.message.text)
                if len(shown) == count:
                    return shown
    raise AssertionError(f"only {len(shown)} of {count} came")


class Cable:
    """A TCP proxy that can be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, far_writer}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._copy(reader, far_writer))
            tasks.create_task(self._copy(far_reader, writer))
        self._writers -= {writer, far_writer}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except (ConnectionError, RuntimeError):
            pass
        finally:
            writer.close()


async def test_a_private_conversation(cluster: Cluster) -> None:
    async with online(cluster.url) as ada, online(cluster.url) as grace:
        chat = await ada.open_direct(f"@{grace.user.handle.upper()}")
        assert (await grace.open_direct(ada.user.user_id)).conversation_id == chat.conversation_id
        sent = await ada.send(chat.conversation_id, "Helo")
        events = grace.events()
        received = await until(events, MessageReceived)
        assert (received.message.text, received.message.seq) == ("Helo", sent.seq)
        assert [c.unread for c in grace.conversations() if c.conversation_id == chat.conversation_id] == [1]
        await ada.edit(chat.conversation_id, sent.seq, "Hello")
        changed = await until(events, MessageChanged)
        assert (changed.change, changed.text) == (ChangeKind.EDITED, "Hello")
        reply = await grace.send(chat.conversation_id, "Hi", reply_to=sent.seq)
        answered = await until(ada.events(), MessageReceived)
        assert (answered.message.text, answered.message.ref_seq) == ("Hi", sent.seq)
        assert await grace.mark_read(chat.conversation_id) == 0
        receipt = await until(ada.events(), ReceiptReceived)
        while receipt.read_seq < sent.seq:
            receipt = await until(ada.events(), ReceiptReceived)
        grace.typing(chat.conversation_id)
        assert await until(ada.events(), Typing) == Typing(chat.conversation_id, grace.user.user_id)
        await grace.recall(chat.conversation_id, reply.seq)
        recalled = await until(ada.events(), MessageChanged)
        while recalled.change is not ChangeKind.RECALLED:
            recalled = await until(ada.events(), MessageChanged)
        history = [(m.seq, m.text, m.recalled) async for m in ada.history(chat.conversation_id, page=2)]
        assert history == [(reply.seq, None, True), (sent.seq, "Hello", False)]
        picture = ada.conversation(chat.conversation_id)
        assert picture is not None
        assert picture.peer_read_seq >= sent.seq


async def test_a_group(cluster: Cluster) -> None:
    async with online(cluster.url) as ada, online(cluster.url) as grace, online(cluster.url) as alan:
        group = await ada.create_group("Engines", [grace.user.user_id])
        key = group.conversation_id
        notice = (await until(grace.events(), NoticeReceived)).message.notice
        assert notice is not None
        assert notice.kind is NoticeKind.CREATED
        assert await grace.add_members(key, [alan.user.user_id]) == [alan.user.user_id]
        await until(alan.events(), NoticeReceived)
        assert {member.user_id async for member in alan.members(key)} == {
            ada.user.user_id,
            grace.user.user_id,
            alan.user.user_id,
        }
        await ada.send(key, "Welcome")
        assert (await until(alan.events(), MessageReceived)).message.text == "Welcome"
        await ada.remove_member(key, alan.user.user_id)
        assert (await until(alan.events(), ConversationLeft)).membership is Membership.REMOVED
        with pytest.raises(DeniedError):
            await alan.send(key, "But why?")
        await grace.leave_group(key)
        await ada.dissolve_group(key)
        await eventually(lambda: (picture := ada.conversation(key)) is not None and picture.dissolved)
        with pytest.raises(NotFoundError):
            await ada.open_direct("nobody_of_that_name")


async def test_the_world_room(cluster: Cluster) -> None:
    async with Client(cluster.url) as guest, online(cluster.url) as ada:
        await guest.guest("Passer-by")
        await guest.connect()
        world = guest.world_conversation_id
        ada.view(world)
        text = f"Hello from {uuid4().hex}"
        await eventually(lambda: ada.state is ConnectionState.ONLINE)
        await guest.send(world, text)
        received = await until(ada.events(), MessageReceived)
        while received.message.text != text:
            received = await until(ada.events(), MessageReceived)
        handle = a_handle()
        user = await guest.upgrade(handle, PASSWORD)
        assert (user.user_id, user.handle) == (guest.user.user_id, handle)


@pytest.mark.parametrize("pipeline", [1, 16])
async def test_connections_break_all_the_time(cluster: Cluster, pipeline: int, tmp_path: Path) -> None:
    """Two people write to each other while both cables are cut: each message once, in order, the same for both."""
    source = random.Random(7)
    count = 40
    settings = SessionSettings(pipeline=pipeline, catch_up_limit=None)
    async with Cable(cluster.port) as cable:
        stored = LocalStore(tmp_path / "store")
        async with (
            online(cable.url, settings=settings) as ada,
            online(cable.url, settings=settings, store=stored) as grace,
        ):
            key = (await ada.create_group("Storm", [grace.user.user_id])).conversation_id
            await eventually(lambda: grace.conversation(key))

            async def write(client: Client, name: str) -> None:
                async with asyncio.TaskGroup() as tasks:
                    for number in range(count):
                        tasks.create_task(client.send(key, f"{name} {number}"))
                        await asyncio.sleep(source.uniform(0, 0.02))

            async def cut() -> None:
                for _ in range(5):
                    await asyncio.sleep(source.uniform(0.1, 0.4))
                    cable.cut()

            async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
                tasks.create_task(write(ada, "ada"))
                tasks.create_task(write(grace, "grace"))
                tasks.create_task(cut())
                shown = [tasks.create_task(texts_until(client, key, 2 * count)) for client in (ada, grace)]
            assert cable.connections >= 4
            log = [m.text async for m in ada.history(key, after=0) if m.text is not None]
            assert shown[0].result() == shown[1].result() == log
            for name in ("ada", "grace"):
                assert [text for text in log if text.startswith(name)] == [f"{name} {n}" for n in range(count)]


async def test_a_restart_goes_on_where_it_was(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "grace"
    handle = a_handle()
    async with online(cluster.url) as ada:
        async with Client(cluster.url, store=LocalStore(path, keep_tokens=True)) as grace:
            await grace.register(handle, PASSWORD)
            await grace.connect()
            key = (await ada.open_direct(handle)).conversation_id
            await ada.send(key, "one")
            await until(grace.events(), MessageReceived)
        for text in ("two", "three"):
            await ada.send(key, text)
        async with Client(cluster.url, store=LocalStore(path, keep_tokens=True)) as grace:
            assert await grace.resume() is not None
            await grace.connect()
            assert await texts_until(grace, key, 2) == ["two", "three"]


async def test_another_device_of_the_class_takes_the_place(cluster: Cluster) -> None:
    async with Client(cluster.url, device_class=DeviceClass.PHONE) as old:
        await old.register(a_handle(), PASSWORD)
        await old.connect()
        async with Client(cluster.url, device_class=DeviceClass.PHONE) as new:
            await new.login(old.user.handle, PASSWORD, take_over=True)
            await new.connect(take_over=True)
            async with asyncio.timeout(10):
                events: list[Event] = [event async for event in old.events()]
            assert isinstance(events[-2], Kicked)
            assert isinstance(events[-1], ConnectionStateChanged)
            with pytest.raises(ClosedError):
                await old.connect()


async def test_a_changed_password_ends_the_other_sessions(cluster: Cluster) -> None:
    async with online(cluster.url) as here, Client(cluster.url, device_class=DeviceClass.PHONE) as there:
        await there.login(here.user.handle, PASSWORD)
        await there.connect()
        assert len(await here.devices()) == 2
        await here.change_password(PASSWORD, "battery staple 2")
        kicked = await until(there.events(), Kicked)
        assert kicked.close_code == 4503
        await eventually(lambda: there.state is ConnectionState.CLOSED)
        assert here.state is ConnectionState.ONLINE
        await here.logout()


async def test_tokens_are_renewed(cluster: Cluster) -> None:
    """An access token that is over is renewed on the way in, and the old refresh token is used up."""
    async with online(cluster.url) as first:
        tokens = first.tokens
    renewed: list[object] = []
    async with Client(cluster.url, on_tokens=renewed.append) as again:
        await again.use(type(tokens)(tokens.user, tokens.session_id, tokens.device_id, "", 1, tokens.refresh_token))
        await again.connect()
        assert len(renewed) == 2
        assert again.tokens.refresh_token != tokens.refresh_token


async def test_an_unknown_conversation(cluster: Cluster) -> None:
    async with online(cluster.url) as ada:
        with pytest.raises(NotFoundError) as caught:
            await ada.send(123, "anybody?")
        assert caught.value.number == ErrorNumber.CONVERSATION_NOT_FOUND
