"""The accounts a run talks with: made over the public API, kept in a file so that the next run has them already."""

import asyncio
import json
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import uuid4

import httpx

from im_bench.trouble import Trouble, TroubledError

CONCURRENCY: Final = 16
"""Enough to fill the server's hashing threads; more only waits there."""
ATTEMPTS: Final = 8
FILE_VERSION: Final = 1
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can connect."""

    user_id: int
    device_id: str
    access_token: str
    refresh_token: str
    access_expire_time: int
    """When the access token ends, milliseconds since the epoch; 0: never."""
    kind: str
    """`registered` or `guest`."""
    handle: str = ""
    password: str = ""
    """Kept for the scenario that logs in; guests have none."""

    def lasts(self, until_time: float) -> bool:
        """Whether the access token is good until then, in seconds since the epoch."""
        return not self.access_expire_time or self.access_expire_time / 1000 > until_time


Progress = Callable[[Account], None]
"""Told each account as soon as the server gave it."""


class PreparationError(TroubledError):
    """The accounts could not be made or read; the message says why."""


def made_up(count: int) -> list[Account]:
    """People for a server that has no accounts."""
    return [Account(number, f"device-{number}", "", "", 0, "registered") for number in range(1, count + 1)]


class AccountApi:
    """The part of the HTTP API that makes accounts and keeps them fresh.

    Args:
        url: the gateway, `http(s)://host:port`.
        verify: what to verify an https address with.
    """

    def __init__(self, url: str, *, verify: ssl.SSLContext | None = None) -> None:
        self._url = url
        self._verify = verify

    async def make(self, kind: str, count: int, *, progress: Progress) -> list[Account]:
        """Make `count` accounts of a kind.

        Raises:
            PreparationError: the server refuses or cannot be reached.
        """
        run = uuid4().hex[:10]

        async def one(client: httpx.AsyncClient, number: int) -> Account:
            body: dict[str, Any] = {"installation": _installation(), "operation_id": str(uuid4())}
            path = "/api/v1/guests"
            if kind == "registered":
                path = "/api/v1/register"
                body |= {"handle": f"bench_{run}_{number}", "password": uuid4().hex}
            grant = await _post(client, path, body)
            return Account(
                user_id=int(grant["user"]["user_id"]),
                device_id=body["installation"]["device_id"],
                access_token=grant["access_token"],
                refresh_token=grant["refresh_token"],
                access_expire_time=int(grant["access_expire_time"]),
                kind=kind,
                handle=body.get("handle", ""),
                password=body.get("password", ""),
            )

        return await self._each(range(count), one, progress)

    async def refresh(self, accounts: Sequence[Account], *, progress: Progress) -> list[Account]:
        """Take the next token pair of each; the old refresh tokens are used up.

        Raises:
            PreparationError: the server refuses (it is another one, or they were away too long) or cannot be reached.
        """

        async def one(client: httpx.AsyncClient, account: Account) -> Account:
            grant = await _post(client, "/api/v1/refresh", {"refresh_token": account.refresh_token})
            return replace(
                account,
                access_token=grant["access_token"],
                refresh_token=grant["refresh_token"],
                access_expire_time=int(grant["access_expire_time"]),
            )

        return await self._each(accounts, one, progress)

    async def _each(
        self,
        items: Sequence[T],
        action: Callable[[httpx.AsyncClient, T], Awaitable[Account]],
        progress: Progress,
    ) -> list[Account]:
        """Do something for each, some at a time, keeping the order.

        The first failure is the last one: nothing more is begun, and what is under way comes to its end, since the server
        has taken it.
        """
        made: list[Account | None] = [None] * len(items)
        left = iter(enumerate(items))
        failure: Exception | None = None
        limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
        verify = self._verify if self._verify is not None else True

        async def work(client: httpx.AsyncClient) -> None:
            nonlocal failure
            for position, item in left:
                try:
                    made[position] = account = await action(client, item)
                except (httpx.HTTPError, PreparationError) as error:
                    failure = failure or error
                else:
                    progress(account)
                if failure is not None:
                    return

        async with (
            httpx.AsyncClient(base_url=self._url, timeout=30, verify=verify, limits=limits, trust_env=False) as client,
            asyncio.TaskGroup() as tasks,
        ):
            for _ in range(CONCURRENCY):
                tasks.create_task(work(client))
        if failure is not None:
            said = str(failure) or type(failure).__name__  # a timeout has no words
            raise PreparationError(f"accounts cannot be had at {self._url}: {said}", _trouble(failure)) from failure
        return [account for account in made if account is not None]


@dataclass(frozen=True, slots=True)
class UsersFile:
    """Accounts of one server, in a file that only its owner may read."""

    path: Path

    def load(self, url: str | None) -> list[Account]:
        """The accounts; none when there is no file.

        Args:
            url: of the server that they must be of; None: one that is not there yet, and so has none.

        Raises:
            PreparationError: it is no such file, or its accounts are another server's.
        """
        try:
            raw = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise PreparationError(f"{self.path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise PreparationError(f"{self.path} is no file of `im bench prepare`: it is no JSON") from error
        try:
            made_at, accounts = raw["url"], [Account(**account) for account in raw["accounts"]]
        except (TypeError, KeyError) as error:
            raise PreparationError(f"{self.path} is JSON, but no file of `im bench prepare`") from error
        if made_at != url:
            other = f"not of {url}" if url is not None else "not of one that is started for a run: name it with --url"
            raise PreparationError(f"the accounts in {self.path} are those of {made_at}, {other}")
        return accounts

    def save(self, url: str, accounts: Sequence[Account]) -> None:
        """Write the accounts, whole or not at all."""
        fresh = self.path.with_name(f".{self.path.name}.new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - opened with its mode
            json.dump({"version": FILE_VERSION, "url": url, "accounts": [asdict(one) for one in accounts]}, file)
        fresh.replace(self.path)


def stale(accounts: Sequence[Account], *, for_s: float) -> list[Account]:
    """Those whose access token ends within so many seconds."""
    until_time = time.time() + for_s
    return [account for account in accounts if not account.lasts(until_time)]


def _installation() -> dict[str, str]:
    return {"device_id": uuid4().hex, "device_class": "DEVICE_CLASS_BOT", "device_name": "im bench"}


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post until it is taken; a refusal that says when to come back is waited for."""
    headers = {"Idempotency-Key": body["operation_id"]} if "operation_id" in body else {}
    for _ in range(ATTEMPTS):
        response = await client.post(path, json=body, headers=headers)
        if response.is_success:
            return _grant(response, path)
        if not _retryable(response):
            break
        await asyncio.sleep(max(0.05, float(response.json().get("retry_after_ms") or 0) / 1000))
    limited = response.status_code == httpx.codes.TOO_MANY_REQUESTS
    trouble = Trouble.LIMITED if limited else Trouble.OTHER
    raise PreparationError(f"{path} answered {response.status_code} {response.text[:200]}", trouble)


def _grant(response: httpx.Response, path: str) -> dict[str, Any]:
    """What was given."""
    try:
        grant = response.json()["grant"]
        _ = grant["user"]["user_id"], grant["access_token"], grant["refresh_token"], grant["access_expire_time"]
    except (ValueError, TypeError, LookupError) as error:
        raise PreparationError(f"{path} answered as no gateway of ours does: {response.text[:200]}") from error
    given: dict[str, Any] = grant
    return given


def _trouble(failure: Exception) -> Trouble:
    if isinstance(failure, PreparationError):
        return failure.trouble
    return Trouble.NO_SERVER if isinstance(failure, httpx.TransportError) else Trouble.OTHER


def _retryable(response: httpx.Response) -> bool:
    try:
        return bool(response.json().get("retryable"))
    except (ValueError, AttributeError):
        return False
