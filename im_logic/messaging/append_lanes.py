"""From a checked request to repo and back, in order.

One lane per (user, conversation): stronger than per connection, and it forgets itself when nothing is under way. All of
it runs in callbacks of one loop; an entry whose conversation is in the cache leaves within the call that brought it.
"""

import asyncio
from typing import Final, Protocol

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.error_kind import Kind
from im_infra.errors import ImError, NotStartedError
from im_infra.observability import logs
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.conversation import Conversation
from im_logic.messaging.lane import Lane
from im_logic.messaging.proposal import Proposal
from im_logic.repo_stream import RepoClient, RepoStream
from im_proto.repo.v1.stream_pb2 import (
    APPEND_STATUS_ABSENT,
    APPEND_STATUS_DUPLICATE,
    APPEND_STATUS_RECHECK,
    AppendItem,
    AppendResult,
    FindAppend,
    RepoRequest,
)

_LOG: Final = logs.get(__name__)

MAX_SENT_BACK: Final = 2
"""Sent back a third time, an entry is answered UNAVAILABLE: rights change faster than we can read them."""
RESTART_DELAYS_S: Final = (0.1, 0.3, 0.9)
"""Waits before an entry whose stream broke goes out again; after them its sender hears of it."""
MAX_HELD: Final = 1_000
"""Held entries of a lane; the next one is answered OVERLOADED."""

_Lane = Lane[Proposal]


class Outlet(Protocol):
    """Where stored entries go."""

    def stored(
        self, proposal: Proposal, item: AppendItem, result: AppendResult, conversation: Conversation, client: RepoClient
    ) -> None:
        """An entry was stored now: fan it out."""
        ...

    def repeated(self, result: AppendResult) -> None:
        """An entry had been stored before: fan it out again if that was lately."""
        ...


