"""The load of a run under faults: private chats, a small group and one conversation of all, offered whatever happens.

Light senders make the rate; four programs on the SDK watch: one with a local store, two devices of one user, and one
that is online and never sends.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self
from uuid import uuid4

from im_bench.accounts import AccountApi
from im_bench.adapters.im.connection import Connection
from im_bench.message_id import MessageIds
from im_proto.v1.conversation_pb2 import CreateGroupRequest, OpenDirectRequest
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_sdk import CatchUp, Client, ConnectionState, LocalStore, SessionSettings
from tests.harness.checkers import Row
from tests.harness.device import Device
from tests.harness.history import History
from tests.harness.sender import Lane, Sender
from tests.harness.site import Site
from tests.harness.stored import from_api

GROUP_SENDERS: Final = 5
TICK_S: Final = 0.01
INTEREST_S: Final = 20.0
HEAD_S: Final = 3.0
"""Well above `gateway.delivery.head_interval_s`: who does not look at a large conversation is told of it once in a second.
A message each second fell right behind that moment again and again, and never was in time."""
FOLLOW_ALL: Final = SessionSettings(catch_up=CatchUp.ALL, catch_up_limit=None)


class Workload:
    """Accounts, conversations and clients of a run.

    Args:
        site: of a running cluster.
        folder: for local stores.
        history: what happens is written there.
        senders: light senders; an even number.
        rate_per_s: messages offered a second by all of them together.
        source: the run's randomness.
        end_overlap: the conversation of all is a large group, for a cluster in which others talk as well: this ends the time
            in which it goes the small way, too. None: it is the world room.
    """

    def __init__(
        self,
        site: Site,
        folder: Path,
        history: History,
        *,
        senders: int,
        rate_per_s: float,
        source: random.Random,
        end_overlap: Callable[[int], None] | None = None,
    ) -> None:
        self._site = site
        self._folder = folder
        self._history = history
        self._count = senders
        self._rate_per_s = rate_per_s
        self._random = source
        self._end_overlap = end_overlap
        self._tasks: list[asyncio.Task[None]] = []
        self.senders: list[Sender] = []
        self.devices: dict[str, Device] = {}
        self.follows: dict[str, set[int]] = {}
        """What each device must have shown in the end."""
        self.common = 0
        """The conversation of all."""
        self.group = 0
        self._store = LocalStore(folder / "keeper.sqlite3", keep_tokens=True)
        self._keepers_chat = 0
        self._offering = False

    async def __aenter__(self) -> Self:
        try:
            await self._make_senders()
            await self._make_devices()
            await self._make_conversations()
        except BaseException:
            await self.__aexit__()
            raise
        self._tasks = [asyncio.create_task(sender.run(), name=sender.name) for sender in self.senders]
        if self._end_overlap is not None:
            await asyncio.to_thread(self._end_overlap, self.common)
            await self._await_interest()
        self._tasks.append(asyncio.create_task(self._offer(), name="workload"))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for sender in self.senders:
            if sender.connection is not None:
                await sender.connection.close()
        for device in self.devices.values():
            await device.close()

    @property
    def all_back(self) -> bool:
        """Every client is connected again."""
        return all(sender.connection is not None for sender in self.senders) and all(
            device.online.state is ConnectionState.ONLINE for device in self.devices.values()
        )

    @property
    def under_way(self) -> int:
        """Messages of light senders that are written and not answered."""
        return sum(lane.written for sender in self.senders for lane in sender.lanes)

    async def drain(self, deadline_s: float) -> None:
        """Offer no more, and wait until everything is answered and shown.

        Raises:
            TimeoutError: it was not; the checkers will say what is missing.
        """
        self._offering = False
        with suppress(TimeoutError):
            await until(self._idle, deadline_s)
            heads = {log: len(rows) for log, rows in (await self.read_as_first()).items()}
            await until(lambda: self._all_shown(heads), deadline_s)

    async def read_as_everybody(self) -> list[dict[int, list[Row]]]:
        """Each light sender's conversations, as that sender reads them."""
        return [
            {lane.conversation_id: await self._read(sender, lane) for lane in sender.lanes} for sender in self.senders
        ]

    async def read_as_first(self) -> dict[int, list[Row]]:
        """What the devices follow, read by the first sender that is in it."""
        logs: dict[int, list[Row]] = {}
        wanted = set().union(*self.follows.values())
        for sender in self.senders:
            for lane in sender.lanes:
                if lane.conversation_id in wanted and lane.conversation_id not in logs:
                    logs[lane.conversation_id] = await self._read(sender, lane)
        return logs

    async def end_keeper(self) -> None:
        """The program with the store ends with messages under way."""
        for _ in range(5):
            self.devices["keeper"].offer(self._keepers_chat)
        keeper = self.devices["keeper"]
        await until(lambda: keeper.waiting >= 5, 5)
        await keeper.close()

    async def start_keeper(self) -> None:
        """It starts again on its store, which has what it needs."""
        store = LocalStore(self._folder / "keeper.sqlite3", keep_tokens=True)
        client = Client(self._site.url, store=store, settings=FOLLOW_ALL)
        assert await client.resume() is not None
        self.devices["keeper"].run(client)
        await client.connect()
        client.view(self.common)

    # within

    def _idle(self) -> bool:
        return all(sender.idle for sender in self.senders) and all(device.idle for device in self.devices.values())

    async def _read(self, sender: Sender, lane: Lane) -> list[Row]:
        assert sender.connection is not None
        return await from_api(sender.connection, lane.conversation_id)

    def _all_shown(self, heads: dict[int, int]) -> bool:
        clients = ((device.online, self.follows[name]) for name, device in self.devices.items())
        return all(
            (found := client.conversation(log)) is not None and found.local_seq >= heads[log]
            for client, logs in clients
            for log in logs
            if log in heads
        )

    async def _make_senders(self) -> None:
        accounts = await AccountApi(self._site.url).make("registered", self._count, progress=lambda _made: None)
        for number, account in enumerate(accounts):
            sender = Sender(
                f"s{number}",
                account,
                url=self._site.websocket_url,
                history=self._history,
                source=random.Random(self._random.random()),
            )
            connection = await sender.open()
            assert connection.hello is not None
            self.common = connection.hello.world_conversation_id
            self.senders.append(sender)

    async def _make_devices(self) -> None:
        def make(store: LocalStore | None = None) -> Client:
            return Client(self._site.url, store=store, settings=FOLLOW_ALL)

        clients = {"keeper": make(self._store), "idle": make(), "twin-1": make(), "twin-2": make()}
        run = uuid4().hex[:8]
        await clients["keeper"].register(f"keeper_{run}", "password-of-keeper")
        await clients["idle"].register(f"idle_{run}", "password-of-idle")
        await clients["twin-1"].register(f"twin_{run}", "password-of-twin")
        await clients["twin-2"].login(f"twin_{run}", "password-of-twin")
        for name, client in clients.items():
            device = self.devices[name] = Device(name, self._history)
            device.run(client)
            await client.connect()

    async def _make_conversations(self) -> None:
        ids = {name: device.online.user.user_id for name, device in self.devices.items()}
        group = self.senders[:GROUP_SENDERS]
        devices = [ids["keeper"], ids["idle"], ids["twin-1"]]
        self.group = await self._make_group([*(sender.account.user_id for sender in group[1:]), *devices])
        if self._end_overlap is not None:
            self.common = await self._make_group([*(sender.account.user_id for sender in self.senders[1:]), *devices])
        for device in self.devices.values():
            device.online.view(self.common)
        for one, other in zip(self.senders[::2], self.senders[1::2], strict=True):
            direct = await self._direct(one, other.account.user_id)
            one.join(direct)
            other.join(direct)
        for sender in group:
            sender.join(self.group)
        to_idle = await self._direct(self.senders[0], ids["idle"])
        to_twin = await self._direct(self.senders[1], ids["twin-1"])
        self._keepers_chat = await self._direct(self.senders[2], ids["keeper"])
        self.senders[0].join(to_idle)
        self.senders[1].join(to_twin)
        self.senders[2].join(self._keepers_chat)
        for sender in self.senders:
            sender.join(self.common)
        both = {self.group, self.common}
        self.follows = {
            "keeper": {*both, self._keepers_chat},
            "idle": {*both, to_idle},
            "twin-1": {*both, to_twin},
            "twin-2": {*both, to_twin},
        }

    async def _await_interest(self) -> None:
        """Talk in the conversation of all until every program is shown what only task brings: its gateway has asked for it."""
        sender = self.senders[0]
        lane = next(lane for lane in sender.lanes if lane.conversation_id == self.common)

        def seqs() -> list[int]:
            found = [device.online.conversation(self.common) for device in self.devices.values()]
            return [each.local_seq if each is not None else 0 for each in found]

        async with asyncio.timeout(INTEREST_S):
            while True:
                before = max(seqs())
                sender.offer(lane)
                with suppress(TimeoutError):
                    await until(lambda before=before: min(seqs()) > before, HEAD_S)  # type: ignore[misc]
                    return

    async def _make_group(self, user_ids: list[int]) -> int:
        """Of the first sender's."""
        create = CreateGroupRequest(title="Group", user_ids=user_ids, operation_id=MessageIds().next())
        made = await _ask(self.senders[0].connection, ClientFrame(create_group=create))
        return int(made.create_group.head.conversation.conversation_id)

    async def _direct(self, sender: Sender, user_id: int) -> int:
        answer = await _ask(sender.connection, ClientFrame(open_direct=OpenDirectRequest(user_id=user_id)))
        return int(answer.open_direct.head.conversation.conversation_id)

    async def _offer(self) -> None:
        """Open loop: what is due by the clock is offered, whatever was answered."""
        directs: list[tuple[Sender, Lane]] = []
        shared: list[tuple[Sender, Lane]] = []
        for sender in self.senders:
            for lane in sender.lanes:
                (shared if lane.conversation_id in {self.common, self.group} else directs).append((sender, lane))
        programs = [(self.devices[name], log) for name in ("keeper", "twin-1") for log in self.follows[name]]
        self._offering = True
        started, offered = time.monotonic(), 0
        while self._offering:
            due = int((time.monotonic() - started) * self._rate_per_s)
            for number in range(offered, due):
                pool = shared if number % 4 == 0 else directs
                sender, lane = self._random.choice(pool)
                sender.offer(lane)
                if number % 60 == 0:
                    device, log = self._random.choice(programs)
                    device.offer(log)
            offered = due
            await asyncio.sleep(TICK_S)


async def until(condition: Callable[[], bool], deadline_s: float) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: it did not come true in time.
    """
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.02)


async def _ask(connection: Connection | None, frame: ClientFrame) -> ServerFrame:
    assert connection is not None
    return await connection.call(frame)
