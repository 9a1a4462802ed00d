"""The client: an account on a server, as a handful of coroutines and one stream of events."""

import random
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from types import TracebackType
from typing import Self
from uuid import uuid4

from im_sdk._accounts import Accounts, Tokens
from im_sdk._credentials import AccessToken
from im_sdk._engine import Engine
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ClosedError, from_table
from im_sdk._event_queue import EventQueue
from im_sdk._events import ConnectionState, Event
from im_sdk._http import Http, base_url, socket_url
from im_sdk._ids import uuid7
from im_sdk._models import Device, DeviceClass, User
from im_sdk._operations import Operations
from im_sdk._settings import SessionSettings
from im_sdk._snapshot import Snapshot
from im_sdk._store.local_store import LocalStore
from im_sdk._transport import connector


class Client(Operations):
    """One account of one server, on the running event loop.

    Log in (`register`, `login`, `guest`, `use` or `resume`), `connect`, then send and iterate `events`. Connections
    come and go by themselves; what was asked is asked again, and messages are sent once and shown once.

        async with Client("http://127.0.0.1:8080") as client:
            await client.guest("Ada")
            await client.connect()

    All times are milliseconds since the epoch by the server's clock. Every coroutine is safe to cancel; what was
    under way may have happened all the same. Errors are `ImError`s.

    Args:
        url: the server: http, https, ws or wss.
        settings: constants of the session, such as `catch_up` and `pipeline`.
        store: keeps cursors, messages and unsent messages over restarts of the program.
        device_class: what this is; a phone and a desktop can be logged in together.
        device_name: for people, in the list of devices.
        device_id: the installation, 8 to 64 characters of [A-Za-z0-9._-]; default: the store's, or a new one.
        tls: for https; default: the system's certificates.
        events_limit: events waiting for the application. At the limit messages stop flowing, and are read from the
            server again once half of them were taken: a slow reader loses none. State changes, typing and receipts
            are dropped meanwhile.
        request_timeout_s: how long an operation is tried, over reconnects, before it raises DEADLINE_EXCEEDED.
        on_tokens: called with each new pair of tokens, for applications that keep them.
        traceparent: called at the start of each send and operation, in the caller's context; gives the W3C
            `traceparent` that it is part of, or an empty text. Servers follow it only if their operator set that.
    """

    def __init__(
        self,
        url: str,
        *,
        settings: SessionSettings | None = None,
        store: LocalStore | None = None,
        device_class: DeviceClass = DeviceClass.DESKTOP,
        device_name: str = "",
        device_id: str = "",
        tls: ssl.SSLContext | None = None,
        events_limit: int = 10_000,
        request_timeout_s: float = 30,
        on_tokens: Callable[[Tokens], None] | None = None,
        traceparent: Callable[[], str] | None = None,
    ) -> None:
        super().__init__(request_timeout_s=request_timeout_s, traceparent=traceparent)
        self._url = base_url(url)
        self._settings = settings or SessionSettings()
        self._store = store
        self._random = random.SystemRandom()
        self._http = Http(self._url, tls=tls, timeout_s=self._settings.connect_timeout_s + 20)
        self._connect_socket = connector(socket_url(self._url), tls=tls, timeout_s=self._settings.connect_timeout_s)
        self._device_id = device_id
        self._device_class = device_class
        self._device_name = device_name
        self._accounts_made: Accounts | None = None
        self._instance_id = uuid4().hex
        self._on_tokens = on_tokens
        self._tokens: Tokens | None = None
        self._kept_tokens: Tokens | None = None
        self._queue = EventQueue(limit=events_limit, on_full=self._pause, on_room=self._go_on)
        self._store_open = False

    async def __aenter__(self) -> Self:
        await self._open_store()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # getting in

    async def register(self, handle: str, password: str, *, display_name: str = "", invite_code: str = "") -> User:
        """Make an account and log in."""
        accounts = await self._accounts()
        return await self._adopt(await accounts.register(handle, password, display_name, invite_code))

    async def login(self, handle: str, password: str, *, take_over: bool = False) -> User:
        """Log in; `take_over` displaces another device of the class."""
        accounts = await self._accounts()
        return await self._adopt(await accounts.login(handle, password, take_over=take_over))

    async def guest(self, display_name: str = "") -> User:
        """Come in without an account."""
        accounts = await self._accounts()
        return await self._adopt(await accounts.guest(display_name))

    async def upgrade(self, handle: str, password: str, *, display_name: str = "", invite_code: str = "") -> User:
        """Turn the guest into a registered account: same id, same history."""
        accounts = await self._accounts()
        access = self._need_tokens().access_token
        return await self._adopt(await accounts.upgrade(access, handle, password, display_name, invite_code))

    async def use(self, tokens: Tokens) -> User:
        """Go on with tokens of an earlier login."""
        self._device_id = tokens.device_id
        self._accounts_made = None
        return await self._adopt(tokens)

    async def resume(self) -> User | None:
        """Go on with the tokens that the store kept; None: it has none."""
        await self._open_store()
        return await self._adopt(self._kept_tokens) if self._kept_tokens is not None else None

    async def logout(self, *, everywhere: bool = False) -> None:
        """End this session, or all of the account, and close."""
        accounts = await self._accounts()
        await accounts.logout(self._need_tokens().access_token, everywhere=everywhere)
        if self._store is not None:
            await self._store.keep_tokens(None)
        await self.close()

    async def change_password(self, current: str, new: str) -> None:
        """Change the password; all other sessions end."""
        accounts = await self._accounts()
        await self._adopt(await accounts.change_password(self._need_tokens().access_token, current, new))

    async def devices(self) -> list[Device]:
        """The account's sessions, the newest first."""
        return await (await self._accounts()).devices(self._need_tokens().access_token)

    async def revoke_device(self, session_id: int) -> None:
        """End another session of the account."""
        await (await self._accounts()).revoke_device(self._need_tokens().access_token, session_id)

    # the connection

    async def connect(self, *, take_over: bool = False) -> None:
        """Connect and wait until the list of conversations is there; from then on it stays connected by itself.

        Args:
            take_over: a person asked to return on a device that another one displaced.

        Raises:
            ClosedError: the server refuses for good: kicked, logged out, disabled.
        """
        if self._closed:
            raise ClosedError.by_owner()
        tokens = self._need_tokens()
        engine = self._engine
        if engine is None or engine.state is ConnectionState.CLOSED:
            engine = self._engine = await self._make_engine(tokens, engine)
        await engine.start(take_over=take_over)

    async def close(self) -> None:
        """Leave. What waits fails with ClosedError; messages that a store keeps are sent by the next run."""
        self._closed = True
        if self._engine is not None:
            await self._engine.stop()
        self._queue.end()
        if self._store is not None and self._store_open:
            await self._store.close()

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands."""
        return self._engine.state if self._engine is not None else ConnectionState.OFFLINE

    @property
    def user(self) -> User:
        """The account.

        Raises:
            DeniedError: nobody is logged in.
        """
        return self._need_tokens().user

    @property
    def tokens(self) -> Tokens:
        """The present tokens.

        Raises:
            DeniedError: nobody is logged in.
        """
        return self._need_tokens()

    @property
    def world_conversation_id(self) -> int:
        """The room everybody is in; 0: there is none, or not connected yet."""
        return self._engine.session.world_conversation_id if self._engine is not None else 0

    def events(self) -> AsyncIterator[Event]:
        """What happens, each event once, in order; ends after `close()` or when the server ended the session.

        One reader at a time; a loop that is left can be taken up by another. What happened before the first reader
        came is kept for it.
        """
        return self._queue

    # within

    def _need_tokens(self) -> Tokens:
        if self._tokens is None:
            raise from_table(ErrorNumber.UNAUTHENTICATED, "nobody is logged in: login, register, guest or use first")
        return self._tokens

    async def _open_store(self) -> None:
        if self._store is not None and not self._store_open:
            self._kept_tokens = await self._store.open(self._url)
            self._store_open = True

    async def _accounts(self) -> Accounts:
        await self._open_store()
        if self._accounts_made is None:
            if not self._device_id:
                self._device_id = self._store.device_id if self._store is not None else uuid4().hex
            self._accounts_made = Accounts(
                self._http,
                device_id=self._device_id,
                device_class=self._device_class,
                device_name=self._device_name,
                new_id=lambda: uuid7(time.time_ns() // 1_000_000, self._random),
                source=self._random,
            )
        return self._accounts_made

    async def _adopt(self, tokens: Tokens) -> User:
        """Use a grant from here on; another account than before needs another engine."""
        other = self._tokens is not None and self._tokens.user.user_id != tokens.user.user_id
        self._tokens = tokens
        if self._store is not None:
            await self._open_store()
            await self._store.keep_tokens(tokens)
        if self._on_tokens is not None:
            self._on_tokens(tokens)
        if self._engine is not None:
            if other:
                engine, self._engine = self._engine, None
                await engine.stop()
            else:
                self._engine.session.tokens_refreshed(_access(tokens), self._engine.now())
                self._engine.touch()
        return tokens.user

    async def _refresh(self) -> AccessToken:
        accounts = await self._accounts()
        tokens = await accounts.refresh(self._need_tokens().refresh_token)
        self._tokens = tokens
        if self._store is not None:
            await self._store.keep_tokens(tokens)
        if self._on_tokens is not None:
            self._on_tokens(tokens)
        return _access(tokens)

    async def _make_engine(self, tokens: Tokens, before: Engine | None) -> Engine:
        snapshot: Snapshot | None = None
        if before is not None:
            await before.stop()
            snapshot = before.session.snapshot()
        if self._store is not None:
            await self._open_store()
            snapshot = await self._store.bind(tokens.user.user_id)
        engine = Engine(
            replace(self._settings, device_id=tokens.device_id, instance_id=self._instance_id),
            access=_access(tokens),
            renewable=bool(tokens.refresh_token),
            connect=self._connect_socket,
            refresh=self._refresh,
            queue=self._queue,
            store=self._store,
            snapshot=snapshot,
        )
        engine.session.inbox.delivery.me = tokens.user.user_id
        if self._queue.full:
            engine.session.pause()
        return engine

    def _pause(self) -> None:
        if self._engine is not None:
            self._engine.session.pause()

    def _go_on(self) -> None:
        if self._engine is not None:
            self._engine.session.go_on(self._engine.now())
            self._engine.touch()


def _access(tokens: Tokens) -> AccessToken:
    return AccessToken(tokens.access_token, tokens.access_expire_time, time.time_ns() // 1_000_000)