class AppendLanes:
    """Keeps the order of entries per sender and conversation, and gives each exactly one answer.

    Args:
        repo: stores them.
        cache: what they are decided by.
        outlet: what becomes of stored ones.
        clock: for arrival times.
    """

    def __init__(self, *, repo: RepoStream, cache: ConversationCache, outlet: Outlet, clock: Clock) -> None:
        self._repo = repo
        self._cache = cache
        self._outlet = outlet
        self._clock = clock
        self._lanes: dict[tuple[int, int], _Lane] = {}  # only those with entries under way, which credit bounds
        self._order = 0
        self.appended = 0
        self.sent_back = 0

    def submit(self, proposal: Proposal) -> None:
        """Take a proposal; its `stored` or `failed` is called exactly once, perhaps before this returns."""
        self._order += 1
        proposal.order = self._order
        proposal.arrived_at = self._clock.monotonic()
        key = (proposal.asker.user_id, proposal.conversation_id)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane()
        elif lane.held >= MAX_HELD:
            proposal.failed(ImError(error_table.OVERLOADED, retry_after_ms=500))
            return
        self._offer(lane, proposal)
        if lane.empty:
            self._lanes.pop(key, None)

    def _offer(self, lane: _Lane, proposal: Proposal) -> None:
        """Send it, hold it, or refuse it."""
        if lane.must_wait(proposal.order):
            lane.hold(proposal.order, proposal)
            return
        conversation = self._cache.get(proposal.conversation_id, proposal.asker.user_id)
        if conversation is None:
            self._reload(lane, proposal, since=None)
            return
        request = RepoRequest()
        try:
            proposal.word(conversation, request)
        except ImError as refusal:
            # Only a state that was asked for after the request came may refuse it; limits do not depend on it.
            if conversation.asked_at < proposal.arrived_at and refusal.kind is not Kind.EXHAUSTED:
                self._reload(lane, proposal, since=proposal.arrived_at)
            else:
                self.refuse(proposal, refusal)
            return
        except Exception:  # noqa: BLE001 - the edge of a request: one bug must not keep its lane from going on
            _LOG.exception("message not worded")
            proposal.failed(ImError(error_table.INTERNAL))
            return
        self._send(lane, proposal, conversation, request)

    def _send(self, lane: _Lane, proposal: Proposal, conversation: Conversation, request: RepoRequest) -> None:
        try:
            client = self._repo.pick(proposal.conversation_id)
        except ImError as error:
            self._restart(lane, proposal, error)
            return
        if not lane.admit(proposal.order, (conversation.deny_version, client)):
            lane.hold(proposal.order, proposal)
            return
        item = request.append
        item.conversation_id = proposal.conversation_id
        item.sender_id = proposal.asker.user_id
        item.client_message_id = proposal.client_id
        item.digest = proposal.digest
        item.deny_version = conversation.deny_version
        trace = proposal.asker.trace
        if trace is not None:
            request.trace = trace.context

        def on_appended(result: AppendResult | None, error: ImError | None) -> None:
            lane.settle()
            try:
                if result is None:
                    assert error is not None, "an append answers a result or an error"
                    self._not_appended(lane, proposal, error)
                elif result.status == APPEND_STATUS_RECHECK:
                    self._sent_back(lane, proposal)
                else:
                    self._appended(proposal, item, result, conversation, client)
            except Exception:  # noqa: BLE001 - as above: what is held behind it waits for nothing else
                _LOG.exception("answer to an append not taken")
            self._advance(lane, proposal)

        self._repo.append_request(client, request, on_appended)

    def _appended(
        self, proposal: Proposal, item: AppendItem, result: AppendResult, conversation: Conversation, client: RepoClient
    ) -> None:
        self.appended += 1
        if result.deny_version > conversation.deny_version:
            self._cache.drop(proposal.conversation_id)  # what no fence guards, such as typing, must not go on by it
        proposal.stored(result)
        if result.status == APPEND_STATUS_DUPLICATE:
            self._outlet.repeated(result)
        else:
            self._outlet.stored(proposal, item, result, conversation, client)

    def _sent_back(self, lane: _Lane, proposal: Proposal) -> None:
        self.sent_back += 1
        proposal.sent_back += 1
        if proposal.sent_back > MAX_SENT_BACK:
            proposal.failed(ImError(error_table.UNAVAILABLE, "the conversation changes too fast", retry_after_ms=200))
            return
        self._reload(lane, proposal, since=self._clock.monotonic())

    def _not_appended(self, lane: _Lane, proposal: Proposal, error: ImError) -> None:
        if isinstance(error, NotStartedError) or error.reason is error_table.UNAVAILABLE:
            self._restart(lane, proposal, error)
        else:
            proposal.failed(error)

    def _restart(self, lane: _Lane, proposal: Proposal, error: ImError) -> None:
        """Its stream broke, or there is none: once more, in its place; the outcome does not matter, it happens once."""
        if proposal.restarted >= len(RESTART_DELAYS_S):
            proposal.failed(ImError(error_table.UNAVAILABLE, error.message, retry_after_ms=error.retry_after_ms or 500))
            return
        delay_s = (
            0.0
            if isinstance(error, NotStartedError) and not proposal.restarted
            else RESTART_DELAYS_S[proposal.restarted]
        )
        proposal.restarted += 1
        lane.hold(proposal.order, proposal)
        lane.stalled += 1

        def again() -> None:
            lane.stalled -= 1
            self._advance(lane, proposal)

        asyncio.get_running_loop().call_later(delay_s, again)

    def _reload(self, lane: _Lane, proposal: Proposal, *, since: float | None) -> None:
        """Hold it, and what follows it, until the state is here."""
        lane.hold(proposal.order, proposal)
        lane.stalled += 1

        def on_loaded(_: Conversation | None, error: ImError | None) -> None:
            lane.stalled -= 1
            if error is not None and lane.withdraw(proposal.order):
                if error.kind is Kind.NOT_FOUND:
                    self.refuse(proposal, error)
                else:
                    proposal.failed(error)
            self._advance(lane, proposal)

        self._cache.load(proposal.conversation_id, proposal.asker.user_id, on_loaded, since=since)

    def _advance(self, lane: _Lane, proposal: Proposal) -> None:
        """Something of the lane was answered or arrived: offer again what is held, or forget the lane."""
        if lane.held:
            for held in lane.release():
                self._offer(lane, held)
        if lane.empty:
            key = (proposal.asker.user_id, proposal.conversation_id)
            if self._lanes.get(key) is lane:
                del self._lanes[key]

    def refuse(self, proposal: Proposal, refusal: ImError) -> None:
        """Refuse, unless an earlier try was stored: then that one's answer is given, whatever is allowed by now."""
        if not proposal.look_up:
            proposal.failed(refusal)
            return

        def on_found(result: AppendResult | None, error: ImError | None) -> None:
            if result is None:
                assert error is not None, "a lookup answers a result or an error"
                proposal.failed(error)
            elif result.status == APPEND_STATUS_ABSENT:
                proposal.failed(refusal)
            else:
                result.status = APPEND_STATUS_DUPLICATE
                proposal.stored(result)
                self._outlet.repeated(result)

        find = FindAppend(
            conversation_id=proposal.conversation_id,
            sender_id=proposal.asker.user_id,
            client_message_id=proposal.client_id,
            digest=proposal.digest,
        )
        self._repo.find_append(find, on_found)
