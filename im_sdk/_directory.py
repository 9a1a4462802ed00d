"""The list of conversations, kept up to date from heads, entries, receipts and account events.

What is unread has a rule of its own (`_unread.py`).
"""

from collections.abc import Iterator
from typing import Final

from im_proto.v1 import conversation_pb2
from im_sdk import _convert
from im_sdk._models import Conversation, ConversationKind, Membership, Message, MessageKind, Notice, NoticeKind, Role
from im_sdk._unread import Unread

_KINDS: Final = {int(kind): kind for kind in ConversationKind}
_COUNTABLE: Final = frozenset({MessageKind.TEXT, MessageKind.CUSTOM})


class Listing:
    """What is known of one conversation."""

    __slots__ = (
        "active_time", "conversation_id", "count", "dissolved", "epoch", "kind", "large", "last_message", "max_seq",
        "member_count", "membership", "mentioned", "peer_id", "peer_read_seq", "peer_received_seq", "role", "title",
        "unread",
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
        self.unread = Unread()
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
            read_seq=self.unread.read_seq,
            unread=self.unread.count,
            unread_settled=self.unread.settled,
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
            "mentioned", "peer_received_seq", "peer_read_seq", "active_time", "last_message",
        ):  # fmt: skip
            setattr(self, name, getattr(kept, name))
        self.unread.restore(
            count=kept.unread, max_seq=kept.max_seq, read_seq=kept.read_seq, settled=kept.unread_settled
        )

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
            self.max_seq = 0
            self.unread.rewind(read_seq=head.read_seq)
            self.peer_received_seq, self.peer_read_seq = head.peer_received_seq, head.peer_read_seq
        self.unread.told(head.unread, max_seq=head.max_seq, read_seq=head.read_seq)
        if head.max_seq >= self.max_seq:
            self.max_seq = head.max_seq
            self.mentioned = head.mentioned and head.read_seq >= self.unread.read_seq
            if head.HasField("last_message"):
                self.last_message = _convert.message(head.last_message, me)
                self.count = max(self.count, head.last_message.count)

    def apply_message(self, message: Message, count: int) -> None:
        """An entry was given to the application."""
        seq = message.seq
        if message.kind in _COUNTABLE:
            if not message.outgoing and not message.recalled:
                self.unread.came(seq)
            if self.last_message is None or seq >= self.last_message.seq:
                self.last_message = message
                self.active_time = max(self.active_time, message.server_time)
        if seq > self.max_seq:
            self.max_seq = seq
            self.count = max(self.count, count)

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
        self.unread.mark(max(0, max_count - self.count), max_seq=max_seq)
        self.max_seq = max_seq
        self.count = max_count

    def apply_read(self, read_seq: int) -> None:
        """Read up to here, on whichever device."""
        if read_seq > self.unread.read_seq:
            self.unread.read(read_seq)
            if read_seq >= self.max_seq:
                self.mentioned = False

    def apply_receipt(self, user_id: int, received_seq: int, read_seq: int) -> None:
        """The other one of a private chat received or read."""
        if user_id == self.peer_id:
            self.peer_received_seq = max(self.peer_received_seq, received_seq, read_seq)
            self.peer_read_seq = max(self.peer_read_seq, read_seq)


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
