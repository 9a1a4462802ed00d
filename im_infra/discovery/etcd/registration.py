"""Announcing a node, and keeping it announced."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from aetcd import rpc

from im_infra.discovery.abstract import Node
from im_infra.discovery.etcd.connection import EtcdConnection
from im_infra.discovery.etcd.node_value import decode, encode
from im_infra.errors import ImError
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)

_RETRY_S: Final = 1.0


class EtcdRegistration:
    """One node, on a lease of its own.

    A lease that was lost is replaced and the node announced again, unless a later start took its name meanwhile: a process
    that was held for long must not push its successor out.

    Args:
        connection: to etcd.
        node: what is announced.
        ttl_s: life of the lease, in seconds; it is renewed each third of that.
        on_lost: called when the lease was lost.
    """

    def __init__(self, connection: EtcdConnection, node: Node, *, ttl_s: int, on_lost: Callable[[], None]) -> None:
        self._connection = connection
        self._node = node
        self._key = connection.key("node", node.service, node.node_id)
        self._ttl_s = ttl_s
        self._lease_id = 0
        self._told = True
        """What we say of the node is what etcd has."""
        self._on_lost = on_lost

    async def announce(self) -> None:
        """For the first time: whatever an earlier start of this name left is replaced. Raises ImError(UNAVAILABLE)."""
        self._lease_id = await self._connection.grant(self._ttl_s)
        await self._connection.transact(rpc.TxnRequest(success=[self._put(encode(self._node))]))

    async def set_draining(self) -> None:
        """Tell everybody that this node stops soon. Raises ImError(UNAVAILABLE): it will be told with the next renewal."""
        self._node = replace(self._node, draining=True)
        self._told = False
        await self._tell()

    async def run(self) -> None:
        """Keep it announced until cancelled."""
        failing = False
        while True:
            try:
                if not await self._connection.keep_alive(self._lease_id):
                    self._on_lost()
                    self._told = False
                    self._lease_id = await self._connection.grant(self._ttl_s)
                    _LOG.warning("the lease was lost", node=self._node.node_id)
                if not self._told:
                    await self._tell()
            except ImError as error:
                if not failing:
                    _LOG.warning("node not renewed", node=self._node.node_id, error=error.message)
                failing = True
                await asyncio.sleep(_RETRY_S)
            else:
                if failing:
                    _LOG.warning("node renewed again", node=self._node.node_id)
                failing = False
                await asyncio.sleep(self._ttl_s / 3)

    async def withdraw(self) -> None:
        """Say that it is gone, and end the lease. Raises ImError(UNAVAILABLE): it ends by itself."""
        await self._write(encode(self._node, leaving=True))
        await self._connection.revoke(self._lease_id)

    async def _tell(self) -> None:
        """Say what the node is now; while another process has its name, this is tried again with each renewal."""
        self._told = await self._write(encode(self._node))
        if not self._told:
            _LOG.error("another process took this node's name; it is not announced", node=self._node.node_id)

    async def _write(self, value: bytes) -> bool:
        """Write, if the key is ours or nobody's; says whether it was."""
        seen = await self._connection.range(self._key)
        held = next((entry for entry in seen.kvs if entry.key == self._key), None)
        holder = decode(held.value) if held is not None else None
        if holder is not None and holder[0].boot_id != self._node.boot_id:
            return False
        compare = rpc.Compare(
            result=rpc.Compare.EQUAL,
            target=rpc.Compare.MOD,
            key=self._key,
            mod_revision=held.mod_revision if held is not None else 0,
        )
        response = await self._connection.transact(rpc.TxnRequest(compare=[compare], success=[self._put(value)]))
        return bool(response.succeeded)

    def _put(self, value: bytes) -> rpc.RequestOp:
        return rpc.RequestOp(request_put=rpc.PutRequest(key=self._key, value=value, lease=self._lease_id))
