"""Logging in, over HTTP: register, login, guest, upgrade, refresh, logout, password, devices."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from im_proto.v1 import account_pb2
from im_sdk import _convert
from im_sdk._backoff import repeat_delay
from im_sdk._errors import ImError
from im_sdk._http import Http
from im_sdk._models import Device, DeviceClass, User

_TRIES: Final = 4
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login gives: keep it like a password; `Client.use` goes on with it after a restart."""

    user: User
    session_id: int
    device_id: str
    access_token: str
    access_expire_time: int
    """Milliseconds since the epoch."""
    refresh_token: str
    """Works once; empty: the session ends with the access token."""

    def __repr__(self) -> str:
        return f"Tokens(user={self.user!r}, session_id={self.session_id}, …)"


def tokens(grant: account_pb2.TokenGrant, device_id: str) -> Tokens:
    """What a grant gives."""
    return Tokens(
        _convert.user(grant.user),
        grant.session_id,
        device_id,
        grant.access_token,
        grant.access_expire_time,
        grant.refresh_token,
    )


class Accounts:
    """The calls about accounts, from one installation.

    Args:
        http: the server.
        device_id: the installation.
        device_class: its class.
        device_name: for people, in the list of devices.
        new_id: makes operation ids.
        source: the jitter's randomness.
    """

    def __init__(
        self,
        http: Http,
        *,
        device_id: str,
        device_class: DeviceClass,
        device_name: str,
        new_id: Callable[[], str],
        source: random.Random,
    ) -> None:
        self._http = http
        self._new_id = new_id
        self._random = source
        self.device_id = device_id
        self._installation = account_pb2.Installation(
            device_id=device_id,
            device_class=int(device_class),  # type: ignore[arg-type]  # the same numbers, checked by a test
            device_name=device_name,
        )

    async def register(self, handle: str, password: str, display_name: str, invite_code: str) -> Tokens:
        """Make a registered account; repeated requests make one."""
        request = account_pb2.RegisterRequest(
            handle=handle,
            password=password,
            display_name=display_name,
            invite_code=invite_code,
            installation=self._installation,
            operation_id=self._new_id(),
        )
        answer = await self._repeat(
            lambda: self._http.call(
                "POST", "/api/v1/register", request, account_pb2.RegisterResponse, operation_id=request.operation_id
            )
        )
        return tokens(answer.grant, self.device_id)

    async def login(self, handle: str, password: str, *, take_over: bool) -> Tokens:
        """Log in; not repeated by itself, since each login is a session."""
        request = account_pb2.LoginRequest(
            handle=handle, password=password, installation=self._installation, take_over=take_over
        )
        answer = await self._http.call("POST", "/api/v1/login", request, account_pb2.LoginResponse)
        return tokens(answer.grant, self.device_id)

    async def guest(self, display_name: str) -> Tokens:
        """Come in as a guest; repeated requests make one."""
        request = account_pb2.CreateGuestRequest(
            display_name=display_name, installation=self._installation, operation_id=self._new_id()
        )
        answer = await self._repeat(
            lambda: self._http.call(
                "POST", "/api/v1/guests", request, account_pb2.CreateGuestResponse, operation_id=request.operation_id
            )
        )
        return tokens(answer.grant, self.device_id)

    async def upgrade(self, token: str, handle: str, password: str, display_name: str, invite_code: str) -> Tokens:
        """Turn the guest into a registered account."""
        request = account_pb2.UpgradeGuestRequest(
            handle=handle,
            password=password,
            display_name=display_name,
            operation_id=self._new_id(),
            invite_code=invite_code,
        )
        answer = await self._repeat(
            lambda: self._http.call(
                "POST",
                "/api/v1/guests/upgrade",
                request,
                account_pb2.UpgradeGuestResponse,
                token=token,
                operation_id=request.operation_id,
            )
        )
        return tokens(answer.grant, self.device_id)

    async def refresh(self, refresh_token: str) -> Tokens:
        """Take the next pair; repeated within a minute it is the same pair."""
        request = account_pb2.RefreshTokenRequest(refresh_token=refresh_token)
        answer = await self._repeat(
            lambda: self._http.call("POST", "/api/v1/refresh", request, account_pb2.RefreshTokenResponse)
        )
        return tokens(answer.grant, self.device_id)

    async def logout(self, token: str, *, everywhere: bool) -> None:
        """End the session."""
        request = account_pb2.LogoutRequest(everywhere=everywhere)
        await self._http.call("POST", "/api/v1/logout", request, account_pb2.LogoutResponse, token=token)

    async def change_password(self, token: str, current: str, new: str) -> Tokens:
        """Change the password; all other sessions end."""
        request = account_pb2.ChangePasswordRequest(current_password=current, new_password=new)
        answer = await self._http.call(
            "POST", "/api/v1/password", request, account_pb2.ChangePasswordResponse, token=token
        )
        return tokens(answer.grant, self.device_id)

    async def devices(self, token: str) -> list[Device]:
        """The account's sessions, the newest first."""
        answer = await self._repeat(
            lambda: self._http.call("GET", "/api/v1/devices", None, account_pb2.ListDevicesResponse, token=token)
        )
        return [_convert.device(wire) for wire in answer.devices]

    async def revoke_device(self, token: str, session_id: int) -> None:
        """End another session of the account."""
        await self._http.call(
            "DELETE", f"/api/v1/devices/{session_id}", None, account_pb2.RevokeDeviceResponse, token=token
        )

    async def _repeat(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        for attempt in range(1, _TRIES):
            try:
                return await call()
            except ImError as error:
                if not error.retryable:
                    raise
                await asyncio.sleep(
                    repeat_delay(attempt, self._random, at_least_s=min(error.retry_after_ms / 1000, 30))
                )
        return await call()
