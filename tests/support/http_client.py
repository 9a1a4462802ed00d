"""The HTTP API for tests: accounts, and any call with its status."""

import secrets
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import httpx

PASSWORD = "correct horse"


class Answer(NamedTuple):
    """What HTTP answered."""

    status: int
    body: dict[str, Any]

    @property
    def error(self) -> str:
        """The error's name; empty: none."""
        return str(self.body.get("name", "")) if self.status >= 400 else ""


@dataclass(slots=True)
class Account:
    """Somebody with a session."""

    user_id: int
    handle: str
    access_token: str
    refresh_token: str
    session_id: int
    device_id: str


class HttpClient:
    """Calls the API of a cluster; one connection pool, closed by `async with`.

    Args:
        url: `Cluster.url`.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=20, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        json: Any = None,
        content: bytes | None = None,
        params: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request, whatever it answers."""
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        response = await self._client.request(method, path, json=json, content=content, params=params, headers=sent)
        return Answer(response.status_code, response.json())

    async def register(self, handle: str = "", *, device_class: str = "DEVICE_CLASS_DESKTOP") -> Account:
        """A new registered account."""
        handle = handle or f"u{secrets.token_hex(6)}"
        installation = _installation(device_class)
        body = {"handle": handle, "password": PASSWORD, "installation": installation}
        return _account(await self.call("POST", "/register", json=body), installation["device_id"])

    async def guest(self) -> Account:
        """A new guest."""
        installation = _installation("DEVICE_CLASS_WEB")
        body = {"display_name": "Guest", "installation": installation}
        return _account(await self.call("POST", "/guests", json=body), installation["device_id"])

    async def login(self, handle: str, *, password: str = PASSWORD, device_class: str = "DEVICE_CLASS_BOT") -> Account:
        """A further session of an account, on a device of its own."""
        installation = _installation(device_class)
        body = {"handle": handle, "password": password, "installation": installation}
        return _account(await self.call("POST", "/login", json=body), installation["device_id"])


def _installation(device_class: str) -> dict[str, str]:
    return {"device_id": f"test-{secrets.token_hex(8)}", "device_class": device_class, "device_name": "test"}


def _account(answer: Answer, device_id: str) -> Account:
    assert answer.status == 200, answer
    grant = answer.body["grant"]
    user = grant["user"]
    return Account(
        user_id=int(user["user_id"]),
        handle=user["handle"],
        access_token=grant["access_token"],
        refresh_token=grant["refresh_token"],
        session_id=int(grant["session_id"]),
        device_id=device_id,
    )
