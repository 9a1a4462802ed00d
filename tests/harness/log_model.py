"""A group's log as a list in memory: what a reader may see, how it reads now, and how much of it is unread."""

from dataclasses import dataclass, field
from enum import Enum

COUNTED_UP_TO = 100


class Kind(Enum):
    """What an entry is."""

    TEXT = "text"
    NOTICE = "notice"
    EDIT = "edit"
    RECALL = "recall"


@dataclass(slots=True)
class Entry:
    """An entry; its seq is its place in the list, from 1."""

    kind: Kind
    sender_id: int
    text: str = ""
    target: int = 0
    client_message_id: str = ""


@dataclass(slots=True)
class GroupModel:
    """A group."""

    entries: list[Entry] = field(default_factory=list)
    windows: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """(first, last) visible seqs of each stay by user; last 0: still in."""
    read: dict[int, int] = field(default_factory=dict)

    @property
    def head(self) -> int:
        """The last seq."""
        return len(self.entries)

    def append(self, entry: Entry, seq: int) -> None:
        """The entry came, and the server says that this is its place."""
        assert seq == self.head + 1, f"the server gave seq {seq} after {self.head}"
        self.entries.append(entry)

    def is_in(self, user_id: int) -> bool:
        """Whether a user is a member."""
        stays = self.windows.get(user_id, [])
        return bool(stays) and not stays[-1][1]

    def join(self, user_id: int) -> None:
        """Somebody came with the last entry, and has read all before."""
        self.windows.setdefault(user_id, []).append((self.head, 0))

    def leave(self, user_id: int) -> None:
        """Somebody went with the last entry, which is the last they see."""
        first, _ = self.windows[user_id][-1]
        self.windows[user_id][-1] = (first, self.head)

    def sees(self, user_id: int, seq: int) -> bool:
        """Whether an entry lies in a user's windows."""
        return any(first <= seq <= (last or self.head) for first, last in self.windows.get(user_id, ()))

    def visible(self, user_id: int) -> list[int]:
        """The seqs in a user's windows."""
        return [seq for seq in range(1, self.head + 1) if self.sees(user_id, seq)]

    def mark_read(self, user_id: int, seq: int) -> int:
        """Move the cursor to the last visible seq at or below `seq`, never back; gives where it is."""
        reach = max((one for one in self.visible(user_id) if one <= seq), default=0)
        self.read[user_id] = max(self.read.get(user_id, 0), reach)
        return self.read[user_id]

    def is_recalled(self, seq: int) -> bool:
        """Whether an entry was taken back."""
        return any(entry.kind is Kind.RECALL and entry.target == seq for entry in self.entries)

    def unread(self, user_id: int) -> int:
        """What a recount gives: visible texts of others behind the cursor that were not taken back."""
        count = sum(
            entry.kind is Kind.TEXT and entry.sender_id != user_id and not self.is_recalled(seq)
            for seq, entry in enumerate(self.entries, start=1)
            if seq > self.read.get(user_id, 0) and self.sees(user_id, seq)
        )
        return min(count, COUNTED_UP_TO)

    def readings(self, user_id: int, seq: int) -> set[str | None]:
        """What a text may read as to a user in the end; None: taken back.

        An edit outside of the windows is not for this reader. A recall takes back for everybody, but only who sees it is
        told of it; others find the message blank when they read it again.
        """
        text: str | None = self.entries[seq - 1].text
        found: set[str | None] = set()
        for place, entry in enumerate(self.entries, start=1):
            if entry.target == seq and entry.kind is Kind.EDIT and self.sees(user_id, place):
                text = entry.text
            elif entry.target == seq and entry.kind is Kind.RECALL:
                if self.sees(user_id, place):
                    return {None}
                found.add(None)
        return {*found, text}
