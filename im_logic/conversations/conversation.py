"""A conversation's state as decisions need it: plain values."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class ConversationKind(IntEnum):
    """The kinds, with the numbers of `im.v1.ConversationKind`."""

    DIRECT = 1
    GROUP = 2
    WORLD = 3


class Role(IntEnum):
    """The roles, with the numbers of `im.v1.MemberRole`; 0 is none."""

    NONE = 0
    MEMBER = 1
    ADMIN = 2
    OWNER = 3


class Membership(IntEnum):
    """In or out, with the numbers of `im.v1.MemberState`; 0 is never."""

    NEVER = 0
    IN = 1
    LEFT = 2
    REMOVED = 3
    BANNED = 4


FANOUT_SMALL: Final = 1
"""Logic resolves the members of each entry."""
FANOUT_LARGE: Final = 2
"""Gateways keep who is interested; entries go over the bus."""

STATUS_OPEN: Final = 1
STATUS_DISSOLVED: Final = 2


# An enum's member costs a lookup through its class each time; the message path compares with these.
_WORLD: Final = int(ConversationKind.WORLD)


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody's place in a conversation, in or out."""

    user_id: int
    role: int = Role.NONE
    state: int = Membership.NEVER
    muted_until_time: int = 0
    windows: tuple[tuple[int, int], ...] = ()
    """What may be seen: first and last seq of each stay, both included; last 0 is still open."""

    def sees(self, seq: int) -> bool:
        """Whether an entry lies in one of the windows."""
        return any(first <= seq and (not last or seq <= last) for first, last in self.windows)


@dataclass(slots=True)
class Conversation:
    """A conversation as the cache keeps it. Read only: a change makes another one."""

    conversation_id: int
    kind: int
    status: int
    fanout: int
    epoch: int
    member_version: int
    deny_version: int
    member_count: int
    max_seq: int
    """The head when it was loaded: a lower bound, no more."""
    min_seq: int
    title: str
    slow_mode_ms: int
    places: dict[int, Place]
    """By user id. Complete: everybody who is in, and who went out lately. Exceptions listed: whose place in the world room
    differs. Otherwise: those that were asked for."""
    complete: bool
    exceptions_listed: bool
    asked_at: float
    """Monotonic seconds at which the load began: what was committed before is in it."""
    present: tuple[int, ...]
    """Those with an open window."""
    steady_from: int
    """From this seq on, exactly those of `present` see an entry: no window opens, and none ends, at or behind it."""

    @property
    def small(self) -> bool:
        """Whether logic itself resolves who receives."""
        return self.fanout == FANOUT_SMALL

    @property
    def knows_all(self) -> bool:
        """Whether `place` can be answered from here for everybody."""
        return self.complete or self.exceptions_listed

    def place(self, user_id: int) -> Place:
        """The user's place; in the world room no row means in, from the beginning."""
        place = self.places.get(user_id)
        if place is not None and place.state:
            return place
        if self.kind == _WORLD:
            return Place(user_id, Role.MEMBER, Membership.IN, 0, ((self.min_seq or 1, 0),))
        return place or Place(user_id)

    def knows(self, user_id: int) -> bool:
        """Whether `place` can be answered from here."""
        return self.knows_all or user_id in self.places

    def others_in(self, user_id: int) -> list[int]:
        """Who is in besides this user; needs a complete state."""
        return [
            place.user_id for place in self.places.values() if place.state == Membership.IN and place.user_id != user_id
        ]
