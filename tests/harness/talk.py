"""Two people in a private chat: one writes, the other is online and says nothing."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from im_bench.accounts import AccountApi
from im_proto.v1.conversation_pb2 import OpenDirectRequest
from im_proto.v1.frame_pb2 import ClientFrame
from tests.harness import checkers
from tests.harness.history import History
from tests.harness.sender import Sender
from tests.harness.stored import from_api, from_database
from tests.harness.workload import until

RECOVERY_S = 10.0


class Talk:
    """A sender who writes to a receiver that is online and says nothing."""

    def __init__(self, sender: Sender, receiver: Sender, history: History) -> None:
        self.sender = sender
        self.receiver = receiver
        self.history = history
        self.lane = sender.lanes[0]

    @property
    def refusals(self) -> dict[str, int]:
        """Errors so far, by name."""
        return dict(self.sender.refusals)

    def offer(self, count: int) -> None:
        """Send messages."""
        for _ in range(count):
            self.sender.offer(self.lane)

    async def all_acked(self) -> None:
        """Everything offered is answered."""
        await until(lambda: self.sender.idle, RECOVERY_S)

    async def verify(self, database: Path) -> None:
        """Everything acked is stored once, in order, readable, and was pushed to who was online."""
        await self.all_acked()
        happened, log = self.history.happenings, self.lane.conversation_id

        def pushed() -> set[str]:
            return {one.key for one in happened if one.kind == "received" and one.device == self.receiver.name}

        await until(lambda: len(pushed()) == self.lane.offered, RECOVERY_S)
        stored = from_database(database)
        assert self.receiver.connection is not None
        assert await from_api(self.receiver.connection, log) == stored[log]
        assert len(stored[log]) == self.lane.offered
        assert self.history.count("send_fail") == 0
        assert checkers.lost(happened, stored) == []
        assert checkers.doubled(stored) == []
        assert checkers.holes(stored) == []
        assert checkers.out_of_order(happened, stored) == []
        assert checkers.unresolved(happened) == []


@asynccontextmanager
async def talk(url: str, folder: Path) -> AsyncIterator[Talk]:
    """Two accounts in a private chat, one message already there."""
    with History(folder / "history.jsonl") as history:
        accounts = await AccountApi(url).make("registered", 2, progress=lambda _made: None)
        people = [
            Sender(name, account, url=f"ws{url.removeprefix('http')}/ws", history=history, source=random.Random(1))
            for name, account in zip(("sender", "receiver"), accounts, strict=True)
        ]
        connection, _ = [await person.open() for person in people]
        request = OpenDirectRequest(user_id=accounts[1].user_id)
        opened = (await connection.call(ClientFrame(open_direct=request))).open_direct
        people[0].join(opened.head.conversation.conversation_id)
        tasks = [asyncio.create_task(person.run()) for person in people]
        made = Talk(people[0], people[1], history)
        made.offer(1)
        await made.all_acked()
        try:
            yield made
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for person in people:
                if person.connection is not None:
                    await person.connection.close()
