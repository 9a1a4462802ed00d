"""What a history and the logs it left prove: pure functions, each giving its violations in words; none is the promise.

`Logs` is what a run left behind, by conversation and ascending: read over the public API, or from the database.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tests.harness.history import Happening, of_kind


class Row(NamedTuple):
    """An entry of a log. Entries without a text of ours (notices, changes) have an empty key."""

    seq: int
    sender_id: int
    key: str


Logs = Mapping[int, Sequence[Row]]
History = Sequence[Happening]


def lost(history: History, logs: Logs) -> list[str]:
    """Acked, and not at its place in the log."""
    places = {(conversation_id, row.seq): row.key for conversation_id, rows in logs.items() for row in rows}
    return [
        f"{ack.key!r} was acked as seq {ack.seq} of {ack.conversation_id}, where {places.get((ack.conversation_id, ack.seq))!r} is"
        for ack in of_kind(history, "send_ok")
        if places.get((ack.conversation_id, ack.seq)) != ack.key
    ]


def doubled(logs: Logs) -> list[str]:
    """Stored more than once."""
    counts = Counter((conversation_id, row.key) for conversation_id, rows in logs.items() for row in rows if row.key)
    return [f"{key!r} is stored {count} times in {log}" for (log, key), count in counts.items() if count > 1]


def never_sent(history: History, logs: Logs) -> list[str]:
    """Stored, and nobody sent it there."""
    sent = {(one.conversation_id, one.user_id, one.key) for one in of_kind(history, "send_invoke")}
    return [
        f"seq {row.seq} of {conversation_id} holds {row.key!r} of {row.sender_id}, which was never sent"
        for conversation_id, rows in logs.items()
        for row in rows
        if row.key and (conversation_id, row.sender_id, row.key) not in sent
    ]


def refused_and_stored(history: History, logs: Logs) -> list[str]:
    """Refused for good, and stored all the same."""
    stored = {(conversation_id, row.key) for conversation_id, rows in logs.items() for row in rows}
    return [
        f"{one.key!r} was refused and is stored in {one.conversation_id}"
        for one in of_kind(history, "send_fail")
        if (one.conversation_id, one.key) in stored
    ]


def unresolved(history: History) -> list[str]:
    """A try ended unknown, and neither a later try nor its sender's own screen said what became of the message."""
    settled = {
        (one.conversation_id, one.key)
        for one in history
        if one.kind in {"send_ok", "send_fail"} or (one.kind == "shown" and one.key.startswith(f"{one.device} "))
    }
    open_ = {(one.conversation_id, one.key) for one in of_kind(history, "send_invoke")} - settled
    return [f"the outcome of {key!r} in {conversation_id} is unknown to the end" for conversation_id, key in open_]


def holes(logs: Logs) -> list[str]:
    """A log whose seqs are not 1, 2, 3 and so on, without a hole."""
    return [
        f"{conversation_id} has seq {row.seq} where {expected} belongs"
        for conversation_id, rows in logs.items()
        for expected, row in enumerate(rows, start=1)
        if row.seq != expected
    ]


def out_of_order(history: History, logs: Logs) -> list[str]:
    """Somebody's messages in one conversation stand in another order than they were sent in."""
    numbers = {(one.conversation_id, one.key): (one.device, one.number) for one in of_kind(history, "send_invoke")}
    wrong = []
    for conversation_id, rows in logs.items():
        last: dict[str, int] = defaultdict(int)
        for row in rows:
            device, number = numbers.get((conversation_id, row.key), ("", 0))
            if number and number <= last[device]:
                wrong.append(f"{row.key!r} stands behind number {last[device]} of {device} in {conversation_id}")
            last[device] = max(last[device], number)
    return wrong


def different(one: Logs, other: Logs) -> list[str]:
    """Two readers of the same logs read differently."""
    return [
        f"{conversation_id} is read as {len(one.get(conversation_id, ()))} and {len(other.get(conversation_id, ()))} entries that differ"
        for conversation_id in one.keys() | other.keys()
        if list(one.get(conversation_id, ())) != list(other.get(conversation_id, ()))
    ]


def shown_twice(history: History) -> list[str]:
    """A device showed the same message, or the same place, twice."""
    keys: Counter[tuple[str, int, str]] = Counter()
    places: Counter[tuple[str, int, int]] = Counter()
    for one in of_kind(history, "shown"):
        keys[one.device, one.conversation_id, one.key] += 1
        places[one.device, one.conversation_id, one.seq] += 1
    return [f"{device} showed {what!r} of {log} {n} times" for (device, log, what), n in keys.items() if n > 1] + [
        f"{device} showed seq {seq} of {log} {n} times" for (device, log, seq), n in places.items() if n > 1
    ]


def shown_out_of_order(history: History) -> list[str]:
    """A device showed an entry after a later one of the same log."""
    last: dict[tuple[str, int], int] = {}
    wrong = []
    for one in of_kind(history, "shown"):
        before = last.get((one.device, one.conversation_id), 0)
        if one.seq < before:
            wrong.append(f"{one.device} showed seq {one.seq} of {one.conversation_id} after {before}")
        last[one.device, one.conversation_id] = max(before, one.seq)
    return wrong


def not_shown(history: History, logs: Logs, follows: Mapping[str, Iterable[int]]) -> list[str]:
    """A device did not show what stands in a log that it follows, or showed something else at its place."""
    shown = {(one.device, one.conversation_id, one.seq): one.key for one in of_kind(history, "shown")}
    return [
        f"{device} has {shown.get((device, conversation_id, row.seq))!r} at seq {row.seq} of {conversation_id}, where {row.key!r} is"
        for device, conversations in follows.items()
        for conversation_id in conversations
        for row in logs.get(conversation_id, ())
        if row.key and shown.get((device, conversation_id, row.seq)) != row.key
    ]


def leaked(history: History, windows: Mapping[tuple[int, int], Sequence[tuple[int, int]]]) -> list[str]:
    """Somebody got an entry outside of their windows.

    Args:
        history: what was received and shown.
        windows: (first, last) visible seqs by (conversation, user); last 0: still open. Nothing listed: sees all.
    """
    return [
        f"{one.device} got seq {one.seq} of {one.conversation_id}, outside of {windows[one.conversation_id, one.user_id]}"
        for one in history
        if one.kind in {"received", "shown"}
        and (one.conversation_id, one.user_id) in windows
        and not any(first <= one.seq <= (last or one.seq) for first, last in windows[one.conversation_id, one.user_id])
    ]


def miscounted(logs: Logs, told: Mapping[int, tuple[int, int]], *, reader_id: int) -> list[str]:
    """An unread count is not what a recount gives.

    Args:
        logs: what the reader may see.
        told: (seq read up to, unread as told) by conversation.
        reader_id: own messages are not unread.
    """
    wrong = []
    for conversation_id, (read_seq, unread) in told.items():
        rows = logs.get(conversation_id, ())
        counted = sum(row.seq > read_seq and bool(row.key) and row.sender_id != reader_id for row in rows)
        if min(counted, 100) != unread:
            wrong.append(f"{conversation_id} is told to have {unread} unread after seq {read_seq}, where {counted} are")
    return wrong


def told_lost(history: History) -> list[str]:
    """A device was told that entries will not come."""
    return [
        f"{one.device} was told that seq {one.seq} of {one.conversation_id} will not come"
        for one in of_kind(history, "untold")
    ]
