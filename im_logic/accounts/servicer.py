"""im.logic.v1.AccountService: the room's gRPC face."""

# ruff: noqa: ARG002, D102, N802 - names and signatures are gRPC's, and the contract documents each method

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from im_infra.errors import ImError
from im_infra.observability.metrics import Metrics
from im_infra.rpc.unary import unary_errors
from im_logic.accounts import convert
from im_logic.accounts.change_password import ChangePassword
from im_logic.accounts.check_session import CheckSession
from im_logic.accounts.end_sessions import EndSessions
from im_logic.accounts.enter import Enter
from im_logic.accounts.refresh import Refresh
from im_logic.accounts.tickets import Tickets
from im_logic.accounts.upgrade_guest import UpgradeGuest
from im_proto.logic.v1 import account_pb2 as pb
from im_proto.logic.v1.account_pb2_grpc import AccountServiceServicer
from im_proto.v1 import account_pb2 as client_pb

T = TypeVar("T")
Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Operations:
    """What accounts can do."""

    enter: Enter
    upgrade_guest: UpgradeGuest
    refresh: Refresh
    change_password: ChangePassword
    end_sessions: EndSessions
    tickets: Tickets
    check_session: CheckSession


@unary_errors
class AccountServicer(AccountServiceServicer):
    """Translates requests and answers; `ImError`s become statuses in `unary_errors`."""

    def __init__(self, operations: Operations, metrics: Metrics) -> None:
        self._do = operations
        self._entered = metrics.counter("im_logic_entered_total")

    async def Register(self, request: pb.RegisterRequest, context: Context) -> client_pb.RegisterResponse:
        asked = request.request
        grant = await self._counted(
            "register",
            self._do.enter.register(
                handle=asked.handle,
                password=asked.password,
                display_name=asked.display_name,
                invite_code=asked.invite_code,
                installation=convert.installation_of(asked.installation),
                operation_id=asked.operation_id,
            ),
        )
        return client_pb.RegisterResponse(grant=convert.grant_message(grant))

    async def Login(self, request: pb.LoginRequest, context: Context) -> client_pb.LoginResponse:
        asked = request.request
        grant = await self._counted(
            "login",
            self._do.enter.login(
                handle=asked.handle,
                password=asked.password,
                installation=convert.installation_of(asked.installation),
                take_over=asked.take_over,
            ),
        )
        return client_pb.LoginResponse(grant=convert.grant_message(grant))

    async def CreateGuest(self, request: pb.CreateGuestRequest, context: Context) -> client_pb.CreateGuestResponse:
        asked = request.request
        grant = await self._counted(
            "guest",
            self._do.enter.create_guest(
                display_name=asked.display_name,
                installation=convert.installation_of(asked.installation),
                operation_id=asked.operation_id,
            ),
        )
        return client_pb.CreateGuestResponse(grant=convert.grant_message(grant))

    async def UpgradeGuest(self, request: pb.UpgradeGuestRequest, context: Context) -> client_pb.UpgradeGuestResponse:
        asked = request.request
        grant = await self._counted(
            "upgrade",
            self._do.upgrade_guest.upgrade(
                convert.caller_of(request.caller),
                handle=asked.handle,
                password=asked.password,
                display_name=asked.display_name,
                invite_code=asked.invite_code,
                operation_id=asked.operation_id,
            ),
        )
        return client_pb.UpgradeGuestResponse(grant=convert.grant_message(grant))

    async def RefreshToken(self, request: pb.RefreshTokenRequest, context: Context) -> client_pb.RefreshTokenResponse:
        grant = await self._counted("refresh", self._do.refresh.refresh(request.request.refresh_token))
        return client_pb.RefreshTokenResponse(grant=convert.grant_message(grant))

    async def Logout(self, request: pb.LogoutRequest, context: Context) -> client_pb.LogoutResponse:
        await self._do.end_sessions.logout(convert.caller_of(request.caller), everywhere=request.request.everywhere)
        return client_pb.LogoutResponse()

    async def ChangePassword(
        self, request: pb.ChangePasswordRequest, context: Context
    ) -> client_pb.ChangePasswordResponse:
        asked = request.request
        grant = await self._do.change_password.change(
            convert.caller_of(request.caller), current=asked.current_password, new=asked.new_password
        )
        return client_pb.ChangePasswordResponse(grant=convert.grant_message(grant))

    async def ListDevices(self, request: pb.ListDevicesRequest, context: Context) -> client_pb.ListDevicesResponse:
        caller = convert.caller_of(request.caller)
        sessions = await self._do.end_sessions.list_devices(caller)
        return client_pb.ListDevicesResponse(
            devices=[convert.device_message(session, current_session_id=caller.session_id) for session in sessions]
        )

    async def RevokeDevice(self, request: pb.RevokeDeviceRequest, context: Context) -> client_pb.RevokeDeviceResponse:
        await self._do.end_sessions.revoke(convert.caller_of(request.caller), request.request.session_id)
        return client_pb.RevokeDeviceResponse()

    async def CreateTicket(self, request: pb.CreateTicketRequest, context: Context) -> client_pb.CreateTicketResponse:
        ticket, expire_time = await self._do.tickets.create(convert.caller_of(request.caller))
        return client_pb.CreateTicketResponse(ticket=ticket, expire_time=expire_time)

    async def CheckSession(self, request: pb.CheckSessionRequest, context: Context) -> pb.CheckSessionResponse:
        _, user = await self._do.check_session.standing(
            request.user_id, request.session_id, generation=request.generation
        )
        return pb.CheckSessionResponse(user_kind=user.kind)

    async def ListRevocations(self, request: pb.ListRevocationsRequest, context: Context) -> pb.ListRevocationsResponse:
        revocations, now_time = await self._do.check_session.list_revocations(request.since_time)
        return pb.ListRevocationsResponse(
            revocations=[convert.revocation_message(revocation) for revocation in revocations], now_time=now_time
        )

    async def _counted(self, way: str, work: Awaitable[T]) -> T:
        try:
            result = await work
        except ImError as error:
            self._entered.labels(way, error.reason.name).inc()
            raise
        self._entered.labels(way, "ok").inc()
        return result
