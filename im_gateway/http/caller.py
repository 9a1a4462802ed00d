"""Who makes an HTTP request, from where, and whether it is within its limits."""

from collections.abc import Callable
from typing import Final

from fastapi import Request

from im_gateway.auth.access_token import AccessTokenVerifier
from im_gateway.http.operations import Access, Operation
from im_gateway.http.session_check import SessionCheck
from im_gateway.limits.address_buckets import AddressBuckets
from im_gateway.limits.user_limits import UserLimitTable
from im_gateway.transport.networks import Networks, client_address
from im_infra import error_table
from im_infra.errors import ImError
from im_proto.logic.v1.stream_pb2 import Caller

_SCHEME: Final = "bearer"


class Callers:
    """Authenticates and limits.

    Args:
        verifier: of access tokens.
        sessions: whether they still stand.
        users: per-user buckets, the same as the sockets'.
        ways_in: per-address buckets of logins and registrations.
        trusted: proxies whose X-Forwarded-For counts.
        exempt: networks without buckets.
        gateway_id: told to logic.
        monotonic: seconds.
    """

    def __init__(
        self,
        verifier: AccessTokenVerifier,
        sessions: SessionCheck,
        *,
        users: UserLimitTable,
        ways_in: AddressBuckets,
        trusted: Networks,
        exempt: Networks,
        gateway_id: str,
        monotonic: Callable[[], float],
    ) -> None:
        self._verifier = verifier
        self._sessions = sessions
        self._users = users
        self._ways_in = ways_in
        self._trusted = trusted
        self._exempt = exempt
        self._gateway_id = gateway_id
        self._monotonic = monotonic

    def address(self, request: Request) -> str:
        """The client's address, after trusted proxies."""
        forwarded = [each for value in request.headers.getlist("x-forwarded-for") for each in value.split(",")]
        return client_address(request.client.host if request.client else "", forwarded, self._trusted)

    def limit_way_in(self, address: str) -> None:
        """Take a token of an address for a login, registration or guest.

        Raises:
            ImError: RATE_LIMITED.
        """
        if address not in self._exempt:
            _refuse_if(self._ways_in.take(address, self._monotonic()))

    async def authenticate(self, request: Request, operation: Operation) -> Caller:
        """Who calls, within its limits.

        Raises:
            ImError: UNAUTHENTICATED, TOKEN_EXPIRED, SESSION_REVOKED, KICKED, ACCOUNT_DISABLED, RATE_LIMITED, UNAVAILABLE.
        """
        assert operation.access is Access.SESSION
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != _SCHEME or not token:
            raise ImError(error_table.UNAUTHENTICATED, "an access token is needed: Authorization: Bearer …")
        claims = self._verifier.verify(token.strip())
        exempt = self.address(request) in self._exempt
        if not exempt:
            limits = self._users.of(claims.user_id, self._monotonic())
            bucket = limits.sends if operation.target == "send" else limits.operations
            _refuse_if(bucket.take(self._monotonic()))
        kind = await self._sessions.user_kind(claims)
        return Caller(
            user_id=claims.user_id,
            session_id=claims.session_id,
            user_kind=kind,
            gateway_id=self._gateway_id,
            device_id=claims.device_id,
            exempt=exempt,
        )


def _refuse_if(wait_s: float) -> None:
    if wait_s:
        raise ImError(error_table.RATE_LIMITED, retry_after_ms=int(wait_s * 1000) + 1)
