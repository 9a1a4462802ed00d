"""A user's live connections, over the route table."""

from collections.abc import Callable, Sequence

from im_infra.routing import RouteTable
from im_logic.sessions.kick import ConnectionKey, LiveConnection
from im_proto.route.v1.route_pb2 import Route

Rule = Callable[[list[LiveConnection]], list[LiveConnection]]


class Connections:
    """Reads and changes who is connected, in this room's words.

    Routes of a gateway that has started again since count as gone: nobody will take them away, and they must not kick
    or crowd out anybody. A gateway that discovery does not know counts as alive.

    Args:
        routes: the table.
        boot_of: the boot id under which a gateway is known to live now; None where it is not known.
    """

    def __init__(self, routes: RouteTable, boot_of: Callable[[str], str | None]) -> None:
        self._routes = routes
        self._boot_of = boot_of

    async def find(self, user_id: int) -> list[LiveConnection]:
        """The user's connections in the order they came; raises ImError(UNAVAILABLE)."""
        found = await self._routes.find_many([user_id])
        return [_connection_of(route) for route in self._living(found.get(user_id, ()))]

    async def change(self, user_id: int, rule: Rule) -> list[LiveConnection]:
        """Replace the user's connections by what the rule makes of them, and return those.

        The rule is pure and may be asked several times. Safe to cancel: changed or not.

        Raises:
            ImError: UNAVAILABLE, or what the rule raises.
        """

        def over_routes(routes: list[Route]) -> list[Route]:
            by_key = {_key_of(route): route for route in self._living(routes)}
            chosen = rule([_connection_of(route) for route in by_key.values()])
            return [by_key.get(connection.key) or _route_of(connection) for connection in chosen]

        _, after = await self._routes.change(user_id, over_routes)
        return [_connection_of(route) for route in after]

    async def remove(self, user_id: int, key: ConnectionKey) -> None:
        """Take one away, if it is there; raises ImError(UNAVAILABLE)."""
        await self._routes.remove(
            user_id, connection_id=key.connection_id, gateway_id=key.gateway_id, boot_id=key.boot_id
        )

    def _living(self, routes: Sequence[Route]) -> list[Route]:
        return [route for route in routes if self._boot_of(route.gateway_id) in {None, route.boot_id}]


def _key_of(route: Route) -> ConnectionKey:
    return ConnectionKey(route.gateway_id, route.boot_id, route.connection_id)


def _connection_of(route: Route) -> LiveConnection:
    return LiveConnection(
        key=_key_of(route),
        session_id=route.session_id,
        device_id=route.device_id,
        instance_id=route.instance_id,
        device_class=route.device_class,
        hello_time=route.hello_time,
    )


def _route_of(connection: LiveConnection) -> Route:
    return Route(
        connection_id=connection.key.connection_id,
        gateway_id=connection.key.gateway_id,
        boot_id=connection.key.boot_id,
        session_id=connection.session_id,
        device_id=connection.device_id,
        instance_id=connection.instance_id,
        device_class=connection.device_class,
        hello_time=connection.hello_time,
    )
