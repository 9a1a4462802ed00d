"""A distributed cluster that starts before its engines: it waits, says for what, and serves as soon as all are there.

Its people come from an embedded cluster, with their tokens and all that they had.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from im_cli.cluster.service import ServicePorts, service
from im_cli.cluster.shape import Member
from im_cli.engines.engine import Engine, free_port
from im_cli.exit_code import ExitCode
from im_sdk import Client, Message, MessageReceived, Tokens
from tests.integration.im_cli.conftest import Im, ServerPlace
from tests.support.cluster import FAST, start_cluster
from tests.support.engine_fixtures import PASSWORD
from tests.support.kafka import topic_prefix
from tests.support.tcp_proxy import TcpProxy

WAIT_S = 40
TEXTS = ["one", "two", "three"]
BACKWARDS = ("gateway", "task", "logic", "repo")
"""Each needs one that comes later."""


async def until_waiting(process: Engine, engine: str) -> None:
    """Wait until a process says for what it waits; it is not ready then."""
    async with asyncio.timeout(WAIT_S):
        while not process.log.exists() or f"engine={engine}" not in process.log.read_text(encoding="utf-8"):
            await asyncio.sleep(0.05)  # a file tells nobody that it grew
    assert await readiness(process) == httpx.codes.SERVICE_UNAVAILABLE


async def readiness(process: Engine) -> int:
    """What it answers to a load balancer."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"http://{process.address}/readyz")).status_code


def all_services(folder: Path, settings: Mapping[str, str], public: int) -> dict[str, Engine]:
    """One process of each service, not started."""
    config = folder / "cluster.toml"
    config.write_text('[log]\nformat = "console"\n', encoding="utf-8")
    return {
        name: service(
            Member((name,), "a"),
            folder=folder,
            config=config,
            ports=ServicePorts(rpc=free_port(), internal=free_port(), public=public if name == "gateway" else 0),
            settings=settings,
        )
        for name in BACKWARDS
    }


@dataclass(frozen=True)
class Before:
    """An embedded cluster that was stopped: what it left to two people."""

    data_dir: Path
    conversation_id: int
    ann: Tokens
    bob: Tokens


async def live_before(folder: Path) -> Before:
    """Ann wrote thrice, Bob has read the first."""
    with start_cluster(folder) as cluster:
        async with Client(cluster.url) as ann, Client(cluster.url) as bob:
            for client, handle in ((ann, "ann"), (bob, "bob")):
                await client.register(handle, "correct horse")
                await client.connect()
            conversation_id = (await ann.open_direct("bob")).conversation_id
            for text in TEXTS:
                await ann.send(conversation_id, text)
            await bob.mark_read(conversation_id, 1)
            return Before(cluster.data_dir, conversation_id, ann.tokens, bob.tokens)


async def goes_on(url: str, before: Before) -> None:
    """With the tokens of before: unread counts, the history, and the next seq, at another person's device."""
    async with Client(url) as ann, Client(url) as bob:
        for client, tokens in ((ann, before.ann), (bob, before.bob)):
            await client.use(tokens)
            await client.connect()
        (direct,) = [each for each in bob.conversations() if each.conversation_id == before.conversation_id]
        assert (direct.max_seq, direct.read_seq, direct.unread) == (3, 1, 2)
        assert [each.text async for each in bob.history(direct.conversation_id, after=0)] == TEXTS
        sent = await ann.send(direct.conversation_id, "still here")
        assert sent.seq == len(TEXTS) + 1
        assert (await next_message(bob)).text == "still here"


async def next_message(client: Client) -> Message:
    """Wait for one."""
    async with asyncio.timeout(WAIT_S):
        async for event in client.events():
            if isinstance(event, MessageReceived):
                return event.message
    raise AssertionError("the events ended")


@pytest.mark.slow
async def test_processes_wait_for_their_engines_in_whatever_order_they_start(
    tmp_path: Path, target: ServerPlace, redis_engine: Engine, etcd_engine: Engine, kafka_address: str, im: Im
) -> None:
    before = await live_before(tmp_path)
    moved = ("migrate-data", "--from", f"sqlite:{before.data_dir}", "--to", f"mysql:{target.config}")
    done = im(*moved, environment=target.environment)
    assert done.returncode == ExitCode.DONE, done.stderr
    behind = {
        "database": target.server.engine.port,
        "cache": redis_engine.port,
        "bus": int(kafka_address.rpartition(":")[2]),
        "discovery": etcd_engine.port,
    }
    places = {name: free_port() for name in behind}
    settings = {
        **FAST,
        **target.settings,
        "IM_SQL__MYSQL__PORT": str(places["database"]),
        "IM_CACHE__KIND": "redis",
        "IM_CACHE__REDIS__ADDRESSES": f"127.0.0.1:{places['cache']}",
        "IM_CACHE__REDIS__PASSWORD": PASSWORD,
        "IM_CACHE__REDIS__TIMEOUT_MS": "3000",
        "IM_BUS__KIND": "kafka",
        "IM_BUS__KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{places['bus']}",
        "IM_BUS__KAFKA__TOPIC_PREFIX": topic_prefix(),
        "IM_BUS__KAFKA__PARTITIONS": "1",
        "IM_BUS__KAFKA__REPLICATION_FACTOR": "1",
        "IM_BUS__KAFKA__MIN_INSYNC_REPLICAS": "1",
        "IM_DISCOVERY__KIND": "etcd",
        "IM_DISCOVERY__ETCD__ENDPOINTS": f"127.0.0.1:{places['discovery']}",
        "IM_DISCOVERY__ETCD__PREFIX": f"/{tmp_path.name}/",
        "IM_SECRETS__FILE": str(before.data_dir / "secrets.json"),
    }
    public = free_port()
    processes = all_services(tmp_path, settings, public)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as starting:

        async def put_up(engine: str) -> None:
            await stack.enter_async_context(TcpProxy(behind[engine]).open(places[engine]))

        for process in processes.values():
            stack.callback(process.stop)
            starting.create_task(asyncio.to_thread(process.start))
        await until_waiting(processes["repo"], "database")
        for name in ("gateway", "task", "logic"):
            await until_waiting(processes[name], "discovery")
        await put_up("discovery")
        await until_waiting(processes["gateway"], "cache")
        await put_up("database")
        await until_waiting(processes["repo"], "cache")
        await put_up("cache")
        await asyncio.gather(*(asyncio.to_thread(process.wait_ready) for process in processes.values()))
        url = f"http://127.0.0.1:{public}"
        await goes_on(url, before)
        async with Client(url) as ann, Client(url) as cara:
            await ann.use(before.ann)
            await cara.register("cara", "correct horse")
            for client in (ann, cara):
                await client.connect()
            cara.view(cara.world_conversation_id)
            sent = await ann.send(ann.world_conversation_id, "without Kafka")
            await put_up("bus")
            message = await next_message(cara)
            assert (message.seq, message.text) == (sent.seq, "without Kafka")
        for process in processes.values():
            assert "Traceback" not in process.log.read_text(encoding="utf-8")
