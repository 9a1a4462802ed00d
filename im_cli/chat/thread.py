"""One conversation's messages as they are on screen: each once, at its place, in its newest state."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from im_sdk import ChangeKind, Message, MessageChanged, SentMessage


class Loaded(Enum):
    """How much of the history is here."""

    NOTHING = auto()
    """Never opened; what comes is left to the history."""
    LOADING = auto()
    """The newest page is on its way; what comes meanwhile is kept."""
    PARTLY = auto()
    """Older ones can be asked for."""
    WHOLLY = auto()
    """It begins here."""


@dataclass(slots=True)
class Pending:
    """A message of this window that the server has not taken yet."""

    number: int
    text: str
    time_ms: int
    reply_to: int = 0
    failure: str = ""
    """Why it was refused, in words; empty while it waits."""
    settled_seq: int = 0
    """The server has it, there; it stays until the log shows it. 0: not yet."""
    shown_seq: int = 0
    """The log shows it already, there, though its acknowledgement is not in yet. 0: not."""


class Thread:
    """A conversation's messages.

    Args:
        conversation_id: of which.
    """

    def __init__(self, conversation_id: int) -> None:
        self.conversation_id = conversation_id
        self.loaded = Loaded.NOTHING
        self.fresh = False
        """The server's newest page is in; events keep it so."""
        self.fetching = False
        """A page is on its way."""
        self.new_from_seq = 0
        """Entries above this one were unread when the conversation was opened; 0: none were."""
        self.version = 0
        """Grows with each change."""
        self.pending: list[Pending] = []
        self._messages: dict[int, Message] = {}
        self._order: list[int] | None = None
        self._last_number = 0

    def __len__(self) -> int:
        return len(self._messages)

    def messages(self) -> list[Message]:
        """Ascending."""
        if self._order is None:
            self._order = sorted(self._messages)
        return [self._messages[seq] for seq in self._order]

    def find(self, seq: int) -> Message | None:
        """One of them."""
        return self._messages.get(seq)

    @property
    def oldest_seq(self) -> int | None:
        """Where older ones are asked from; None: from the head."""
        return min(self._messages) if self._messages else None

    def take(self, message: Message) -> None:
        """A message from the log, the history or the store; an older state than the one here is dropped."""
        known = self._messages.get(message.seq)
        if known is not None and (known.changed_seq > message.changed_seq or known == message):
            return
        self._messages[message.seq] = message
        if known is None:
            self._order = None
        self.version += 1

    def take_own(self, message: Message) -> None:
        """A message of this account came: the waiting line that says the same is not shown besides it."""
        settled = next((each for each in self.pending if each.settled_seq == message.seq), None)
        if settled is not None:
            self.drop(settled)
        else:
            for pending in self.pending:
                if not (pending.shown_seq or pending.settled_seq or pending.failure) and pending.text == message.text:
                    pending.shown_seq = message.seq
                    break
        self.take(message)

    def change(self, change: MessageChanged) -> None:
        """An edit or a recall."""
        known = self._messages.get(change.seq)
        if known is None or known.changed_seq >= change.entry_seq:
            return
        if change.change is ChangeKind.RECALLED:
            fresh = replace(known, text=None, mentions=(), custom=None, recalled=True, changed_seq=change.entry_seq)
        else:
            fresh = replace(
                known, text=change.text, mentions=(), edit_time=change.server_time, changed_seq=change.entry_seq
            )
        self._messages[change.seq] = fresh
        self.version += 1

    def rewind(self, rewind_seq: int) -> None:
        """The server lost what is above."""
        self._messages = {seq: message for seq, message in self._messages.items() if seq <= rewind_seq}
        self._order = None
        self.version += 1

    def restart(self) -> None:
        """Forget the log: it is read anew, since what is here would have a hole."""
        self._messages.clear()
        self._order = None
        self.loaded = Loaded.NOTHING
        self.fresh = False
        self.version += 1

    def drop_below(self, seq: int) -> None:
        """Forget what is older: it may have a hole to what is newer."""
        self._messages = {key: message for key, message in self._messages.items() if key >= seq}
        self._order = None
        self.version += 1

    # what this window sends

    def add(self, text: str, *, time_ms: int, reply_to: int = 0) -> Pending:
        """A message starts on its way."""
        self._last_number += 1
        pending = Pending(self._last_number, text, time_ms, reply_to)
        self.pending.append(pending)
        self.version += 1
        return pending

    def settle(self, pending: Pending, sent: SentMessage) -> None:
        """The server has it. Until the log shows it, its line stays."""
        if self.loaded is Loaded.NOTHING or sent.seq in self._messages:
            self.drop(pending)
            return
        pending.settled_seq = sent.seq
        pending.shown_seq = 0
        pending.time_ms = sent.server_time
        self.version += 1

    def waiting(self) -> list[Pending]:
        """The lines that the log does not show, in order."""
        return [pending for pending in self.pending if not pending.shown_seq]

    def fail(self, pending: Pending, reason: str) -> None:
        """It was refused; it stays, to be sent again or dropped by a person."""
        pending.failure = reason
        pending.shown_seq = 0
        self.version += 1

    def drop(self, pending: Pending) -> None:
        """It is not waiting any more."""
        if pending in self.pending:
            self.pending.remove(pending)
        self.version += 1

    def last_editable(self) -> Message | None:
        """The newest own text."""
        for message in reversed(self.messages()):
            if message.outgoing and message.text is not None and not message.recalled:
                return message
        return None
