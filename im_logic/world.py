"""The world room's id, which repo gives."""

import asyncio
from typing import Final

from im_infra.errors import ImError
from im_infra.rpc.retry import retry
from im_infra.rpc.service_pool import ServicePool
from im_infra.rpc.unary import call_unary
from im_logic.settings import WorldSettings
from im_proto.repo.v1.conversation_pb2 import EnsureWorldRequest
from im_proto.repo.v1.conversation_pb2_grpc import ConversationServiceStub

_AGAIN_S: Final = 1.0


class World:
    """Makes the world room once per process: at its start, or when somebody needs the id before.

    Args:
        settings: whether there is one, and what it is like.
        repos: repo's living nodes.
        timeout_s: deadline of the call, in seconds.
    """

    def __init__(self, settings: WorldSettings, repos: ServicePool, *, timeout_s: float) -> None:
        self._settings = settings
        self._repos = repos
        self._timeout_s = timeout_s
        self._conversation_id = 0

    async def run(self) -> None:
        """Make it as soon as repo can be asked, so that it is there for who never says Hello; then end."""
        while True:
            try:
                await self.ensure()
            except ImError:  # repo is not up yet; readiness tells
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    async def ensure(self) -> int:
        """Its id; 0 where there is none. Several calls at once are harmless.

        Raises:
            ImError: UNAVAILABLE while repo cannot be asked.
        """
        if self._settings.enabled and not self._conversation_id:
            slow_mode_ms = round(self._settings.slow_mode_s * 1000)
            request = EnsureWorldRequest(title=self._settings.title, slow_mode_ms=slow_mode_ms)
            response = await retry(
                lambda left_s: call_unary(
                    self._repos.stub(ConversationServiceStub).EnsureWorld, request, timeout_s=left_s
                ),
                timeout_s=self._timeout_s,
            )
            self._conversation_id = response.conversation_id
        return self._conversation_id
