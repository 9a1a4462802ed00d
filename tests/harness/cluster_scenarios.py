"""What holds across gateways: people and their devices on different ones, on a running cluster. Each fails by itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import uuid4

from im_cli.engines.engine import LOOPBACK
from im_sdk import Client, CloseCode, ConnectionState, DeviceClass, Event, Kicked, MessageReceived, MessageSent, Tokens
from tests.harness.cluster_site import ClusterSite
from tests.harness.workload import FOLLOW_ALL, until

SHOWN_S: Final = 10.0
REVOKED_S: Final = 2.0
PASSWORD: Final = "a-long-password"


class Program:
    """A client at one gateway, and what it was told."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.events: list[Event] = []

    @property
    def user_id(self) -> int:
        """Whose it is."""
        return self.client.user.user_id

    def seqs(self, conversation_id: int) -> list[int]:
        """The messages of a conversation, in the order in which they were shown."""
        return [
            event.message.seq
            for event in self.events
            if isinstance(event, MessageReceived | MessageSent) and event.message.conversation_id == conversation_id
        ]

    async def send(self, conversation_id: int, count: int = 1) -> list[int]:
        """Messages; gives their seqs."""
        return [(await self.client.send(conversation_id, f"{number}")).seq for number in range(count)]

    async def watch(self) -> None:
        """Take events until the client closes."""
        async for event in self.client.events():
            self.events.append(event)


class Cast:
    """Who is in a scenario, each at a gateway of their own choosing.

    Args:
        site: a running cluster with two gateways.
    """

    def __init__(self, site: ClusterSite) -> None:
        self._urls = [f"http://{LOOPBACK}:{port}" for port in site.gateway_ports.values()]
        self._programs: list[Program] = []
        self._watching: list[asyncio.Task[None]] = []

    async def enter(self, gateway: int, *, device_class: DeviceClass = DeviceClass.DESKTOP) -> Program:
        """A new account."""
        client = Client(self._urls[gateway], settings=FOLLOW_ALL, device_class=device_class)
        await client.register(f"u{uuid4().hex[:16]}", PASSWORD)
        return await self._run(client)

    async def log_in(self, other: Program, gateway: int, *, device_class: DeviceClass = DeviceClass.DESKTOP) -> Program:
        """Another device of an account."""
        client = Client(self._urls[gateway], settings=FOLLOW_ALL, device_class=device_class)
        await client.login(other.client.user.handle, PASSWORD)
        return await self._run(client)

    async def use(self, tokens: Tokens, gateway: int) -> Program:
        """Another program on the same device."""
        client = Client(self._urls[gateway], settings=FOLLOW_ALL)
        await client.use(tokens)
        return await self._run(client)

    async def close(self) -> None:
        """All leave."""
        for program in self._programs:
            await program.client.close()
        await asyncio.gather(*self._watching)

    async def _run(self, client: Client) -> Program:
        program = Program(client)
        self._programs.append(program)
        self._watching.append(asyncio.create_task(program.watch(), name="program.events"))
        await client.connect()
        return program


@asynccontextmanager
async def cast(site: ClusterSite) -> AsyncIterator[Cast]:
    """People for one scenario."""
    people = Cast(site)
    try:
        yield people
    finally:
        await people.close()


async def two_devices_receive(site: ClusterSite) -> None:
    """A user's devices on two gateways both show what comes, and what the other one sends."""
    async with cast(site) as people:
        desk = await people.enter(0)
        laptop = await people.log_in(desk, 1)
        ben = await people.enter(1)
        chat = (await ben.client.open_direct(desk.user_id)).conversation_id
        await ben.send(chat, 3)
        await desk.send(chat)
        await laptop.send(chat)
        for program in (desk, laptop, ben):
            await until(lambda program=program: program.seqs(chat) == [1, 2, 3, 4, 5], SHOWN_S)  # type: ignore[misc]


