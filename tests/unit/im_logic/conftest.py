"""Accounts over the real repo: in process, on a SQLite file."""

import hashlib
import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine

from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock, SystemClock
from im_infra.discovery.abstract import Node, WorkerLease
from im_infra.discovery.static import StaticDiscovery
from im_infra.error_table import CloseCode, Reason
from im_infra.errors import ImError
from im_infra.ids.snowflake import Snowflake
from im_infra.rpc.channels import Channels
from im_infra.rpc.in_process import InProcessServer
from im_infra.rpc.service_pool import ServicePool
from im_infra.sql.settings import SqliteSettings
from im_infra.sql.sqlite import SqliteDatabase, open_sqlite
from im_infra.token_keys import TokenKeys
from im_logic.accounts.model import Caller, DeviceClass, Grant, Installation
from im_logic.accounts.repo_store import RepoAccountStore
from im_logic.accounts.servicer import Operations
from im_logic.accounts.wire import wire_accounts
from im_logic.settings import AccountSettings, DeviceLimits, Secrets
from im_proto.repo.v1.account_pb2_grpc import add_AccountStoreServiceServicer_to_server
from im_repo.accounts.servicer import AccountStoreServicer
from im_repo.schema import METADATA

SECRETS = Secrets(keys=TokenKeys({"k1": SecretStr("k" * 32)}, active="k1"), refresh_key=SecretStr("r" * 32))


class PlainPasswords:
    """Passwords hashed by a prefix, with a count of what a real hasher would have spent time on."""

    def __init__(self) -> None:
        self.hashed = 0
        self.verified: list[str] = []

    async def hash(self, password: str) -> str:
        self.hashed += 1
        return f"plain:{password}"

    async def verify(self, password_hash: str, password: str) -> bool:
        self.verified.append(password_hash)
        return password_hash == f"plain:{password}"


@dataclass
class ClosedSockets:
    """What was told to close."""

    closed: list[tuple[int, CloseCode]] = field(default_factory=list)

    async def close(self, user_id: int, session_ids: Sequence[int], close_code: CloseCode) -> None:
        self.closed.extend((session_id, close_code) for session_id in session_ids)


class Lease:
    """A worker lease without an end."""

    lease = WorkerLease(worker_id=1, floor_time=0, high_time=2**60, deadline=2.0**60)


class Wire(Protocol):
    """Makes the operations under other settings."""

    def __call__(self, **settings: object) -> Operations: ...


@pytest.fixture
def clock() -> ManualClock:
    """It begins now: rows' times are the database's."""
    return ManualClock(now_ms=SystemClock().now_ms())


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schema, made once and copied for each test."""
    path = tmp_path_factory.mktemp("schema") / "empty.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    METADATA.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture
async def database(tmp_path: Path, empty_database: Path) -> AsyncIterator[SqliteDatabase]:
    path = tmp_path / "im.sqlite3"
    shutil.copy(empty_database, path)
    async with open_sqlite(path, SqliteSettings(reader_threads=1)) as opened:
        yield opened


@pytest.fixture
def lease() -> Lease:
    return Lease()


@pytest.fixture
async def store(database: SqliteDatabase, clock: ManualClock) -> AsyncIterator[RepoAccountStore]:
    server = InProcessServer()
    servicer = AccountStoreServicer(database, Snowflake(Lease(), SystemClock()))
    add_AccountStoreServiceServicer_to_server(servicer, server)
    discovery = StaticDiscovery([Node("repo", "repo-1", "boot", "in-process:repo")], database, clock)
    channels = Channels({"repo": server})
    yield RepoAccountStore(ServicePool("repo", discovery=discovery, channels=channels), timeout_s=5)
    await channels.close()


@pytest.fixture
def passwords() -> PlainPasswords:
    return PlainPasswords()


@pytest.fixture
def sockets() -> ClosedSockets:
    return ClosedSockets()


@pytest.fixture
def cache(clock: ManualClock) -> MemoryCache:
    return MemoryCache(clock)


@pytest.fixture
def random() -> Callable[[int], bytes]:
    numbers = itertools.count(1)
    return lambda size: hashlib.shake_128(b"%d" % next(numbers)).digest(size)


@pytest.fixture
def wire(
    store: RepoAccountStore,
    passwords: PlainPasswords,
    sockets: ClosedSockets,
    cache: MemoryCache,
    clock: ManualClock,
    random: Callable[[int], bytes],
) -> Wire:
    def make(**settings: object) -> Operations:
        return wire_accounts(
            AccountSettings.model_validate(settings),
            SECRETS,
            devices=DeviceLimits(),
            store=store,
            passwords=passwords,
            sockets=sockets,
            cache=cache,
            clock=clock,
            random=random,
        )

    return make


@pytest.fixture
def accounts(wire: Wire) -> Operations:
    return wire()


@pytest.fixture
def phone() -> Installation:
    return Installation("phone-0001", DeviceClass.PHONE, "Phone")


@pytest.fixture
def other_phone() -> Installation:
    return Installation("phone-0002", DeviceClass.PHONE, "Other phone")


@pytest.fixture
def browser() -> Installation:
    return Installation("browser-01", DeviceClass.WEB, "Browser")


@contextmanager
def refusal(reason: Reason) -> Iterator[None]:
    with pytest.raises(ImError) as caught:
        yield
    assert caught.value.reason is reason, caught.value


@pytest.fixture
def refused() -> Callable[[Reason], AbstractContextManager[None]]:
    """A context that expects an ImError of that reason."""
    return refusal


class People:
    """Ways in with everything said that a test does not care for."""

    def __init__(self, accounts: Operations) -> None:
        self.accounts = accounts

    async def register(
        self,
        installation: Installation,
        *,
        handle: str = "alice",
        password: str = "correct horse",
        operation_id: str = "",
        invite_code: str = "",
    ) -> Grant:
        return await self.accounts.enter.register(
            handle=handle,
            password=password,
            display_name="",
            invite_code=invite_code,
            installation=installation,
            operation_id=operation_id,
        )

    async def login(
        self,
        installation: Installation,
        *,
        handle: str = "alice",
        password: str = "correct horse",
        take_over: bool = False,
    ) -> Grant:
        return await self.accounts.enter.login(
            handle=handle, password=password, installation=installation, take_over=take_over
        )

    async def guest(self, installation: Installation, *, display_name: str = "", operation_id: str = "") -> Grant:
        return await self.accounts.enter.create_guest(
            display_name=display_name, installation=installation, operation_id=operation_id
        )


@pytest.fixture
def people(accounts: Operations) -> People:
    return People(accounts)


def caller(grant: Grant) -> Caller:
    return Caller(grant.user.user_id, grant.session_id, grant.user.kind)


@pytest.fixture
def as_caller() -> Callable[[Grant], Caller]:
    """Who asks, after coming in."""
    return caller
