"""What a batch adds to logs: rows of messages, and the ranges of them whose fan-out its outbox row guards."""

from im_infra.sql.at_once import Expression
from im_repo.log.draft import Draft, Range, Stored
from im_repo.log.fanout_class import FanoutBounds, other_fanout
from im_repo.log.locked import LockedConversation
from im_repo.log.message_rows import MessageRow
from im_repo.log.values import FLAG_COUNTABLE


class NewEntries:
    """Gathered in the order in which they are stored."""

    def __init__(self) -> None:
        self.rows: list[MessageRow] = []
        self.ranges: list[Range] = []
        self._last_range: dict[int, int] = {}

    def add(
        self, draft: Draft, conversation: LockedConversation, message_id: int, time: int | Expression, *, fanout: int
    ) -> None:
        """Give a draft the next seq of its conversation.

        Args:
            draft: what to store.
            conversation: its log; what it counts moves, its times do not.
            message_id: of the entry.
            time: of the entry, milliseconds since the epoch.
            fanout: the way it goes out: the conversation's before the entry's own effects.
        """
        log_id, sender_id, client_message_id, digest, type_, ref_seq, countable, body = draft[:8]
        conversation.max_seq = seq = conversation.max_seq + 1
        flags = 0
        if countable:
            flags = FLAG_COUNTABLE
            conversation.max_count += 1
        count = conversation.max_count
        self.rows.append(
            (
                log_id,
                seq,
                count,
                message_id,
                sender_id,
                client_message_id,
                digest,
                ref_seq,
                type_,
                flags,
                0,
                0,
                time,
                body,
            )
        )
        self._extend_range(log_id, seq, fanout)

    def _extend_range(self, log_id: int, seq: int, fanout: int) -> None:
        index = self._last_range.get(log_id)
        if index is not None and self.ranges[index].fanout == fanout:
            self.ranges[index] = self.ranges[index]._replace(to_seq=seq)
            return
        self._last_range[log_id] = len(self.ranges)
        self.ranges.append(Range(log_id, seq, seq, fanout))


def stored(conversation: LockedConversation, row: MessageRow, time: int, bounds: FanoutBounds) -> Stored:
    """What the sender of a new entry is told.

    Args:
        conversation: as it is after the entry.
        row: the entry's.
        time: of the entry, milliseconds since the epoch.
        bounds: how long both ways run after a change of the fan-out class.
    """
    previous = 0
    if conversation.fanout_time:
        previous = other_fanout(conversation.fanout, changed_time=conversation.fanout_time, now=time, bounds=bounds)
    return Stored(
        conversation.conversation_id,
        row[1],
        row[2],
        row[3],
        time,
        conversation.member_version,
        conversation.deny_version,
        conversation.fanout,
        conversation.epoch,
        previous_fanout=previous,
    )
