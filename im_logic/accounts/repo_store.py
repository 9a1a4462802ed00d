"""The accounts in repo, over unary calls."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from im_infra.error_table import CloseCode
from im_infra.rpc.retry import retry
from im_infra.rpc.service_pool import ServicePool
from im_infra.rpc.unary import call_unary
from im_logic.accounts import convert
from im_logic.accounts.model import Revocation, Session, User, UserKind
from im_logic.accounts.ports import Entered, NewSession, NewUser, Rotated, UserChange
from im_proto.repo.v1 import account_pb2
from im_proto.repo.v1.account_pb2_grpc import AccountStoreServiceStub

Response = TypeVar("Response")


class RepoAccountStore:
    """An `AccountStore` that asks repo. Reads are tried again on another node while the deadline lasts; writes are not.

    Args:
        repos: repo's living nodes.
        timeout_s: deadline of one call, in seconds.
    """

    def __init__(self, repos: ServicePool, *, timeout_s: float) -> None:
        self._repos = repos
        self._timeout_s = timeout_s

    async def create_user(
        self, user: NewUser, session: NewSession, *, operation_id: bytes, digest: bytes, invite_code: str
    ) -> Entered:
        """Make an account with its first session."""
        request = account_pb2.CreateUserRequest(
            user=convert.user_row(user),
            session=convert.session_row(session),
            operation_id=operation_id,
            digest=digest,
            invite_code=invite_code,
        )
        response = await call_unary(
            self._repos.stub(AccountStoreServiceStub).CreateUser, request, timeout_s=self._timeout_s
        )
        return Entered(convert.user_of(response.user), convert.session_of(response.session), response.duplicate)

    async def find_user(self, handle: str) -> User | None:
        """The account of a handle."""
        return await self._get_user(account_pb2.GetUserRequest(handle=handle))

    async def load_user(self, user_id: int) -> User | None:
        """An account."""
        return await self._get_user(account_pb2.GetUserRequest(user_id=user_id))

    async def upgrade_user(
        self, user_id: int, change: UserChange, *, operation_id: bytes, digest: bytes, invite_code: str
    ) -> User:
        """Make a guest a registered account."""
        request = account_pb2.UpdateUserRequest(
            user_id=user_id,
            handle=change.handle,
            display_name=change.display_name,
            kind=change.kind,
            password_hash=change.password_hash,
            operation_id=operation_id,
            digest=digest,
            expected_kind=UserKind.GUEST,
            invite_code=invite_code,
        )
        response = await call_unary(
            self._repos.stub(AccountStoreServiceStub).UpdateUser, request, timeout_s=self._timeout_s
        )
        return convert.user_of(response.user)

    async def change_password(self, user_id: int, password_hash: str, *, keep_session_id: int) -> list[Session]:
        """Change it and end the other sessions."""
        request = account_pb2.UpdateUserRequest(
            user_id=user_id, password_hash=password_hash, revoke_sessions=True, keep_session_id=keep_session_id
        )
        response = await call_unary(
            self._repos.stub(AccountStoreServiceStub).UpdateUser, request, timeout_s=self._timeout_s
        )
        return [convert.session_of(row) for row in response.revoked]

    async def create_session(
        self, user_id: int, session: NewSession, *, class_limit: int
    ) -> tuple[Session, list[Session]]:
        """Open a session."""
        request = account_pb2.CreateSessionRequest(
            session=convert.session_row(session, user_id=user_id), class_limit=class_limit
        )
        response = await call_unary(
            self._repos.stub(AccountStoreServiceStub).CreateSession, request, timeout_s=self._timeout_s
        )
        return convert.session_of(response.session), [convert.session_of(row) for row in response.displaced]

    async def find_session(self, session_id: int) -> tuple[Session, User] | None:
        """A session and its account."""
        request = account_pb2.GetSessionRequest(session_id=session_id)
        response = await self._read(
            lambda left_s: call_unary(self._repos.stub(AccountStoreServiceStub).GetSession, request, timeout_s=left_s)
        )
        if not response.HasField("session"):
            return None
        return convert.session_of(response.session), convert.user_of(response.user)

    async def list_sessions(self, user_id: int) -> list[Session]:
        """Sessions that were not ended."""
        request = account_pb2.ListSessionsRequest(user_id=user_id)
        response = await self._read(
            lambda left_s: call_unary(self._repos.stub(AccountStoreServiceStub).ListSessions, request, timeout_s=left_s)
        )
        return [convert.session_of(row) for row in response.sessions]

    async def rotate_refresh(
        self,
        session_id: int,
        *,
        presented_hash: bytes,
        presented_counter: int,
        next_hash: bytes,
        next_expire_time: int,
        grace_ms: int,
    ) -> Rotated:
        """Put the next refresh secret in force."""
        request = account_pb2.RotateRefreshRequest(
            session_id=session_id,
            presented_hash=presented_hash,
            presented_counter=presented_counter,
            next_hash=next_hash,
            next_expire_time=next_expire_time,
            grace_ms=grace_ms,
        )
        response = await call_unary(
            self._repos.stub(AccountStoreServiceStub).RotateRefresh, request, timeout_s=self._timeout_s
        )
        return convert.rotated_of(response)

    async def revoke_sessions(
        self, user_id: int, session_ids: Sequence[int], *, close_code: CloseCode
    ) -> list[Session]:
        """End sessions."""
        request = account_pb2.RevokeSessionsRequest(user_id=user_id, session_ids=session_ids, close_code=close_code)
        response = await call_unary(
            self._repos.stub(AccountStoreServiceStub).RevokeSessions, request, timeout_s=self._timeout_s
        )
        return [convert.session_of(row) for row in response.revoked]

    async def displace(self, session_ids: Sequence[int]) -> None:
        """Mark sessions displaced."""
        if session_ids:
            request = account_pb2.MarkDisplacedRequest(session_ids=session_ids, displaced=True)
            await call_unary(
                self._repos.stub(AccountStoreServiceStub).MarkDisplaced, request, timeout_s=self._timeout_s
            )

    async def restore(self, session_id: int) -> Session | None:
        """Lift the mark."""
        request = account_pb2.MarkDisplacedRequest(session_ids=[session_id], displaced=False)
        response = await call_unary(
            self._repos.stub(AccountStoreServiceStub).MarkDisplaced, request, timeout_s=self._timeout_s
        )
        return next((convert.session_of(row) for row in response.sessions if row.session_id == session_id), None)

    async def list_revocations(self, since_time: int) -> tuple[list[Revocation], int]:
        """Revocations at or after a moment, and the database's time."""
        request = account_pb2.ListRevocationsRequest(since_time=since_time)
        response = await self._read(
            lambda left_s: call_unary(
                self._repos.stub(AccountStoreServiceStub).ListRevocations, request, timeout_s=left_s
            )
        )
        return [convert.revocation_of(row) for row in response.revocations], response.now_time

    async def _get_user(self, request: account_pb2.GetUserRequest) -> User | None:
        response = await self._read(
            lambda left_s: call_unary(self._repos.stub(AccountStoreServiceStub).GetUser, request, timeout_s=left_s)
        )
        return convert.user_of(response.user) if response.HasField("user") else None

    async def _read(self, attempt: Callable[[float], Awaitable[Response]]) -> Response:
        return await retry(attempt, timeout_s=self._timeout_s)
