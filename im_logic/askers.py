"""Who asks, known again by the head of a command: it is parsed once per connection, not once per frame."""

from typing import Final

from im_infra.contract.command import caller_of
from im_infra.rpc.peer import Peer
from im_logic.asker import Asker, Origin

_MAX_KNOWN: Final = 50_000


class Askers:
    """The askers by their gateway and head.

    Args:
        max_known: heads at most; a further one makes all be forgotten, and each is read once more.
    """

    def __init__(self, *, max_known: int = _MAX_KNOWN) -> None:
        self._max_known = max_known
        self._known: dict[tuple[Peer, bytes], Asker] = {}

    def of(self, gateway: Peer, head: bytes) -> Asker:
        """The asker whose commands begin with `head` at this gateway."""
        asker = self._known.get((gateway, head))
        if asker is None:
            caller = caller_of(head)
            origin = Origin(gateway.node_id, gateway.boot_id, caller.connection_id)
            asker = Asker(caller.user_id, caller.user_kind, origin, caller.exempt)
            if len(self._known) >= self._max_known:
                self._known.clear()
            self._known[gateway, head] = asker
        return asker