async def read_state_crosses(site: ClusterSite) -> None:
    """What is read on one device is read on the other, at another gateway, and the sender sees it."""
    async with cast(site) as people:
        desk = await people.enter(0)
        laptop = await people.log_in(desk, 1)
        ben = await people.enter(1)
        chat = (await ben.client.open_direct(desk.user_id)).conversation_id
        await ben.send(chat, 3)

        def unread(program: Program) -> int:
            found = program.client.conversation(chat)
            return found.unread if found is not None else -1

        await until(lambda: unread(desk) == unread(laptop) == 3, SHOWN_S)
        await desk.client.mark_read(chat, 2)
        await until(lambda: unread(desk) == unread(laptop) == 1, SHOWN_S)

        def seen() -> int:
            found = ben.client.conversation(chat)
            return found.peer_read_seq if found is not None else 0

        await until(lambda: seen() == 2, SHOWN_S)


async def kick_crosses(site: ClusterSite) -> None:
    """A second phone, at another gateway, takes the place of the first."""
    async with cast(site) as people:
        first = await people.enter(0, device_class=DeviceClass.PHONE)
        await people.log_in(first, 1, device_class=DeviceClass.PHONE)
        await until(lambda: first.client.state is ConnectionState.CLOSED, SHOWN_S)
        assert [event.close_code for event in first.events if isinstance(event, Kicked)] == [CloseCode.KICKED]


async def logout_closes_everywhere(site: ClusterSite) -> None:
    """A logout ends every socket of its session, at every gateway, within two seconds; other sessions go on."""
    async with cast(site) as people:
        here = await people.enter(0)
        there = await people.use(here.client.tokens, 1)
        other = await people.log_in(here, 1)
        leaving = await people.use(here.client.tokens, 1)
        began = time.monotonic()
        await leaving.client.logout()
        for program in (here, there):
            await until(lambda program=program: program.client.state is ConnectionState.CLOSED, SHOWN_S)  # type: ignore[misc]
            codes = [event.close_code for event in program.events if isinstance(event, Kicked)]
            assert codes == [CloseCode.SESSION_REVOKED]
        assert time.monotonic() - began < REVOKED_S
        assert other.client.state is ConnectionState.ONLINE


async def group_grows_and_shrinks(site: ClusterSite) -> None:
    """A group becomes large and small again while people at both gateways write: each shows all, once and in order."""
    async with cast(site) as people:
        ann, ben, cat = [await people.enter(gateway) for gateway in (0, 1, 1)]
        crowd = [(await people.enter(number % 2)).user_id for number in range(12)]
        group = (await ann.client.create_group("Group", [ben.user_id, cat.user_id])).conversation_id
        await until(lambda: all(each.client.conversation(group) is not None for each in (ben, cat)), SHOWN_S)
        for each in (ann, ben, cat):
            each.client.view(group)
        sent = [*await ann.send(group, 2), *await ben.send(group, 2)]
        adding = asyncio.create_task(ann.client.add_members(group, crowd))
        sent += [*await ben.send(group, 3), *await cat.send(group, 3)]
        await adding
        await until(lambda: site.is_large(group), SHOWN_S)
        sent += [*await ann.send(group, 2), *await ben.send(group, 2)]
        removing = asyncio.create_task(_remove(ann, group, crowd))
        while not removing.done():
            sent += [*await ben.send(group), *await cat.send(group)]
        await removing
        await until(lambda: not site.is_large(group), SHOWN_S)
        sent += [*await ann.send(group, 2), *await cat.send(group, 2)]
        for each in (ann, ben, cat):
            await until(lambda each=each: set(each.seqs(group)) == set(sent), SHOWN_S)  # type: ignore[misc]
            assert each.seqs(group) == sorted(sent)


async def _remove(program: Program, conversation_id: int, user_ids: list[int]) -> None:
    for user_id in user_ids:
        await program.client.remove_member(conversation_id, user_id)


SCENARIOS: Final = (
    two_devices_receive,
    read_state_crosses,
    kick_crosses,
    logout_closes_everywhere,
    group_grows_and_shrinks,
)
