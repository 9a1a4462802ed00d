"""The local part of a large conversation: who is in it, who looks at it, and how far it got."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final, NamedTuple

from im_gateway.connections.connection import Connection
from im_gateway.connections.hub import Hub
from im_gateway.delivery.heat import Heat
from im_gateway.delivery.ring import Ring, RingBudget
from im_gateway.settings import DeliverySettings
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.routing import InterestTable
from im_infra.rpc.peer import Peer
from im_proto.gateway.v1.gateway_pb2 import FanOutEntry, MembershipChange
from im_proto.logic.v1.stream_pb2 import LargeMembership

_LOG: Final = logs.get(__name__)
_SWEPT_AT_A_TIME: Final = 100
"""Conversations whose interest is stored side by side."""


class Reader(NamedTuple):
    """What logic told a connection of a conversation, beyond its entries."""

    epoch: int
    rewind_seq: int
    floor: int


class Interest:
    """One large conversation at this gateway.

    Args:
        conversation_id: which.
        member_version: its version when the first connection came.
        ring: where its latest entries are kept.
    """

    __slots__ = (
        "conversation_id",
        "epoch",
        "filling",
        "gathered",
        "gathered_bytes",
        "gathering",
        "heat",
        "last_seq",
        "max_count",
        "member_version",
        "members",
        "readers",
        "ring",
        "viewers",
    )

    def __init__(self, conversation_id: int, member_version: int, ring: Ring) -> None:
        self.conversation_id = conversation_id
        self.member_version = member_version
        self.ring = ring
        self.members: dict[Connection, int] = {}
        """Connections with the first seq they may see."""
        self.viewers: set[Connection] = set()
        self.readers: dict[Connection, Reader] = {}
        """Connections that pulled before: what the next answers need to say, too."""
        self.epoch = 0
        self.last_seq = 0
        """The last entry sent on; 0: none yet, so a gap cannot be told."""
        self.max_count = 0
        self.filling = False
        """A gap or the members are being looked up; entries wait."""
        self.heat = Heat()
        self.gathered: list[FanOutEntry] = []
        """Entries of the next round, bounded by its size: a full one goes at once."""
        self.gathered_bytes = 0
        self.gathering = False
        """The next round is scheduled."""

    def put(self, connection: Connection, from_seq: int) -> None:
        """A connection is in, from `from_seq` on."""
        self.members[connection] = from_seq
        if self.conversation_id in connection.view:
            self.viewers.add(connection)

    def take_gathered(self) -> list[FanOutEntry]:
        """Take the entries of the next round."""
        entries, self.gathered = self.gathered, []
        self.gathered_bytes = 0
        return entries

    def discard(self, connection: Connection) -> None:
        """A connection is out."""
        self.members.pop(connection, None)
        self.readers.pop(connection, None)
        self.viewers.discard(connection)


class Interests:
    """All large conversations with a local member.

    Args:
        hub: the connections.
        table: where other nodes read what this gateway is interested in.
        me: this gateway.
        settings: bounds of the rings.
    """

    def __init__(self, hub: Hub, table: InterestTable, *, me: Peer, settings: DeliverySettings) -> None:
        self._hub = hub
        self._table = table
        self._me = me
        self._settings = settings
        self._interests: dict[int, Interest] = {}
        self._announced: set[int] = set()
        self.budget = RingBudget(settings.ring_total_bytes)
        self.world_id = 0
        """The world room: its members are everybody, nobody is looked up."""
        self.joined: list[tuple[Connection, int]] = []
        """Connections that came to a conversation already under way: the next heads go to them, too."""

    def __len__(self) -> int:
        """How many conversations."""
        return len(self._interests)

    def find(self, conversation_id: int) -> Interest | None:
        """The local part of a conversation, if anybody here is in it."""
        return self._interests.get(conversation_id)

    def all(self) -> Iterable[Interest]:
        """All of them."""
        return self._interests.values()

    def join(self, connection: Connection, memberships: Sequence[LargeMembership]) -> tuple[int, ...]:
        """Take a connection in; the conversations that are not announced yet."""
        for membership in memberships:
            self._put(connection, membership.conversation_id, membership.from_seq, membership.member_version)
        return tuple(
            membership.conversation_id
            for membership in memberships
            if membership.conversation_id not in self._announced
        )

    def leave(self, connection: Connection) -> None:
        """A connection is gone; the interest itself goes with the next sweep, since people come back."""
        for conversation_id in connection.memberships:
            interest = self._interests.get(conversation_id)
            if interest is not None:
                interest.discard(connection)
        connection.memberships = ()

    def on_view(self, connection: Connection, before: frozenset[int]) -> None:
        """A connection looks at other conversations than `before`."""
        for conversation_id in before - connection.view:
            interest = self._interests.get(conversation_id)
            if interest is not None:
                interest.viewers.discard(connection)
        for conversation_id in connection.view - before:
            interest = self._interests.get(conversation_id)
            if interest is not None and connection in interest.members:
                interest.viewers.add(connection)

    def come(self, change: MembershipChange) -> bool:
        """A user came into a conversation; whether it is one this gateway has not announced."""
        for connection in self._hub.of_user(change.user_id):
            self._put(connection, change.conversation_id, change.from_seq, change.member_version)
        return change.conversation_id in self._interests and change.conversation_id not in self._announced

    def go(self, conversation_id: int, user_id: int) -> None:
        """A user went out of a conversation."""
        interest = self._interests.get(conversation_id)
        if interest is None:
            return
        for connection in self._hub.of_user(user_id):
            interest.discard(connection)
            connection.memberships = tuple(each for each in connection.memberships if each != conversation_id)

    async def announce(self, conversation_ids: Sequence[int]) -> None:
        """Store the interest in these.

        Safe to cancel: some are stored. Raises ImError(UNAVAILABLE) where the store is away.
        """
        for conversation_id in conversation_ids:
            await self._table.announce(conversation_id, gateway_id=self._me.node_id, boot_id=self._me.boot_id)
            self._announced.add(conversation_id)

    async def announce_missing(self, connections: Iterable[Connection]) -> None:
        """Store the interest in what these are in, where it is not stored; cancels and raises as `announce`."""
        wanted = dict.fromkeys(each for connection in connections for each in connection.memberships)
        await self.announce([each for each in wanted if each not in self._announced])

    async def sweep(self) -> None:
        """Announce again what is still of interest, withdraw what is not.

        Raises:
            ImError: UNAVAILABLE: the store is away; the next sweep begins anew.
        """
        interests = iter(list(self._interests.values()))
        while some := list(islice(interests, _SWEPT_AT_A_TIME)):
            for outcome in await asyncio.gather(*map(self._sweep_one, some), return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome

    async def _sweep_one(self, interest: Interest) -> None:
        if interest.members:
            await self.announce((interest.conversation_id,))
        else:
            await self._withdraw(interest.conversation_id)

    async def withdraw_all(self) -> None:
        """This gateway stops; what the store does not take expires by itself."""
        try:
            for conversation_id in tuple(self._announced):
                await self._table.withdraw(conversation_id, gateway_id=self._me.node_id, boot_id=self._me.boot_id)
        except ImError as error:
            _LOG.warning("interests not withdrawn; they expire", reason=error.reason.name)
        self._announced.clear()

    async def _withdraw(self, conversation_id: int) -> None:
        # First forget, then withdraw: who joins meanwhile finds it unannounced and announces it after the withdrawal.
        self._announced.discard(conversation_id)
        await self._table.withdraw(conversation_id, gateway_id=self._me.node_id, boot_id=self._me.boot_id)
        interest = self._interests.get(conversation_id)
        if interest is None:
            return
        if interest.members:
            await self.announce((conversation_id,))
        else:
            del self._interests[conversation_id]
            self.budget.forget(conversation_id)

    def _put(self, connection: Connection, conversation_id: int, from_seq: int, member_version: int) -> None:
        interest = self._interests.get(conversation_id)
        if interest is None:
            ring = Ring(self._settings.ring_frames, self._settings.ring_bytes)
            interest = self._interests[conversation_id] = Interest(conversation_id, member_version, ring)
        elif not interest.members:
            interest.member_version = max(interest.member_version, member_version)
        interest.put(connection, from_seq)
        if conversation_id not in connection.memberships:
            connection.memberships = (*connection.memberships, conversation_id)
        if interest.last_seq:
            self.joined.append((connection, conversation_id))
