"""Delivers again what was not confirmed in time, and deletes what was confirmed while no append did.

Rows are found by age, not by id: ids are not given in the order of commits. Their ranges go to one connected logic
process, which delivers them as it does new ones. Delivering twice is harmless, so whoever finds a row may take it. While
the bus takes nothing, large ranges rest: bringing them would only be work.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, Protocol

from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_infra.rpc.peer import Peer
from im_infra.sql.abstract import Database
from im_proto.repo.v1.stream_pb2 import Redeliver, RepoPush
from im_repo.log.draft import Range
from im_repo.log.values import FANOUT_LARGE
from im_repo.outbox.large_rests import LargeRests
from im_repo.outbox.pending import Pending
from im_repo.outbox.rows import OutboxRow, claim_rows, delete_rows, find_due, to_proto
from im_repo.outbox.settings import OutboxSettings

_LOG: Final = logs.get(__name__)

_ROWS_AT_A_TIME: Final = 100
_DELETES_AT_A_TIME: Final = 1_000
_LARGE_REST_MS: Final = 30_000
"""When the bus is back all rows are looked at anew, whatever their time."""


class LogicStream(Protocol):
    """A connected peer."""

    @property
    def peer(self) -> Peer:
        """Who it is."""
        ...

    def push(self, body: bytes) -> bool:
        """Tell it something; False: its queue is full, or it is gone."""
        ...


class Sweeper:
    """Looks at the outbox each second.

    Args:
        database: where the rows are.
        pending: what is confirmed of the rows this process counts.
        rests: which logic processes cannot deliver large ranges now.
        streams: the connected logic processes, as they are now.
        owner: this boot.
        settings: times.
        metrics: what is counted.
        monotonic: seconds, for ages.
    """

    def __init__(
        self,
        database: Database,
        *,
        pending: Pending,
        rests: LargeRests,
        streams: Callable[[], Iterable[LogicStream]],
        owner: str,
        settings: OutboxSettings,
        metrics: Metrics,
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._pending = pending
        self._rests = rests
        self._streams = streams
        self._owner = owner
        self._settings = settings
        self._monotonic = monotonic
        self._first = True
        self._first_after_id = 0
        self._large_rest = False
        self._redelivered = metrics.counter("im_repo_outbox_redelivered_total")
        metrics.gauge("im_repo_outbox_pending_rows").set_function(pending.__len__)
        metrics.gauge("im_repo_outbox_oldest_seconds").set_function(lambda: pending.oldest_s(monotonic()))

    async def run(self) -> None:
        """Sweep until cancelled; failures of the database are logged and tried again."""
        while True:
            try:
                await self.delete_confirmed()
                await self.sweep()
            except ImError as error:
                _LOG.warning("outbox not swept", reason=error.reason.name, error=error.message)
            await asyncio.sleep(self._settings.interval_s)

    async def delete_confirmed(self) -> None:
        """Delete confirmed rows: while messages are appended, the appends have done so already."""
        while done := self._pending.take_done(_DELETES_AT_A_TIME):
            try:
                await self._database.write(partial(delete_rows, outbox_ids=done))
            except BaseException:
                self._pending.put_back(done)
                raise
            self._pending.deleted(done)

    async def sweep(self) -> None:
        """Deliver due rows again, while there are some and a logic process takes them.

        The first time all rows are due but those that this process just wrote: nobody counts the others any more. Likewise
        when the bus is back: what rested comes in the order in which it was written.
        """
        while streams := sorted(self._streams(), key=lambda stream: stream.peer):
            self._look_at_rests(streams)
            self._pending.begin_look()
            rows = await self._database.read(
                partial(find_due, limit=_ROWS_AT_A_TIME, whatever_age=self._first, after_id=self._first_after_id)
            )
            due, waits = self._sort(rows)
            if waits:
                await self._database.write(partial(claim_rows, wait_ms=waits, owner=self._owner))
            taken = self._redeliver(due, streams)
            if self._first and rows and taken:
                self._first_after_id = rows[-1].outbox_id
            if len(rows) < _ROWS_AT_A_TIME or not taken or not (waits or self._first):
                self._first = self._first and not taken
                return

    def _look_at_rests(self, streams: Sequence[LogicStream]) -> None:
        rested, self._large_rest = self._large_rest, not self._rests.awake(streams)
        if rested and not self._large_rest:
            self._first, self._first_after_id = True, 0

    def _sort(self, rows: Sequence[OutboxRow]) -> tuple[list[OutboxRow], dict[int, int]]:
        """The rows to deliver again, and how long they and those that cannot be yet, or need not, rest, in milliseconds."""
        now = self._monotonic()
        due: list[OutboxRow] = []
        waits: dict[int, int] = {}
        for row in rows:
            outbox_id = row.outbox_id
            if self._pending.is_done(outbox_id):
                continue
            waits[outbox_id] = self._pending.rest_ms(outbox_id, now=now)
            if self._large_rest and all(one.fanout == FANOUT_LARGE for one in row.ranges):
                waits[outbox_id] = _LARGE_REST_MS
            if not waits[outbox_id]:
                due.append(row)
                waits[outbox_id] = self._pending.backoff_ms(outbox_id)
        return due, waits

    def _redeliver(self, rows: Sequence[OutboxRow], streams: Sequence[LogicStream]) -> bool:
        """Push the rows, each to one stream; False: a row was taken by none, the rest waits for its time."""
        now = self._monotonic()
        for row in rows:
            if self._pending.is_done(row.outbox_id):
                continue  # confirmed while it was claimed
            ranges = self._pending.again(row.outbox_id, row.ranges, now=now)
            takers = streams
            if any(one.fanout == FANOUT_LARGE for one in ranges):
                takers = self._rests.awake(streams)
                if not takers:
                    ranges = [one for one in ranges if one.fanout != FANOUT_LARGE]
                    takers = streams
            if ranges and not _push(row, ranges, takers):
                return False
            self._redelivered.inc(len(ranges))
        return True


def _push(row: OutboxRow, ranges: Sequence[Range], streams: Sequence[LogicStream]) -> bool:
    """Push what is left of a row to the first that takes it, rows spread evenly; False: none does."""
    redeliver = Redeliver(outbox_id=row.outbox_id, ranges=[to_proto(one) for one in ranges], trace=row.trace)
    push = RepoPush(redeliver=redeliver).SerializeToString()
    start = row.outbox_id % len(streams)
    return any(stream.push(push) for stream in (*streams[start:], *streams[:start]))
