"""Which entries of which outbox rows are not yet known to have reached everybody: counted in memory, without I/O.

Lost with the process: then the sweeper finds the rows by their age, and everything in them is delivered again.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from im_repo.log.draft import Range

_BACKOFF_MS: Final = 1_000


class _Row:
    """A row: the class of each entry that is not confirmed, and how often it was delivered again."""

    __slots__ = ("attempts", "counted_at", "unconfirmed")

    def __init__(self, ranges: Iterable[Range], counted_at: float) -> None:
        self.counted_at = counted_at
        self.unconfirmed = {
            (one.conversation_id, seq): one.fanout for one in ranges for seq in range(one.from_seq, one.to_seq + 1)
        }
        self.attempts = 0


class Pending:
    """Rows that wait for confirmations, and rows that are done and wait to be deleted.

    Args:
        max_rows: rows counted at a time; a further one is left to the sweeper, which finds it by its age.
        sweep_after_ms: how long after its commit a row may wait for its confirmations, in milliseconds.
        max_backoff_ms: the longest time between two deliveries of one row, in milliseconds.
    """

    def __init__(self, *, max_rows: int, sweep_after_ms: int, max_backoff_ms: int) -> None:
        self._max_rows = max_rows
        self._sweep_after_ms = sweep_after_ms
        self._max_backoff_ms = max_backoff_ms
        self._rows: dict[int, _Row] = {}
        self._done: deque[int] = deque()  # bounded by the rows there are; emptied by each append, or after a second
        self._done_ids: set[int] = set()
        self._gone_ids: set[int] = set()  # deleted since the sweeper's last look: what one second's appends delete

    def __len__(self) -> int:
        return len(self._rows)

    def oldest_s(self, now: float) -> float:
        """The age of the row that waits longest, in seconds; 0: none waits."""
        return max(0.0, now - next(iter(self._rows.values())).counted_at) if self._rows else 0.0

    def add(self, outbox_id: int, ranges: Iterable[Range], *, now: float) -> None:
        """Count a row's confirmations from now on (monotonic seconds), unless too many are counted already."""
        if len(self._rows) < self._max_rows:
            self._rows[outbox_id] = _Row(ranges, now)

    def confirm(self, outbox_id: int, conversation_id: int, *, from_seq: int, to_seq: int) -> None:
        """A stretch took effect; 0 as `from_seq` means `to_seq` alone. Unknown rows and entries are passed over."""
        row = self._rows.get(outbox_id)
        if row is None:
            return
        if not from_seq or from_seq == to_seq:
            row.unconfirmed.pop((conversation_id, to_seq), None)
        else:
            for place in [place for place in row.unconfirmed if place[0] == conversation_id]:
                if from_seq <= place[1] <= to_seq:
                    del row.unconfirmed[place]
        if not row.unconfirmed:
            del self._rows[outbox_id]
            self._done.append(outbox_id)
            self._done_ids.add(outbox_id)

    def begin_look(self) -> None:
        """The sweeper is about to read rows: from here on, `is_done` tells what is deleted while it reads, too."""
        self._gone_ids.clear()

    def is_done(self, outbox_id: int) -> bool:
        """Whether the row is confirmed: it waits to be deleted, or was while the sweeper looked."""
        return outbox_id in self._done_ids or outbox_id in self._gone_ids

    def rest_ms(self, outbox_id: int, *, now: float) -> int:
        """How long the row may still wait for its first confirmations, in milliseconds; 0: it is late.

        By its age since the commit: in the database a row is as old as the transaction that wrote it, and a commit that
        took seconds would have it delivered again before anybody could confirm it.
        """
        row = self._rows.get(outbox_id)
        if row is None or row.attempts:
            return 0
        return max(0, self._sweep_after_ms - int((now - row.counted_at) * 1000))

    def take_done(self, limit: int) -> list[int]:
        """Rows to delete now; `deleted` or `put_back` follows."""
        return [self._done.popleft() for _ in range(min(limit, len(self._done)))]

    def deleted(self, outbox_ids: Sequence[int]) -> None:
        """Rows taken are gone."""
        self._done_ids.difference_update(outbox_ids)
        self._gone_ids.update(outbox_ids)

    def put_back(self, outbox_ids: Sequence[int]) -> None:
        """The transaction that was to delete rows taken failed."""
        self._done.extendleft(outbox_ids)

    def again(self, outbox_id: int, ranges: Sequence[Range], *, now: float) -> list[Range]:
        """What of a due row has to be delivered again: what is unconfirmed, or all of it if it is not counted yet."""
        row = self._rows.get(outbox_id)
        if row is None:
            self.add(outbox_id, ranges, now=now)
            if outbox_id in self._rows:
                self._rows[outbox_id].attempts = 1
            return list(ranges)
        return _merged(row.unconfirmed)

    def backoff_ms(self, outbox_id: int) -> int:
        """How long to wait before a row is delivered once more; longer each time it is asked."""
        row = self._rows.get(outbox_id)
        if row is None:
            return self._max_backoff_ms
        row.attempts += 1
        return min(_BACKOFF_MS << min(row.attempts, 10), self._max_backoff_ms)


def _merged(unconfirmed: dict[tuple[int, int], int]) -> list[Range]:
    """Neighbours of one conversation and class as ranges."""
    merged: list[Range] = []
    for (conversation_id, seq), fanout in sorted(unconfirmed.items()):
        last = merged[-1] if merged else None
        if last is not None and (last.conversation_id, last.to_seq + 1, last.fanout) == (conversation_id, seq, fanout):
            merged[-1] = last._replace(to_seq=seq)
        else:
            merged.append(Range(conversation_id, seq, seq, fanout))
    return merged
