"""Small fan-out: from users to the connections they have at this moment.

One worker for the process. It takes whatever gathered, reads the routes of all of it at once, **after** the entries were
committed, and makes one push per gateway and parcel. Routes are never kept: a connection that was made since would be
missed for ever.

A gateway whose routes may be missing (the cache is away, or lost them and the gateway has not published again) gets every
parcel by user, and finds the connections itself.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Protocol

from im_infra.aio import spawn
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_infra.routing.publications import GatewayBoot, Publications
from im_infra.routing.routes import RouteTable
from im_logic.delivery.parcel import Parcel
from im_proto.gateway.v1.gateway_pb2 import GatewayPush
from im_proto.route.v1.route_pb2 import Route

_LOG: Final = logs.get(__name__)

MAX_PARCELS: Final = 20_000
LINGER_S: Final = 0.05
"""What nobody misses waits so long for something to go with: a look-up and a frame of its own cost more than it is worth."""
_AT_A_TIME: Final = 512
_PUSHES_BEFORE_YIELD: Final = 500
_MAX_STALE: Final = 1_000

Target = GatewayBoot


class GatewayStream(Protocol):
    """The stream that a gateway opened to us."""

    def push(self, body: bytes, on_acknowledged: Callable[[], None] | None = None) -> bool:
        """Queue a push; False: the queue is full or the stream gone, and nothing was queued."""
        ...


class Post:
    """Takes parcels and brings them to the gateways.

    Args:
        gateways: the open streams by (node_id, boot_id); a live view.
        routes: where the users' connections are.
        boot_of: the boot id under which a gateway is known to live now; None where it is not known.
        publications: which gateways' routes are whole.
        listed: the gateways that discovery lists now.
        metrics: where batches are counted.
    """

    def __init__(
        self,
        *,
        gateways: Mapping[Target, GatewayStream],
        routes: RouteTable,
        boot_of: Callable[[str], str | None],
        publications: Publications,
        listed: Callable[[], AbstractSet[Target]],
        metrics: Metrics | None = None,
    ) -> None:
        self._gateways = gateways
        self._routes = routes
        self._boot_of = boot_of
        self._publications = publications
        self._listed = listed
        metrics = metrics or Metrics()
        self._batch_items = metrics.histogram("im_logic_delivery_batch_items")
        self._batch_seconds = metrics.histogram("im_logic_delivery_batch_seconds")
        self._away = False
        self._parcels: deque[Parcel] = (
            deque()
        )  # full: what comes is dropped and counted; the outbox brings entries back
        self._wake = asyncio.Event()
        self._lingering = False
        self._stale: deque[tuple[int, Route]] = deque(
            maxlen=_MAX_STALE
        )  # full: the oldest is found again by a later parcel
        self._cleaning = False
        self.pushed = 0
        self.dropped = 0
        self.failed_reads = 0

    @property
    def waiting(self) -> int:
        """Parcels that wait."""
        return len(self._parcels)

    def send(self, parcel: Parcel) -> bool:
        """Take a parcel. False: dropped, the queue is full.

        It leaves after what the present loop turn still brings; an ephemeral one with the next that is not, or after
        `LINGER_S`.
        """
        if len(self._parcels) >= MAX_PARCELS:
            self.dropped += 1
            return False
        self._parcels.append(parcel)
        if not parcel.ephemeral:
            self._wake.set()
        elif not self._lingering:
            self._lingering = True
            asyncio.get_running_loop().call_later(LINGER_S, self._linger_no_longer)
        return True

    def _linger_no_longer(self) -> None:
        self._lingering = False
        self._wake.set()

    async def run(self) -> None:
        """Bring parcels to the gateways until cancelled; what is queued then is lost, as on a crash."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._parcels:
                parcels = [self._parcels.popleft() for _ in range(min(len(self._parcels), _AT_A_TIME))]
                with self._batch_seconds.time():
                    await self._bring(parcels)
                self._batch_items.observe(len(parcels))

    async def _bring(self, parcels: Sequence[Parcel]) -> None:
        users = {user_id for parcel in parcels for user_id in parcel.users}
        users.update(user_id for parcel in parcels for user_id in parcel.bare_users)
        routes, unpublished = await self._look_up(list(users))
        unyielded = self.pushed
        for parcel in parcels:
            self._push(parcel, routes, unpublished)
            if self.pushed - unyielded >= _PUSHES_BEFORE_YIELD:
                unyielded = self.pushed
                await asyncio.sleep(0)

    async def _look_up(self, users: Sequence[int]) -> tuple[Mapping[int, Sequence[Route]], AbstractSet[Target]]:
        """The users' routes, and the gateways that may have connections of theirs without a route."""
        try:
            routes, epoch = await self._routes.look_up(users)
            unpublished = await self._publications.unpublished(self._living(), epoch)
        except ImError as error:
            self.failed_reads += 1
            if not self._away:
                _LOG.warning("routes not read; frames go to all gateways", error=error.message)
            self._away = True
            return {}, self._living()
        self._away = False
        return routes, unpublished

    def _living(self) -> AbstractSet[Target]:
        """Gateways with a stream to us, and listed ones: those without a stream cannot be told, and that is not confirmed."""
        living = set(self._gateways)
        connected = {gateway_id for gateway_id, _ in living}
        living.update(target for target in self._listed() if target[1] or target[0] not in connected)
        return living

    def _push(self, parcel: Parcel, routes: Mapping[int, Sequence[Route]], unpublished: AbstractSet[Target]) -> None:
        targets: dict[Target, GatewayPush] = {target: _by_user(parcel, target) for target in unpublished}
        self._address(parcel, parcel.users, routes, unpublished, targets, bare=False)
        if parcel.bare_users:
            self._address(parcel, parcel.bare_users, routes, unpublished, targets, bare=True)
        countdown = parcel.countdown
        for target, push in targets.items():
            stream = self._gateways.get(target)
            if countdown is not None:
                countdown.wait_for_one_more()  # unless it is acknowledged, the stretch stays unconfirmed
            if stream is None:
                continue
            body = parcel.gateway_push or _with_frames(push, parcel)
            if stream.push(body, None if countdown is None else countdown.done):
                self.pushed += 1
            else:
                self.dropped += 1
        if countdown is not None:
            countdown.done()
        if parcel.trace is not None:
            parcel.trace.end()

    def _address(
        self,
        parcel: Parcel,
        users: Sequence[int],
        routes: Mapping[int, Sequence[Route]],
        unpublished: AbstractSet[Target],
        targets: dict[Target, GatewayPush],
        *,
        bare: bool,
    ) -> None:
        """Sort the users' connections by gateway."""
        skip = parcel.skip
        for user_id in users:
            for route in routes.get(user_id, ()):
                connection_id = route.connection_id
                target = (route.gateway_id, route.boot_id)
                if unpublished and target in unpublished:
                    continue  # it has the whole parcel
                if skip is not None and connection_id == skip.connection_id and target == skip[:2]:
                    continue
                push = targets.get(target)
                if push is None:
                    if target not in self._gateways and self._gone(target):
                        self._forget(user_id, route)
                        continue
                    push = targets[target] = GatewayPush()
                deliver = push.deliver
                (deliver.bare_connection_ids if bare else deliver.connection_ids).append(connection_id)

    def _gone(self, target: Target) -> bool:
        """A gateway that lives under another boot id has no connection of this one; an unknown one may yet connect."""
        boot_id = self._boot_of(target[0])
        return boot_id is not None and boot_id != target[1]

    def _forget(self, user_id: int, route: Route) -> None:
        self._stale.append((user_id, route))
        if not self._cleaning:
            self._cleaning = True
            spawn(self._clean(), name="logic.delivery.clean")

    async def _clean(self) -> None:
        try:
            while self._stale:
                user_id, route = self._stale.popleft()
                await self._routes.remove(
                    user_id, connection_id=route.connection_id, gateway_id=route.gateway_id, boot_id=route.boot_id
                )
        except ImError as error:
            _LOG.warning("stale routes not removed", reason=error.reason.name)
        finally:
            self._cleaning = False


def _by_user(parcel: Parcel, target: Target) -> GatewayPush:
    """What a gateway gets whose routes may be missing."""
    push = GatewayPush()
    deliver = push.deliver
    deliver.user_ids.extend(parcel.users)
    deliver.bare_user_ids.extend(parcel.bare_users)
    if parcel.skip is not None and parcel.skip[:2] == target:
        deliver.skip_connection_id = parcel.skip.connection_id
    return push


def _with_frames(push: GatewayPush, parcel: Parcel) -> bytes:
    """A Deliver with its connections or users, completed and serialised."""
    deliver = push.deliver
    if deliver.connection_ids or deliver.user_ids:
        deliver.frame = parcel.frame
    if deliver.bare_connection_ids or deliver.bare_user_ids:
        deliver.bare_frame = parcel.bare_frame
    if parcel.ephemeral:
        deliver.ephemeral = True
    if parcel.trace is not None:
        push.trace = parcel.trace.context
    return push.SerializeToString()
