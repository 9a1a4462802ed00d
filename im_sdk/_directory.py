"""The list of conversations, kept up to date from heads, entries, receipts and account events.

Unread is exact for a moment of the log (`unread_seq`); entries above it are counted on top, entries below it were
counted by the server already.
"""

from collections.abc import Iterator
from typing import Final

from im_proto.v1 import conversation_pb2
from im_sdk import _convert
from im_sdk._models import Conversation, ConversationKind, Membership, Message, MessageKind, Notice, NoticeKind, Role

UNREAD_LIMIT: Final = 100
_KINDS: Final = {int(kind): kind for kind in ConversationKind}
_COUNTABLE: Final = frozenset({MessageKind.TEXT, MessageKind.CUSTOM})


class Listing:
    """What is known of one conversation."""

    __slots__ = (
        "_counted_meanwhile", "active_time", "conversation_id", "count", "dissolved", "epoch", "kind", "large", "last_message", "max_seq",
        "member_count", "membership", "mentioned", "peer_id", "peer_read_seq", "peer_received_seq", "read_seq",
        "recount_seq", "role", "title", "unread", "unread_seq",
    )  # fmt: skip

    def __init__(self, conversation_id: int) -> None:
        self.conversation_id = conversation_id
        self.epoch = -1
        self.kind = ConversationKind.UNKNOWN
        self.title = ""
        self.peer_id = 0
        self.dissolved = False
        self.member_count = 0
        self.role = Role.NONE
        self.membership = Membership.NONE
        self.large = False
        self.max_seq = 0
        self.count = 0
        self.read_seq = 0
        self.unread = 0
        self.unread_seq = 0
        self.recount_seq = 0
        """Unread is off until a head that covers this seq says it; 0: it is right."""
        self._counted_meanwhile: list[int] = []  # seqs; at most UNREAD_LIMIT, from where on it is "99+" anyway
        self.mentioned = False
        self.peer_received_seq = 0
        self.peer_read_seq = 0
        self.active_time = 0
        self.last_message: Message | None = None

    def picture(self, local_seq: int) -> Conversation:
        """This moment of it."""
        return Conversation(
            conversation_id=self.conversation_id,
            kind=self.kind,
            title=self.title,
            peer_id=self.peer_id,
            dissolved=self.dissolved,
            member_count=self.member_count,
            role=self.role,
            membership=self.membership,
            large=self.large,
            max_seq=self.max_seq,
            local_seq=local_seq,
            read_seq=self.read_seq,
            unread=self.unread,
            mentioned=self.mentioned,
            peer_received_seq=self.peer_received_seq,
            peer_read_seq=self.peer_read_seq,
            active_time=self.active_time,
            last_message=self.last_message,
        )

    def restore(self, kept: Conversation, *, epoch: int) -> None:
        """Take what a store kept."""
        self.epoch = epoch
        for name in (
            "kind", "title", "peer_id", "dissolved", "member_count", "role", "membership", "large", "max_seq",
            "read_seq", "unread", "mentioned", "peer_received_seq", "peer_read_seq", "active_time", "last_message",
        ):  # fmt: skip
            setattr(self, name, getattr(kept, name))
        self.unread_seq = self.max_seq

    def takes_receipts(self, member_limit: int) -> bool:
        """Whether others are shown what was received here."""
        return self.kind is not ConversationKind.WORLD and not self.large and self.member_count <= member_limit

    def apply_head(self, head: conversation_pb2.Head, me: int) -> None:
        """Take what the server says; of an older moment than what is known here only what cannot be outdated."""
        wire = head.conversation
        rewound = -1 < self.epoch < wire.epoch
        self.epoch = wire.epoch
        self.kind = _KINDS.get(wire.kind, ConversationKind.UNKNOWN)
        self.title = wire.title
        self.peer_id = wire.peer_id
        self.dissolved = wire.status == conversation_pb2.CONVERSATION_STATUS_DISSOLVED
        self.member_count = wire.member_count
        self.role = _convert.role(wire.role)
        self.membership = _convert.membership(wire.state)
        self.large = wire.large or self.kind is ConversationKind.WORLD
        self.active_time = max(self.active_time, wire.active_time)
        self.peer_received_seq = max(self.peer_received_seq, head.peer_received_seq)
        self.peer_read_seq = max(self.peer_read_seq, head.peer_read_seq)
        if rewound:
            self.max_seq = self.unread_seq = 0
            self.read_seq = min(self.read_seq, head.read_seq)
            self.peer_received_seq, self.peer_read_seq = head.peer_received_seq, head.peer_read_seq
        if head.max_seq >= self.unread_seq and head.read_seq >= self.read_seq:
            self.unread = head.unread
            self.mentioned = head.mentioned
            self.read_seq = head.read_seq
            self.unread_seq = head.max_seq
            if head.max_seq >= self.recount_seq:
                self._recounted()
        elif 0 < self.recount_seq <= head.max_seq and head.read_seq >= self.read_seq:
            above = sum(seq > max(head.max_seq, head.read_seq) for seq in self._counted_meanwhile)
            self.unread = min(UNREAD_LIMIT, head.unread + above)
            self.read_seq = head.read_seq
            self._recounted()
        if head.max_seq >= self.max_seq:
            self.max_seq = head.max_seq
            if head.HasField("last_message"):
                self.last_message = _convert.message(head.last_message, me)
                self.count = max(self.count, head.last_message.count)

    def apply_message(self, message: Message, count: int) -> None:
        """An entry was given to the application."""
        seq = message.seq
        if message.kind in _COUNTABLE:
            if seq > self.unread_seq:
                self.unread_seq = seq
                if not message.outgoing and not message.recalled and seq > self.read_seq:
                    self.unread = min(UNREAD_LIMIT, self.unread + 1)
                    if self.recount_seq and len(self._counted_meanwhile) < UNREAD_LIMIT:
                        self._counted_meanwhile.append(seq)
            if self.last_message is None or seq >= self.last_message.seq:
                self.last_message = message
                self.active_time = max(self.active_time, message.server_time)
        if seq > self.max_seq:
            self.max_seq = seq
            self.count = max(self.count, count)

    def recount(self, seq: int) -> None:
        """Unread cannot be known here from `seq` on: a head has to say it, though messages may come before it does."""
        self.recount_seq = seq
        self._counted_meanwhile.clear()

    def apply_notice(self, notice: Notice) -> None:
        """Members came or went; only for entries above what the last head covered."""
        if notice.kind is NoticeKind.ADDED:
            self.member_count += len(notice.user_ids)
        elif notice.kind in {NoticeKind.LEFT, NoticeKind.REMOVED}:
            self.member_count = max(0, self.member_count - len(notice.user_ids))
        elif notice.kind is NoticeKind.DISSOLVED:
            self.dissolved = True
        elif notice.kind is NoticeKind.CREATED and notice.title:
            self.title = notice.title

    def apply_mark(self, max_seq: int, max_count: int) -> None:
        """A large conversation's head moved while it was not on screen."""
        if max_seq <= self.max_seq:
            return
        self.unread = min(UNREAD_LIMIT, self.unread + max(0, max_count - self.count))
        self.max_seq = self.unread_seq = max_seq
        self.count = max_count

    def apply_read(self, read_seq: int) -> bool:
        """Read up to here, on whichever device. Gives whether unread must be asked for."""
        if read_seq <= self.read_seq:
            return False
        self.read_seq = read_seq
        if read_seq >= self.max_seq:
            self.unread = 0
            self.mentioned = False
            return False
        return self.unread > 0

    def apply_receipt(self, user_id: int, received_seq: int, read_seq: int) -> None:
        """The other one of a private chat received or read."""
        if user_id == self.peer_id:
            self.peer_received_seq = max(self.peer_received_seq, received_seq, read_seq)
            self.peer_read_seq = max(self.peer_read_seq, read_seq)

    def _recounted(self) -> None:
        self.recount_seq = 0
        self._counted_meanwhile.clear()


class Directory:
    """All conversations."""

    __slots__ = ("_listings",)

    def __init__(self) -> None:
        self._listings: dict[int, Listing] = {}

    def __iter__(self) -> Iterator[Listing]:
        return iter(self._listings.values())

    def __len__(self) -> int:
        return len(self._listings)

    def find(self, conversation_id: int) -> Listing | None:
        """What is known of it."""
        return self._listings.get(conversation_id)

    def enter(self, conversation_id: int) -> Listing:
        """What is known of it, be it nothing."""
        listing = self._listings.get(conversation_id)
        if listing is None:
            listing = self._listings[conversation_id] = Listing(conversation_id)
        return listing

    def remove(self, conversation_id: int) -> None:
        """It is not ours, or never was."""
        self._listings.pop(conversation_id, None)

    def ids(self) -> set[int]:
        """All conversations."""
        return set(self._listings)
