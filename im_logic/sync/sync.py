"""Answering a sync: account events, heads that moved, and the conversations on screen."""

from typing import Final, NamedTuple

from im_infra import error_table
from im_infra.errors import ImError
from im_logic import page_tokens
from im_logic.repo_calls import RepoCalls
from im_logic.sync.since import since_time
from im_proto.v1.conversation_pb2 import Head
from im_proto.v1.sync_pb2 import Since, SyncRequest, SyncResponse

MAX_OPEN: Final = 50
_PURPOSE: Final = "sync"


class _Page(NamedTuple):
    """What a page token carries: every page looks from the same moment, and gives the same next `since`."""

    from_time: int
    next_time: int
    next_generation: int
    repo_token: str


class Sync:
    """Catches a client up.

    Args:
        calls: repo.
    """

    def __init__(self, *, calls: RepoCalls) -> None:
        self._calls = calls

    async def sync(self, user_id: int, request: SyncRequest) -> SyncResponse:
        """What changed for the user; safe to cancel, it only reads.

        The next `since` is the database's time read before the first page, so nothing falls between two syncs. Where the
        asked pts is too old, or from the future, the response begins a whole directory (`reset`); and where the
        database's clock went back since, and is of another generation, all heads are told.

        Raises:
            ImError: FIELD_INVALID, PAGE_TOKEN_INVALID, UNAVAILABLE.
        """
        size = page_tokens.page_size(request.page_size, default=100, most=200)
        if len(request.open) > MAX_OPEN:
            raise ImError(error_table.FIELD_INVALID, f"open: at most {MAX_OPEN}")
        if request.page_token:
            return await self._further_page(user_id, _read_token(user_id, request.page_token), size)
        return await self._first_page(user_id, request, size)

    async def _first_page(self, user_id: int, request: SyncRequest, size: int) -> SyncResponse:
        asked = request.since
        since = Since(time=since_time(asked.time), clock_generation=asked.clock_generation)
        found = await self._calls.begin_sync(user_id, pts=request.pts, since=since, page_size=size)
        heads, now = list(found.heads.heads), found.heads.now
        heads.extend(await self._on_screen(user_id, request, heads))
        page = _Page(found.since_time, now.time, now.clock_generation, found.heads.next_page_token)
        return SyncResponse(
            events=found.events,
            pts=found.max_pts,
            reset=found.reset,
            heads=heads,
            since=now,
            next_page_token=_write_token(user_id, page),
        )

    async def _on_screen(self, user_id: int, request: SyncRequest, heads: list[Head]) -> list[Head]:
        """Heads of what is on screen, where they did not move anyway."""
        known = {head.conversation.conversation_id for head in heads}
        wanted = sorted({one.conversation_id for one in request.open} - known)
        if not wanted:
            return []
        return list((await self._calls.read_heads(user_id, conversation_ids=wanted)).heads)

    async def _further_page(self, user_id: int, page: _Page, size: int) -> SyncResponse:
        found = await self._calls.read_heads(
            user_id, since_time=page.from_time, page_token=page.repo_token, page_size=size
        )
        return SyncResponse(
            heads=found.heads,
            since=Since(time=page.next_time, clock_generation=page.next_generation),
            next_page_token=_write_token(user_id, page._replace(repo_token=found.next_page_token)),
        )


def _write_token(user_id: int, page: _Page) -> str:
    """The token of the page after; empty where repo gave none."""
    return page_tokens.encode(_PURPOSE, user_id, [str(value) for value in page]) if page.repo_token else ""


def _read_token(user_id: int, token: str) -> _Page:
    from_time, next_time, generation, repo_token = page_tokens.decode(
        _PURPOSE, user_id, token, count=len(_Page._fields)
    )
    return _Page(int(from_time), int(next_time), int(generation), repo_token)
