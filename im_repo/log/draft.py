"""An entry to be appended and what came of it, as plain values: what the rules and units of this room speak."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from im_infra.errors import ImError


class Guards(NamedTuple):
    """What must hold under the lock; see im.repo.v1.Guards."""

    min_gap_ms: int = 0
    target_unrecalled: bool = False
    target_sender_id: int = 0
    target_max_age_ms: int = 0
    target_types: Sequence[int] = ()
    max_members: int = 0
    sender_min_role: int = 0
    subject_max_role: int = 0

    @property
    def ask_target(self) -> bool:
        """Whether one of them is about the target."""
        return bool(self.target_unrecalled or self.target_sender_id or self.target_max_age_ms or self.target_types)


class MemberChange(NamedTuple):
    """One member's change, asked or made."""

    user_id: int
    state: int  # a value of im.v1.MemberState
    role: int = 0  # a value of im.v1.MemberRole; 0: unchanged, or member when coming in
    muted_until_time: int = -1  # -1: unchanged
    pts: int = 0  # of the account event it wrote; 0: none


class Effects(NamedTuple):
    """What happens in the transaction of the append; see im.repo.v1.Effects."""

    blank_target: bool = False
    edit_target: bool = False
    members: Sequence[MemberChange] = ()
    dissolve: bool = False
    hand_on_ownership: bool = False
    whole_history: bool = False


class Draft(NamedTuple):
    """An entry to be appended."""

    conversation_id: int
    sender_id: int  # 0: the server
    client_message_id: bytes
    digest: bytes
    type: int  # a value of im.v1.MessageType
    ref_seq: int
    countable: bool
    body: bytes
    deny_version: int  # 0: decide without the fence
    seen_seq: int = 0  # the sender read up to here; 0: not said
    guards: Guards | None = None
    effects: Effects | None = None


@dataclass(slots=True)
class FirstAck:
    """What an earlier append of the same identity answered."""

    digest: bytes
    seq: int
    count: int
    message_id: int
    server_time: int


class Target(NamedTuple):
    """The entry that another one is about."""

    sender_id: int
    type: int
    flags: int
    server_time: int


@dataclass(slots=True)
class Stored:
    """The entry is in the log, now or since an earlier append of the same id."""

    conversation_id: int
    seq: int
    count: int
    message_id: int
    server_time: int
    member_version: int
    deny_version: int
    fanout: int
    epoch: int
    duplicate: bool = False
    previous_fanout: int = 0
    changed: Sequence[MemberChange] = ()


class Recheck(NamedTuple):
    """Decided under an old deny_version; nothing was stored."""

    conversation_id: int
    member_version: int
    deny_version: int
    epoch: int


Outcome = Stored | Recheck | ImError
"""What became of one draft; an ImError refuses it alone."""


class Place(NamedTuple):
    """A member row."""

    role: int
    state: int
    muted_until_time: int
    joined_time: int


class Range(NamedTuple):
    """Entries of one conversation that were committed in one batch and fan out the same way."""

    conversation_id: int
    from_seq: int
    to_seq: int
    fanout: int  # 1 small, 2 large
