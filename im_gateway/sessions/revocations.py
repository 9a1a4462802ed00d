"""Ending sessions that were revoked, within two seconds, whatever else is lost."""

import asyncio
from typing import Final

from im_gateway.connections.hub import Hub
from im_infra import error_table
from im_infra.error_table import CloseCode, Reason
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.rpc.service_pool import ServicePool
from im_infra.rpc.unary import call_unary
from im_proto.logic.v1.account_pb2 import CheckSessionRequest, ListRevocationsRequest, Revocation
from im_proto.logic.v1.account_pb2_grpc import AccountServiceStub

_LOG: Final = logs.get(__name__)
_INTERVAL_S: Final = 1.0
_OVERLAP_MS: Final = 10_000
"""Revocations do not commit in the order of their times: the last ten seconds are read again each time."""
_TIMEOUT_S: Final = 2.0
_CHECKED_AT_A_TIME: Final = 20
_CLOSE_CODES: Final = frozenset(CloseCode)
_ENDING: Final[dict[Reason, CloseCode]] = {
    error_table.SESSION_REVOKED: CloseCode.SESSION_REVOKED,
    error_table.ACCOUNT_DISABLED: CloseCode.SESSION_REVOKED,
    error_table.KICKED: CloseCode.KICKED,
}


class Revocations:
    """Asks each second which sessions ended, and ends their connections.

    Args:
        hub: the connections.
        accounts: logic's account service.
    """

    def __init__(self, hub: Hub, accounts: ServicePool) -> None:
        self._hub = hub
        self._accounts = accounts
        self._since_time = 0
        self._asked_at: float | None = None

    async def run(self) -> None:
        """Poll, for ever. Cancelling is safe."""
        while True:
            try:
                await self.poll()
            except ImError as error:
                _LOG.warning("revocations not read", reason=error.reason.name)
            await asyncio.sleep(_INTERVAL_S)

    async def poll(self) -> None:
        """Ask once; after a silence longer than the overlap every session is checked by itself.

        Raises:
            ImError: UNAVAILABLE, DEADLINE_EXCEEDED; the next poll asks for the same time again.
        """
        stub = self._accounts.stub(AccountServiceStub)
        request = ListRevocationsRequest(since_time=self._since_time)
        response = await call_unary(stub.ListRevocations, request, timeout_s=_TIMEOUT_S)
        now = self._hub.monotonic()
        silence_s = now - self._asked_at if self._asked_at is not None else 0.0
        self._asked_at = now
        self._since_time = max(0, response.now_time - _OVERLAP_MS)
        for revocation in response.revocations:
            self._end(revocation)
        if silence_s * 1000 > _OVERLAP_MS:
            await self._check_all()

    def _end(self, revocation: Revocation) -> None:
        code = CloseCode(revocation.close_code) if revocation.close_code in _CLOSE_CODES else CloseCode.SESSION_REVOKED
        for connection in self._hub.of_session(revocation.session_id):
            if connection.generation <= revocation.generation:
                connection.end(code, "the session ended", kick=True)

    async def _check_all(self) -> None:
        session_ids = self._hub.session_ids
        _LOG.warning("revocations were not read for a while; checking every session", sessions=len(session_ids))
        for start in range(0, len(session_ids), _CHECKED_AT_A_TIME):
            batch = session_ids[start : start + _CHECKED_AT_A_TIME]
            await asyncio.gather(*(self._check(session_id) for session_id in batch))

    async def _check(self, session_id: int) -> None:
        for connection in self._hub.of_session(session_id):
            request = CheckSessionRequest(
                user_id=connection.user_id, session_id=session_id, generation=connection.generation
            )
            try:
                stub = self._accounts.stub(AccountServiceStub, key=connection.user_id)
                await call_unary(stub.CheckSession, request, timeout_s=_TIMEOUT_S)
            except ImError as error:
                code = _ENDING.get(error.reason)
                if code is not None:
                    connection.end(code, error.reason.name, kick=True)
