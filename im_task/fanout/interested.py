"""Which gateways a large conversation's entries go to: the interested, and those that may be without our knowing."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from im_infra.discovery.abstract import Discovery
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.routing import InterestTable, Publications
from im_infra.routing.publications import GatewayBoot, living_gateways
from im_proto.route.v1.route_pb2 import Interest

_LOG = logs.get(__name__)


class InterestedGateways:
    """Reads the table of interests; where it was lost, every gateway that has not published again may be interested.

    A gateway without a local member answers so, and that is all it costs.

    Args:
        interests: the table.
        publications: who has published.
        discovery: who lives.
    """

    def __init__(self, interests: InterestTable, publications: Publications, discovery: Discovery) -> None:
        self._interests = interests
        self._publications = publications
        self._discovery = discovery
        self._away = False

    async def find(self, conversation_id: int) -> Sequence[Interest]:
        """The gateways to send to; all that live while the table cannot be read. Safe to cancel, raises nothing."""
        living = living_gateways(self._discovery)
        try:
            interests, epoch = await self._interests.find(conversation_id)
            unpublished: AbstractSet[GatewayBoot] = await self._publications.unpublished(living, epoch)
        except ImError as error:
            if not self._away:
                _LOG.warning("interests not read; large fan-out goes to all gateways", error=error.message)
            self._away = True
            interests, unpublished = [], living
        else:
            self._away = False
        if not unpublished:
            return interests
        known = {(interest.gateway_id, interest.boot_id) for interest in interests}
        return [
            *interests,
            *(Interest(gateway_id=name, boot_id=boot) for name, boot in sorted(unpublished - known)),
        ]
