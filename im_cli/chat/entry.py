"""Getting in: with a kept account, by logging in, by registering, or as a guest."""

import asyncio
import platform
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from im_cli.chat.people import People
from im_cli.chat.state_folder import Account, StateFolder
from im_sdk import Client, DeviceClass, ImError, LocalStore, SessionSettings, Tokens

CATCH_UP_LIMIT: Final = 300
"""Entries read per conversation after an absence; what is older is read when somebody scrolls there."""
LOGOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Entrance:
    """A logged-in account, its store and its people; not connected yet."""

    client: Client
    store: LocalStore
    people: People
    account: Account


class Door:
    """The ways into one server.

    Args:
        url: the server.
        folder: what is kept of it.
    """

    def __init__(self, url: str, folder: StateFolder) -> None:
        self.url = url
        self.folder = folder

    async def register(self, handle: str, password: str, display_name: str = "", invite_code: str = "") -> Tokens:
        """Make an account."""
        return await self._by(
            lambda client: client.register(handle, password, display_name=display_name, invite_code=invite_code)
        )

    async def login(self, handle: str, password: str) -> Tokens:
        """Log in; a person does it, so a place that another device took is taken back."""
        return await self._by(lambda client: client.login(handle, password, take_over=True))

    async def guest(self, name: str) -> Tokens:
        """Come in without an account."""
        return await self._by(lambda client: client.guest(name))

    @asynccontextmanager
    async def enter(self, tokens: Tokens) -> AsyncIterator[Entrance]:
        """Go on with the tokens of a login just done.

        Raises:
            AccountInUseError: another window of this account is open.
            StoreError: what is kept cannot be used.
        """
        account = self.folder.remember(tokens.user)
        with self.folder.locked(account):
            store = self._store(account)
            async with self._client(store) as client:
                await client.use(tokens)
                yield self._entrance(client, store, account)

    @asynccontextmanager
    async def return_as(self, account: Account) -> AsyncIterator[Entrance | None]:
        """Go on with a kept account; None: its tokens are not kept any more.

        Raises:
            AccountInUseError: another window of this account is open.
            StoreError: what is kept cannot be used.
        """
        with self.folder.locked(account):
            store = self._store(account)
            async with self._client(store) as client:
                user = await client.resume()
                if user is None:
                    yield None
                    return
                self.folder.remember(user)
                yield self._entrance(client, store, account)

    async def log_out(self, account: Account) -> bool:
        """End the session on the server if it can be reached, and forget the account here; whether it was reached."""
        told = False
        async with self.return_as(account) as entrance:
            if entrance is not None:
                try:
                    async with asyncio.timeout(LOGOUT_S):
                        await entrance.client.logout()
                    told = True
                except (ImError, TimeoutError):
                    pass
        self.folder.forget(account.user_id)
        return told

    async def _by(self, way: Callable[[Client], Awaitable[object]]) -> Tokens:
        async with Client(
            self.url,
            device_class=DeviceClass.DESKTOP,
            device_name=_device_name(),
            device_id=self.folder.device_id(),
        ) as client:
            await way(client)
            return client.tokens

    def _store(self, account: Account) -> LocalStore:
        return LocalStore(self.folder.store_path(account.user_id), keep_tokens=True)

    def _client(self, store: LocalStore) -> Client:
        return Client(
            self.url,
            store=store,
            settings=SessionSettings(catch_up_limit=CATCH_UP_LIMIT, client_version="im-chat/0.1.0"),
            device_class=DeviceClass.DESKTOP,
            device_name=_device_name(),
        )

    def _entrance(self, client: Client, store: LocalStore, account: Account) -> Entrance:
        return Entrance(client, store, People(client.user, self.folder.people_path(account.user_id)), account)


def _device_name() -> str:
    return f"im chat on {platform.node() or 'a terminal'}"[:64]
