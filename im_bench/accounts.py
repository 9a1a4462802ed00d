"""The accounts a run talks with: made over the public API, kept in a file so that the next run has them already."""

import asyncio
import json
import ssl
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx

CONCURRENCY: Final = 16
"""Enough to fill the server's hashing threads; more only waits there."""
ATTEMPTS: Final = 8


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can connect."""

    user_id: int
    device_id: str
    access_token: str
    refresh_token: str


class PreparationError(Exception):
    """The accounts could not be made; the message says why."""


async def register(
    url: str, count: int, *, progress: Callable[[int], None], verify: ssl.SSLContext | bool = True
) -> list[Account]:
    """Make `count` registered accounts.

    Raises:
        PreparationError: the server refuses or cannot be reached.
    """
    run = uuid4().hex[:10]

    def body(number: int) -> dict[str, Any]:
        return {
            "handle": f"bench_{run}_{number}",
            "password": uuid4().hex,
            "installation": _installation(),
            "operation_id": str(uuid4()),
        }

    return await _make(url, "/api/v1/register", [body(number) for number in range(count)], progress, verify=verify)


async def create_guests(
    url: str, count: int, *, progress: Callable[[int], None], verify: ssl.SSLContext | bool = True
) -> list[Account]:
    """Make `count` guests.

    Raises:
        PreparationError: the server refuses or cannot be reached.
    """
    bodies = [{"installation": _installation(), "operation_id": str(uuid4())} for _ in range(count)]
    return await _make(url, "/api/v1/guests", bodies, progress, verify=verify)


def load(path: Path) -> list[Account]:
    """Read accounts from a file written by `save`."""
    return [Account(**raw) for raw in json.loads(path.read_text(encoding="utf-8"))]


def save(path: Path, accounts: Sequence[Account]) -> None:
    """Write accounts, readable by their owner only."""
    path.touch(mode=0o600)
    path.write_text(json.dumps([asdict(account) for account in accounts]), encoding="utf-8")


def _installation() -> dict[str, str]:
    return {"device_id": uuid4().hex, "device_class": "DEVICE_CLASS_BOT", "device_name": "im bench"}


async def _make(
    url: str,
    path: str,
    bodies: Sequence[dict[str, Any]],
    progress: Callable[[int], None],
    *,
    verify: ssl.SSLContext | bool,
) -> list[Account]:
    """Post every body, some at a time, repeating what the server asks to repeat."""
    made: list[Account] = []
    gate = asyncio.Semaphore(CONCURRENCY)

    async with httpx.AsyncClient(base_url=url, timeout=30, verify=verify) as client:

        async def one(body: dict[str, Any]) -> None:
            async with gate:
                grant = await _post(client, path, body)
            made.append(
                Account(
                    user_id=int(grant["user"]["user_id"]),
                    device_id=body["installation"]["device_id"],
                    access_token=grant["access_token"],
                    refresh_token=grant["refresh_token"],
                )
            )
            progress(len(made))

        try:
            async with asyncio.TaskGroup() as tasks:
                for body in bodies:
                    tasks.create_task(one(body))
        except* (httpx.HTTPError, PreparationError) as group:
            first = group.exceptions[0]
            raise PreparationError(f"accounts cannot be made at {url}: {first}") from first
    return made


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post until it is taken; a refusal that says when to come back is waited for."""
    for _ in range(ATTEMPTS):
        response = await client.post(path, json=body, headers={"Idempotency-Key": body["operation_id"]})
        if response.is_success:
            grant: dict[str, Any] = response.json()["grant"]
            return grant
        error = response.json()
        if not error.get("retryable"):
            break
        await asyncio.sleep(max(0.05, float(error.get("retry_after_ms") or 0) / 1000))
    raise PreparationError(f"{path} answered {response.status_code} {response.text[:200]}")
