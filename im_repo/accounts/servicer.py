"""`im.repo.v1.AccountStoreService`: makes ids, runs units; it decides nothing."""
# ruff: noqa: N802, ARG002 - the names and arguments of methods are the generated base class's

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import grpc
from sqlalchemy import Connection

from im_infra.error_table import CloseCode
from im_infra.ids.snowflake import Snowflake
from im_infra.rpc.unary import unary_errors
from im_infra.sql.abstract import Database
from im_infra.sql.expressions import read_now_ms
from im_proto.repo.v1 import account_pb2 as pb
from im_proto.repo.v1.account_pb2_grpc import AccountStoreServiceServicer
from im_repo.accounts.change_user import Standing, UserChange, change_user
from im_repo.accounts.create_user import NewUser, create_user
from im_repo.accounts.end_sessions import lift_displaced, mark_displaced, revoke_sessions
from im_repo.accounts.find_sessions import find_session_with_user, list_live_sessions
from im_repo.accounts.find_users import find_user, find_user_by_handle, read_profiles
from im_repo.accounts.invites import create_invite
from im_repo.accounts.open_session import open_session
from im_repo.accounts.revocations import list_revocations
from im_repo.accounts.rotate_refresh import rotate_refresh

T = TypeVar("T")
Context = grpc.aio.ServicerContext[Any, Any]

MAX_PROFILES: Final = 500
INVITE_BYTES: Final = 15
"""Random bytes of an invite code: 20 characters, 120 bits."""


@unary_errors
class AccountStoreServicer(AccountStoreServiceServicer):
    """Serves users and sessions. Cancelling a call never undoes what it began.

    Args:
        database: where they lie.
        ids: makes user and session ids.
    """

    def __init__(self, database: Database, ids: Snowflake) -> None:
        self._database = database
        self._ids = ids

    async def CreateUser(self, request: pb.CreateUserRequest, context: Context) -> pb.CreateUserResponse:
        """Make a user with its first session, once per (device, operation_id)."""
        user_id, session_id = self._ids.next_ids(2)
        new = NewUser(
            user=request.user,
            session=request.session,
            user_id=user_id,
            session_id=session_id,
            operation_id=request.operation_id,
            digest=request.digest,
            invite_code=request.invite_code,
        )
        made = await self._write(lambda connection, now: create_user(connection, new, now=now))
        return pb.CreateUserResponse(user=made.user, session=made.session, duplicate=made.duplicate)

    async def GetUser(self, request: pb.GetUserRequest, context: Context) -> pb.GetUserResponse:
        """Read a user by id or handle, with the password hash."""
        if request.WhichOneof("key") == "handle":
            unit = partial(find_user_by_handle, handle=request.handle)
        else:
            unit = partial(find_user, user_id=request.user_id)
        return pb.GetUserResponse(user=await self._database.read(unit))

    async def GetUsers(self, request: pb.GetUsersRequest, context: Context) -> pb.GetUsersResponse:
        """Read profiles; of the first 500 where more are asked for."""
        ids = list(request.user_ids)[:MAX_PROFILES]
        return pb.GetUsersResponse(users=await self._database.read(lambda connection: read_profiles(connection, ids)))

    async def UpdateUser(self, request: pb.UpdateUserRequest, context: Context) -> pb.UpdateUserResponse:
        """Change a user, and end sessions where asked."""
        change = UserChange(
            handle=request.handle,
            display_name=request.display_name,
            kind=request.kind,
            password_hash=request.password_hash,
            standing=_standing(request.disable),
            revoke_sessions=request.revoke_sessions,
            keep_session_id=request.keep_session_id,
            expected_kind=request.expected_kind,
            invite_code=request.invite_code,
            operation_id=request.operation_id,
            digest=request.digest,
        )
        changed = await self._write(lambda connection, now: change_user(connection, request.user_id, change, now=now))
        return pb.UpdateUserResponse(user=changed.user, revoked=changed.revoked)

    async def CreateSession(self, request: pb.CreateSessionRequest, context: Context) -> pb.CreateSessionResponse:
        """Open a session; the kick policy's victims are marked with it."""
        session_id = self._ids.next_id()
        opened = await self._write(
            lambda connection, now: open_session(
                connection, request.session, session_id=session_id, class_limit=request.class_limit, now=now
            )
        )
        return pb.CreateSessionResponse(session=opened.session, displaced=opened.gone)

    async def GetSession(self, request: pb.GetSessionRequest, context: Context) -> pb.GetSessionResponse:
        """Read a session and its user."""
        found = await self._database.read(lambda connection: find_session_with_user(connection, request.session_id))
        session, user = found or (None, None)
        return pb.GetSessionResponse(session=session, user=user)

    async def ListSessions(self, request: pb.ListSessionsRequest, context: Context) -> pb.ListSessionsResponse:
        """List live sessions."""
        sessions = await self._database.read(
            lambda connection: list_live_sessions(connection, request.user_id, now=read_now_ms(connection))
        )
        return pb.ListSessionsResponse(sessions=sessions)

    async def RotateRefresh(self, request: pb.RotateRefreshRequest, context: Context) -> pb.RotateRefreshResponse:
        """Rotate a refresh token."""
        return await self._write(lambda connection, now: rotate_refresh(connection, request, now=now))

    async def RevokeSessions(self, request: pb.RevokeSessionsRequest, context: Context) -> pb.RevokeSessionsResponse:
        """End sessions and write the revocations."""
        revoked = await self._write(
            lambda connection, now: revoke_sessions(
                connection,
                request.user_id,
                session_ids=list(request.session_ids),
                keep_session_id=request.keep_session_id,
                close_code=CloseCode(request.close_code or CloseCode.SESSION_REVOKED),
                now=now,
            )
        )
        return pb.RevokeSessionsResponse(revoked=revoked)

    async def MarkDisplaced(self, request: pb.MarkDisplacedRequest, context: Context) -> pb.MarkDisplacedResponse:
        """Set or lift the mark of displaced sessions."""
        ids = list(request.session_ids)
        if request.displaced:
            sessions = await self._write(lambda connection, now: mark_displaced(connection, ids, now=now))
        else:
            sessions = await self._database.write(lambda connection: lift_displaced(connection, ids))
        return pb.MarkDisplacedResponse(sessions=sessions)

    async def ListRevocations(self, request: pb.ListRevocationsRequest, context: Context) -> pb.ListRevocationsResponse:
        """List revocations since a moment, and tell the database's time, read before them."""

        def unit(connection: Connection) -> pb.ListRevocationsResponse:
            now = read_now_ms(connection)
            since = request.since_time
            revocations = list_revocations(connection, since_time=since) if since else []
            return pb.ListRevocationsResponse(revocations=revocations, now_time=now)

        return await self._database.read(unit)

    async def CreateInvite(self, request: pb.CreateInviteRequest, context: Context) -> pb.CreateInviteResponse:
        """Make an invite code."""
        code = secrets.token_urlsafe(INVITE_BYTES)
        await self._write(
            lambda connection, now: create_invite(
                connection, code, uses=request.uses, expire_time=request.expire_time, now=now
            )
        )
        return pb.CreateInviteResponse(code=code)

    async def _write(self, unit: Callable[[Connection, int], T]) -> T:
        return await self._database.write(lambda connection: unit(connection, read_now_ms(connection)))


def _standing(disable: int) -> Standing:
    if disable == 0:
        return Standing.UNCHANGED
    return Standing.DISABLE if disable > 0 else Standing.ENABLE
