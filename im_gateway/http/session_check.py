"""Whether a session still stands, asked of logic at most once a second."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from im_gateway.auth.access_token import AccessClaims
from im_infra.rpc.retry import retry
from im_infra.rpc.service_pool import ServicePool
from im_infra.rpc.unary import call_unary
from im_proto.logic.v1.account_pb2 import CheckSessionRequest, CheckSessionResponse
from im_proto.logic.v1.account_pb2_grpc import AccountServiceStub

_TIMEOUT_S: Final = 3.0
_MAX_SESSIONS: Final = 50_000
"""Bound of the cache: above it the one checked longest ago is forgotten."""


class SessionCheck:
    """Checks sessions of HTTP requests.

    Args:
        accounts: logic's account service.
        cache_s: seconds a checked session is believed; at most 1, so that a revocation holds within two.
        monotonic: seconds.
    """

    def __init__(self, accounts: ServicePool, *, cache_s: float, monotonic: Callable[[], float]) -> None:
        self._accounts = accounts
        self._cache_s = cache_s
        self._monotonic = monotonic
        self._checked: OrderedDict[tuple[int, int, int], tuple[float, int]] = OrderedDict()

    async def user_kind(self, claims: AccessClaims) -> int:
        """The account's kind as of now.

        Raises:
            ImError: SESSION_REVOKED, KICKED, ACCOUNT_DISABLED, UNAVAILABLE. Safe to cancel.
        """
        key = (claims.user_id, claims.session_id, claims.generation)
        now = self._monotonic()
        known = self._checked.get(key)
        if known is not None and now - known[0] < self._cache_s:
            return known[1]
        request = CheckSessionRequest(
            user_id=claims.user_id, session_id=claims.session_id, generation=claims.generation
        )
        response: CheckSessionResponse = await retry(  # it reads only
            lambda left_s: call_unary(
                self._accounts.stub(AccountServiceStub, key=claims.user_id).CheckSession, request, timeout_s=left_s
            ),
            timeout_s=_TIMEOUT_S,
            attempt_timeout_s=_TIMEOUT_S / 2,
        )
        self._checked[key] = (now, response.user_kind)
        self._checked.move_to_end(key)
        if len(self._checked) > _MAX_SESSIONS:
            self._checked.popitem(last=False)
        return response.user_kind
