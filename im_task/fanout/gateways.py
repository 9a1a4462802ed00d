"""Gateways, reached over the stream that task keeps to each of them.

One that does not take a frame in time holds nobody up: fan-out goes on without it, and when it is back its clients are told
to compare. Until then it gets nothing further.
"""

import asyncio
from typing import Final

from im_infra import error_table
from im_infra.discovery.abstract import Discovery
from im_infra.error_kind import Kind
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_infra.observability.tracing import active_span
from im_infra.rpc.pool import StreamPool
from im_infra.rpc.retry import retry
from im_proto.gateway.v1.gateway_pb2 import CheckConversations, FanOut, GatewayRequest, GatewayResponse
from im_proto.route.v1.route_pb2 import Interest
from im_task.fanout.owed_checks import OwedChecks, Target

_LOG: Final = logs.get(__name__)

SETTLE_S: Final = 1.0


class StreamGateways:
    """Sends frames over the streams of a pool; `run` it.

    Args:
        pool: the streams to gateways.
        discovery: tells a gateway that is gone from one that is out of reach for a moment.
        timeout_s: how long a gateway has, tries included.
        metrics: what is counted.
    """

    def __init__(self, pool: StreamPool, *, discovery: Discovery, timeout_s: float, metrics: Metrics) -> None:
        self._pool = pool
        self._discovery = discovery
        self._timeout_s = timeout_s
        self._owed = OwedChecks()
        self._woken = asyncio.Event()
        self._left_behind = metrics.counter("im_task_left_behind_total")

    async def fan_out(self, interest: Interest, fan_out: FanOut) -> bool:
        """Hand entries to one gateway: see `ports.Gateways`. Cancelling leaves the outcome unknown.

        An empty boot id stands for whichever boot is there.
        """
        target = interest.gateway_id, interest.boot_id
        if not self._owed.owes(target):
            span = active_span()
            trace = b"" if span is None else span.context
            body = GatewayRequest(fan_out=fan_out, trace=trace).SerializeToString()
            try:
                return await retry(
                    lambda timeout_s: self._ask(target, body, timeout_s=timeout_s), timeout_s=self._timeout_s
                )
            except ImError as error:
                if not _is_out_of_reach(error):
                    raise
                _LOG.warning("gateway left behind", gateway=interest.gateway_id, error=error.message)
        self._owed.add(target, fan_out.conversation_id)
        self._left_behind.inc()
        self._woken.set()
        return True

    async def run(self) -> None:
        """Tell gateways that are back what they missed, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while targets := self._owed.targets():
                for target in targets:
                    await self._settle(target)
                await asyncio.sleep(SETTLE_S)

    async def _settle(self, target: Target) -> None:
        """Tell one gateway, if it can be reached."""
        owed = self._owed.of(target)
        check = CheckConversations(conversation_ids=owed.conversation_ids, every=owed.every)
        body = GatewayRequest(check_conversations=check).SerializeToString()
        try:
            is_there = await self._ask(target, body, timeout_s=SETTLE_S)
        except ImError as error:
            if _is_out_of_reach(error):
                return
            _LOG.warning("gateway not told to check", gateway=target[0], error=error.message)  # an older one
            is_there = True
        if is_there:
            self._owed.settled(target, owed)
        else:
            self._owed.forget(target)

    async def _ask(self, target: Target, body: bytes, *, timeout_s: float) -> bool:
        """Ask once; False: that boot of the gateway is gone.

        Raises:
            ImError: it lives and did not answer, or refused.
        """
        gateway_id, boot_id = target
        client = self._pool.find(gateway_id)
        if client is None:
            node = self._discovery.nodes("gateway").get(gateway_id)
            if node is None or (boot_id and node.boot_id not in {"", boot_id}):
                return False
            raise ImError(error_table.UNAVAILABLE, f"gateway {gateway_id} is out of reach")
        if client.peer is not None and boot_id and client.peer.boot_id != boot_id:
            return False
        GatewayResponse.FromString(await client.call(body, timeout_s=timeout_s))
        return True


def _is_out_of_reach(error: ImError) -> bool:
    """Whether the gateway is to blame: otherwise it may be what it was sent."""
    return error.kind in {Kind.UNAVAILABLE, Kind.EXHAUSTED}
