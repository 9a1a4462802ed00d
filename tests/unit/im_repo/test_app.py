"""The wired service, asked over real streams: in the process and over a socket."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import func, select

from im_infra.clock import SystemClock
from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.rpc.channels import Channels, create_server
from im_infra.rpc.in_process import InProcessServer
from im_infra.rpc.peer import Peer
from im_infra.rpc.stream_client import StreamClient
from im_infra.sql.abstract import Database
from im_infra.sql.statements import close
from im_proto.repo.v1 import stream_pb2 as pb
from im_proto.repo.v1.conversation_pb2 import OpenDirectRequest
from im_proto.repo.v1.conversation_pb2_grpc import ConversationServiceStub
from im_proto.repo.v1.stream_pb2_grpc import RepoServiceStub
from im_proto.v1.message_pb2 import SendResponse
from im_repo.app import open_repo
from im_repo.outbox.settings import OutboxSettings
from im_repo.schema import CLOCK, OUTBOX
from im_repo.settings import RepoSettings
from tests.support.databases import AnyDatabase

LOG = 70
_NUMBERS = itertools.count(1)


class Logic:
    """A connected peer."""

    def __init__(self, channel: Any, node_id: str) -> None:
        self.channel = channel
        self.pushes: list[pb.RepoPush] = []
        self.client = StreamClient(
            RepoServiceStub(channel).Connect,
            me=Peer(node_id, "boot"),
            on_push=lambda body: self.pushes.append(pb.RepoPush.FromString(body)),
        )

    async def ask(self, **request: Any) -> pb.RepoResponse:
        body = pb.RepoRequest(**request).SerializeToString()
        return pb.RepoResponse.FromString(await self.client.call(body, timeout_s=5))

    async def append(self, **fields: Any) -> pb.AppendResult:
        return (await self.ask(append=item(**fields))).append


def item(**fields: Any) -> pb.AppendItem:
    number = next(_NUMBERS).to_bytes(16)
    usual = {"conversation_id": LOG, "sender_id": 1, "client_message_id": number, "digest": number, "type": 1}
    return pb.AppendItem(**{**usual, "countable": True, "body": b"\x0a\x03\x0a\x01x", "deny_version": 1, **fields})


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not await condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def sweep_after_s() -> float:
    return 0.05


@pytest.fixture(params=["in-process", "network"])
async def logic(
    request: pytest.FixtureRequest, database: Database, ids: Any, seed_in: Any, sweep_after_s: float
) -> AsyncIterator[Logic]:
    """Logic, connected to a repo that runs, and task as well, which must get no push."""
    settings = RepoSettings(outbox=OutboxSettings(sweep_after_s=sweep_after_s, interval_s=0.02))
    await database.write(lambda connection: seed_in(connection).user(1, 2, 3))
    await database.write(lambda connection: seed_in(connection).conversation(LOG, 1, 2))
    async with AsyncExitStack() as stack:
        repo = await stack.enter_async_context(
            open_repo(
                settings,
                database=database,
                ids=ids,
                me=Peer("repo-1", "boot"),
                metrics=Metrics(),
                clock=SystemClock(),
                is_logic=lambda peer: peer.node_id.startswith("logic"),
            )
        )
        if request.param == "network":
            server = create_server()
            repo.register(server)
            address, channels = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}", Channels()
        else:
            server = InProcessServer()
            repo.register(server)
            address, channels = "in-process:repo", Channels({"repo": server})
        await server.start()
        stack.push_async_callback(server.stop, 0)
        stack.push_async_callback(channels.close)
        logic, task = (Logic(channels.get(address), node_id) for node_id in ("logic-1", "task-1"))
        running = [asyncio.create_task(run()) for run in (repo.run, logic.client.run, task.client.run)]
        async with asyncio.timeout(5):
            while not (logic.client.ready and task.client.ready):
                await asyncio.sleep(0.001)
        yield logic
        assert task.pushes == []
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def test_appends_are_answered_in_order(logic: Logic) -> None:
    results = await asyncio.gather(*(logic.append() for _ in range(50)))
    assert [result.seq for result in results] == list(range(1, 51))
    assert all(result.status == pb.APPEND_STATUS_STORED and result.outbox_id for result in results)


async def test_a_refusal_is_an_error_with_its_detail(logic: Logic) -> None:
    one = item()
    stored = (await logic.ask(append=one)).append
    one.digest = b"x" * 16
    with pytest.raises(ImError) as caught:
        await logic.ask(append=one)
    assert caught.value.reason.name == "CONFLICT"
    assert SendResponse.FromString(caught.value.detail).seq == stored.seq


async def test_reads_lookups_and_loads(logic: Logic) -> None:
    one = item()
    await logic.ask(append=one)
    found = await logic.ask(read_range=pb.ReadRange(conversation_id=LOG, user_id=2))
    assert [entry.seq for entry in found.range.entries] == [1]
    found = await logic.ask(read_entries=pb.ReadEntries(conversation_id=LOG, from_seq=1, to_seq=5))
    assert found.entries.entries[0].body == one.body
    found = await logic.ask(load_conversation=pb.LoadConversation(conversation_id=LOG))
    assert [row.user_id for row in found.conversation.members] == [1, 2]
    key = {"conversation_id": LOG, "sender_id": 1, "digest": one.digest}
    found = await logic.ask(find_append=pb.FindAppend(client_message_id=one.client_message_id, **key))
    assert (found.found.status, found.found.seq) == (pb.APPEND_STATUS_DUPLICATE, 1)
    found = await logic.ask(find_append=pb.FindAppend(client_message_id=bytes(16), **key))
    assert found.found.status == pb.APPEND_STATUS_ABSENT


async def test_cursors_move(logic: Logic) -> None:
    await logic.append()
    move = pb.CursorMove(user_id=2, conversation_id=LOG, seq=1)
    moved = await logic.ask(mark_received=pb.MarkReceived(moves=[move]))
    assert moved.received.cursors[0].received_seq == 1
    moved = await logic.ask(mark_reads=pb.MarkReads(moves=[move]))
    assert (moved.reads.cursors[0].read_seq, moved.reads.cursors[0].pts) == (1, 1)


async def test_what_is_confirmed_is_forgotten(logic: Logic, database: Database) -> None:
    result = await logic.append()
    confirmed = pb.ConfirmedRange(outbox_id=result.outbox_id, conversation_id=LOG, from_seq=1, to_seq=1)
    answer = await logic.ask(confirm=pb.Confirm(ranges=[confirmed]))
    assert answer.HasField("confirmed")

    async def gone() -> bool:
        return not await database.read(lambda c: c.scalar(select(func.count()).select_from(OUTBOX)))

    await until(gone)


async def test_what_is_not_confirmed_comes_back_to_logic(logic: Logic) -> None:
    result = await logic.append()

    async def pushed() -> bool:
        return bool(logic.pushes)

    await until(pushed)
    redeliver = logic.pushes[0].redeliver
    assert redeliver.outbox_id == result.outbox_id
    assert [(one.conversation_id, one.from_seq, one.to_seq) for one in redeliver.ranges] == [(LOG, 1, 1)]


@pytest.mark.parametrize("sweep_after_s", [1.0])
async def test_what_took_long_to_commit_is_not_delivered_twice(
    logic: Logic, database: Database, any_database: AnyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row is as old as its transaction: it must not be late the moment it can be seen."""
    read = database.read
    looks = 0

    async def slow_write(unit: Any) -> Any:
        return await database.write(
            lambda connection: (close(connection, unit(connection)), any_database.pause(1.1))[0]
        )

    async def counted_read(unit: Any) -> Any:
        nonlocal looks
        found = await read(unit)
        looks += 1
        return found

    monkeypatch.setattr(database, "read", counted_read)
    monkeypatch.setattr(database, "write_closing", slow_write)
    result = await logic.append()
    after = looks

    async def looked_twice() -> bool:
        return looks >= after + 2

    await until(looked_twice)
    confirmed = pb.ConfirmedRange(outbox_id=result.outbox_id, conversation_id=LOG, from_seq=1, to_seq=1)
    await logic.ask(confirm=pb.Confirm(ranges=[confirmed]))
    assert logic.pushes == []


async def test_an_unknown_request_is_told(logic: Logic) -> None:
    with pytest.raises(ImError) as caught:
        await logic.ask()
    assert caught.value.reason.name == "OPERATION_UNKNOWN"


async def test_the_unary_services_are_there(logic: Logic) -> None:
    made = await ConversationServiceStub(logic.channel).OpenDirect(OpenDirectRequest(user_id=1, peer_id=3))
    assert made.created
    assert (await logic.append(conversation_id=made.conversation_id)).seq == 1


async def test_the_clock_ticks(logic: Logic, database: Database) -> None:
    async def ticked() -> bool:
        return bool(await database.read(lambda connection: connection.scalar(select(CLOCK.c.high_time))))

    await until(ticked)
