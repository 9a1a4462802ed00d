"""Catching up after being away: account events, then the heads of what moved, page by page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from im_proto.v1 import conversation_pb2, sync_pb2
from im_sdk._errors import ImError
from im_sdk._puller import Ask

PAGE_SIZE = 200
RETRY_S = 5.0


@dataclass(frozen=True, slots=True)
class SyncPoint:
    """Up to where a client is in sync: kept in one write with the heads it belongs to."""

    pts: int = 0
    since_time: int = 0
    since_generation: int = 0

    @property
    def is_start(self) -> bool:
        """Nothing was ever synced."""
        return self.since_time == 0


class Sync:
    """One sync at a time.

    Args:
        point: where to begin.
        ask: puts a question to the server.
        open_conversations: what is on screen: (conversation_id, seq, epoch).
        on_event: applies an account event that a page brought: its heads are from after it.
        on_push: applies one that was pushed: heads that are under way may be from before it.
        on_head: takes a head; True: it is of the first sync or of a reset, where the log starts here.
        on_reset: only the conversations named here exist.
        on_finished: the last page is in.
    """

    def __init__(
        self,
        point: SyncPoint,
        *,
        ask: Ask,
        open_conversations: Callable[[], Iterable[tuple[int, int, int]]],
        on_event: Callable[[sync_pb2.AccountEvent, float], None],
        on_push: Callable[[sync_pb2.AccountEvent, float], None],
        on_head: Callable[[conversation_pb2.Head, bool, float], None],
        on_reset: Callable[[set[int]], None],
        on_finished: Callable[[float], None],
    ) -> None:
        self.point = point
        self._ask = ask
        self._open_conversations = open_conversations
        self._on_event = on_event
        self._on_push = on_push
        self._on_head = on_head
        self._on_reset = on_reset
        self._on_finished = on_finished
        self.running = False
        self.done = False
        """A sync was finished on this connection."""
        self._again = False
        self._pts = 0
        self._since: sync_pb2.Since | None = None
        self._seen: set[int] | None = None
        self.retry_at = float("inf")

    def request(self, page_token: str = "") -> sync_pb2.SyncRequest:
        """What to ask."""
        point = self.point
        request = sync_pb2.SyncRequest(pts=point.pts, page_size=PAGE_SIZE, page_token=page_token)
        if not point.is_start:
            request.since.time = point.since_time
            request.since.clock_generation = point.since_generation
        for conversation_id, seq, epoch in self._open_conversations():
            request.open.add(conversation_id=conversation_id, seq=seq, epoch=epoch)
        return request

    def begin(self) -> sync_pb2.SyncRequest:
        """Begin with the first page; the caller asks it (in Hello) and gives the answer to `take_page`."""
        self.running = True
        self._again = False
        self.retry_at = float("inf")
        self._since = None
        self._seen = None
        return self.request()

    def light(self, now: float) -> None:
        """Compare everything on a live connection; while one runs, once more after it."""
        self.retry_at = float("inf")
        if self.running:
            self._again = True
        else:
            self._ask("sync", self.begin(), self._done, now)

    def take_event(self, event: sync_pb2.AccountEvent, now: float) -> None:
        """A pushed account event, by the pts rule."""
        if event.pts == self.point.pts + 1:
            self.point = SyncPoint(event.pts, self.point.since_time, self.point.since_generation)
            self._on_push(event, now)
        elif event.pts > self.point.pts:
            self.light(now)

    def take_page(self, page: sync_pb2.SyncResponse, now: float) -> None:
        """Apply a page, ask for the next, or finish."""
        first = self._since is None
        if first:
            self._since = page.since
            if page.reset or self.point.is_start:
                # the heads that follow are the whole truth; the events led up to it
                self._seen = set()
            else:
                for event in page.events:
                    if event.pts > self.point.pts:
                        self.point = SyncPoint(event.pts, self.point.since_time, self.point.since_generation)
                        self._on_event(event, now)
            self._pts = page.pts
        start = self.point.is_start
        for head in page.heads:
            if self._seen is not None:
                self._seen.add(head.conversation.conversation_id)
            self._on_head(head, start, now)
        if page.next_page_token:
            self._ask("sync", self.request(page.next_page_token), self._done, now)
        else:
            self._finish(now)

    def note(self, conversation_id: int) -> None:
        """A conversation was found meanwhile by another way: a reset does not drop it."""
        if self._seen is not None:
            self._seen.add(conversation_id)

    def connection_lost(self) -> None:
        """A sync that was cut starts anew in the next Hello."""
        self.running = False
        self.done = False
        self._again = False
        self._since = None
        self._seen = None
        self.retry_at = float("inf")

    def _done(self, answer: sync_pb2.SyncResponse | None, error: ImError | None, now: float) -> None:
        if answer is not None:
            self.take_page(answer, now)
            return
        assert error is not None
        self.running = False
        self.retry_at = now + max(RETRY_S, error.retry_after_ms / 1000)

    def _finish(self, now: float) -> None:
        assert self._since is not None
        if self._seen is not None:
            self._on_reset(self._seen)
        # Events that were pushed while the pages came have moved pts further already.
        pts = self._pts if self._seen is not None else max(self._pts, self.point.pts)
        self.point = SyncPoint(pts, self._since.time, self._since.clock_generation)
        self.running = False
        self.done = True
        self._since = None
        self._seen = None
        self._on_finished(now)
        if self._again:
            self.light(now)
