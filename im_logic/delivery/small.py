"""Who receives an entry of a small conversation, decided by a state at least as new as the entry.

Where the cached state is older, the conversation is loaded first, and later entries of it wait behind: their order stays.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from im_infra.clock import Clock
from im_infra.errors import ImError
from im_infra.observability import logs
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.conversation import Conversation
from im_logic.delivery.committed import Committed
from im_logic.delivery.parcel import Parcel
from im_logic.delivery.post import Post
from im_logic.delivery.recipients import recipients

_LOG: Final = logs.get(__name__)

MAX_WAITING: Final = 10_000


class SmallFanOut:
    """Resolves members and hands parcels to the post.

    Args:
        cache: the states.
        post: brings parcels to the gateways.
        clock: says how fresh a load must be.
        on_too_large: takes what turned out to be large, so that its members are not listed any more.
    """

    def __init__(
        self, *, cache: ConversationCache, post: Post, clock: Clock, on_too_large: Callable[[Committed], None]
    ) -> None:
        self._cache = cache
        self._post = post
        self._clock = clock
        self._on_too_large = on_too_large
        self._waiting: dict[int, deque[Committed]] = {}
        self._count = 0  # of what waits; at MAX_WAITING what comes is dropped: the outbox brings it back
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Entries that wait for their members."""
        return self._count

    def send(self, committed: Committed) -> None:
        """Take an entry; what is dropped stays unconfirmed."""
        waiting = self._waiting.get(committed.conversation_id)
        if waiting is not None:
            self._hold(waiting, committed)
            return
        state = self._state(committed)
        if state is not None:
            self._address(committed, state)
            return
        waiting = self._waiting[committed.conversation_id] = deque()
        self._hold(waiting, committed)
        self._load(committed)

    def _state(self, committed: Committed) -> Conversation | None:
        """A complete state at least as new as the entry, if there is one at hand."""
        state = committed.known
        if state is not None and state.complete and state.member_version == committed.member_version:
            return state
        state = self._cache.get(committed.conversation_id, committed.sender_id)
        if state is not None and state.complete and state.member_version >= committed.member_version:
            return state
        return None

    def _hold(self, waiting: deque[Committed], committed: Committed) -> None:
        if self._count >= MAX_WAITING:
            self.dropped += 1
            return
        self._count += 1
        waiting.append(committed)

    def _load(self, committed: Committed) -> None:
        conversation_id = committed.conversation_id

        def on_loaded(state: Conversation | None, error: ImError | None) -> None:
            waiting = self._waiting.pop(conversation_id)
            self._count -= len(waiting)
            if state is None:
                assert error is not None, "a load answers a state or an error"
                _LOG.warning("members not loaded", entries=len(waiting), reason=error.reason.name)
                return
            while waiting:
                held = waiting.popleft()
                if not state.complete:
                    self._on_too_large(held)
                elif state.member_version >= held.member_version:
                    self._address(held, state)
                else:  # it came while the load was under way, and changed the members again
                    waiting.appendleft(held)
                    self._waiting[conversation_id] = waiting
                    self._count += len(waiting)
                    self._load(held)
                    return

        self._cache.load(conversation_id, committed.sender_id, on_loaded, since=self._clock.monotonic())

    def _address(self, committed: Committed, state: Conversation) -> None:
        full, bare = recipients(state, committed.seq, committed.ref_seq)
        self._post.send(
            Parcel(
                users=full,
                frame=committed.frame,
                bare_users=bare,
                bare_frame=committed.bare_frame,
                skip=committed.skip,
                countdown=committed.countdown,
                trace=committed.trace,
            )
        )
