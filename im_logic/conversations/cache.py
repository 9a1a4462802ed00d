"""The state of conversations in memory: bounded, loaded once however many wait, as old as its fence allows.

Nothing invalidates an entry from outside. Whoever decides from one is corrected by repo: a moved deny_version sends an
append back, a moved member_version shows in its answer, and a *refusal* is only given from a state that was asked for
after the request came.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from im_infra.clock import Clock
from im_infra.error_kind import Kind
from im_infra.errors import ImError
from im_logic.conversations.conversation import Conversation, ConversationKind, Place
from im_logic.conversations.convert import to_conversation
from im_proto.repo.v1.conversation_pb2 import ConversationState

OnLoaded = Callable[[Conversation | None, ImError | None], None]
"""Exactly one is not None."""

_MAX_PLACES: Final = 20_000


class ConversationSource(Protocol):
    """Where states come from."""

    def load_conversation(
        self,
        conversation_id: int,
        user_id: int,
        on_state: Callable[[ConversationState | None, ImError | None], None],
    ) -> None:
        """Load a state with the user's row; CONVERSATION_NOT_FOUND where there is no such conversation."""
        ...


class _Flight:
    """One load under way and who waits for it; `after` wait for the next one, as they need what came later."""

    __slots__ = ("after", "asked_at", "user_id", "waiting")

    def __init__(self, user_id: int, asked_at: float) -> None:
        self.user_id = user_id
        self.asked_at = asked_at
        self.waiting: list[tuple[int, OnLoaded]] = []
        self.after: list[tuple[int, OnLoaded]] = []


class ConversationCache:
    """States by conversation id, least recently used out first.

    Args:
        source: loads them.
        clock: for `asked_at`.
        max_conversations: when there are more, the one unused for longest is dropped and loaded again when needed.
        max_places: rows kept of one large conversation; when there are more, all are dropped and asked for again.
    """

    def __init__(
        self, source: ConversationSource, clock: Clock, *, max_conversations: int, max_places: int = _MAX_PLACES
    ) -> None:
        self._source = source
        self._clock = clock
        self._max_conversations = max_conversations
        self._max_places = max_places
        self._states: OrderedDict[int, Conversation] = OrderedDict()
        self._flights: dict[tuple[int, int], _Flight] = {}  # as many as callers under way; those are bounded by credit

    def __len__(self) -> int:
        return len(self._states)

    def get(self, conversation_id: int, user_id: int) -> Conversation | None:
        """The state, if it is here and knows the user's place."""
        state = self._states.get(conversation_id)
        if state is None or not state.knows(user_id):
            return None
        self._states.move_to_end(conversation_id)
        return state

    def peek(self, conversation_id: int) -> Conversation | None:
        """The state, if it is here, without a certain user's place; that does not count as a use."""
        return self._states.get(conversation_id)

    def get_fresh(self, conversation_id: int, user_id: int, *, max_age_s: float) -> Conversation | None:
        """The state, if it is here and at most so old; who is in a private chat never changes, so its age is no matter."""
        state = self.get(conversation_id, user_id)
        if state is None or (max_age_s and state.kind == ConversationKind.DIRECT):
            return state
        return state if state.asked_at >= self._clock.monotonic() - max_age_s else None

    def load(self, conversation_id: int, user_id: int, on_loaded: OnLoaded, *, since: float | None = None) -> None:
        """Load the state with the user's place; `on_loaded` is called exactly once, from the loop.

        Args:
            conversation_id: which.
            user_id: whose place is needed.
            on_loaded: gets the state, or the error of the load.
            since: only a load that begins at or after this monotonic moment will do; None: any.
        """
        state = self._states.get(conversation_id)
        # One row of a large conversation per load; before it is known to be large, one load serves everybody.
        key = (conversation_id, user_id if state is not None and not state.knows_all else 0)
        flight = self._flights.get(key)
        if flight is None:
            self._start(key, [(user_id, on_loaded)])
        elif since is not None and flight.asked_at < since:
            flight.after.append((user_id, on_loaded))
        else:
            flight.waiting.append((user_id, on_loaded))

    async def fetch(self, conversation_id: int, user_id: int, *, max_age_s: float = 0.0) -> Conversation:
        """The state, at most so old; for operations off the hot path. Safe to cancel: the load goes on for others.

        Raises:
            ImError: CONVERSATION_NOT_FOUND, or why it cannot be loaded.
        """
        state = self.get_fresh(conversation_id, user_id, max_age_s=max_age_s)
        if state is not None:
            return state
        since = self._clock.monotonic() - max_age_s
        done: asyncio.Future[Conversation] = asyncio.get_running_loop().create_future()

        def on_loaded(loaded: Conversation | None, error: ImError | None) -> None:
            if done.done():
                return
            if loaded is not None:
                done.set_result(loaded)
            else:
                assert error is not None, "a load answers a state or an error"
                done.set_exception(error)

        self.load(conversation_id, user_id, on_loaded, since=since)
        return await done

    def drop(self, conversation_id: int) -> None:
        """Forget a state."""
        self._states.pop(conversation_id, None)

    def _start(self, key: tuple[int, int], waiting: list[tuple[int, OnLoaded]]) -> None:
        flight = _Flight(waiting[0][0], self._clock.monotonic())
        flight.waiting = waiting
        self._flights[key] = flight
        self._source.load_conversation(
            key[0], flight.user_id, lambda state, error: self._landed(key, flight, state, error)
        )

    def _landed(
        self, key: tuple[int, int], flight: _Flight, state: ConversationState | None, error: ImError | None
    ) -> None:
        del self._flights[key]
        conversation: Conversation | None = None
        if state is not None:
            conversation = to_conversation(state, asked_for=flight.user_id, asked_at=flight.asked_at)
            conversation = self._keep(conversation, flight.user_id)
        elif error is not None and error.kind is Kind.NOT_FOUND:
            self.drop(key[0])
        if flight.after:
            self._start(key, flight.after)
        for user_id, on_loaded in flight.waiting:
            if conversation is not None and not conversation.knows(user_id):
                self.load(key[0], user_id, on_loaded)  # it turned out to be large: each needs a row of its own
            else:
                on_loaded(conversation, error)

    def _keep(self, loaded: Conversation, user_id: int) -> Conversation:
        known = self._states.get(loaded.conversation_id)
        if known is not None and known.member_version > loaded.member_version:
            # An older answer came later. What it says was true when it was asked for; the newer one stays.
            return loaded if not known.knows(user_id) else known
        if known is not None and not loaded.knows_all and not known.complete:
            loaded = replace(loaded, places=self._merge(known, loaded))
        self._states[loaded.conversation_id] = loaded
        self._states.move_to_end(loaded.conversation_id)
        if len(self._states) > self._max_conversations:
            self._states.popitem(last=False)
        return loaded

    def _merge(self, known: Conversation, loaded: Conversation) -> dict[int, Place]:
        if known.deny_version != loaded.deny_version or len(known.places) >= self._max_places:
            return loaded.places  # any of the others may have lost a right; asked for again when needed
        return {**known.places, **loaded.places}
