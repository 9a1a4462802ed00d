"""What notices say about members: the one kind of body that this room looks into."""

from im_proto.v1.message_pb2 import Content, MembersChange
from im_repo.log.draft import MemberChange
from im_repo.log.values import STATE_IN, STATE_LEFT, STATE_REMOVED

_STATES = {"created": STATE_IN, "added": STATE_IN, "left": STATE_LEFT, "removed": STATE_REMOVED}


def with_owner(body: bytes, owner_id: int) -> bytes:
    """The notice with the owner that was found under the lock; other bodies as they are."""
    content = Content.FromString(body)
    change = _members_change(content)
    if change is None:
        return body
    change[1].owner_id = owner_id
    return content.SerializeToString()


def changes_of(body: bytes) -> list[MemberChange]:
    """The member changes that a notice tells; none for other bodies."""
    change = _members_change(Content.FromString(body))
    if change is None:
        return []
    kind, said = change
    return [MemberChange(user_id, _STATES[kind]) for user_id in said.user_ids]


def _members_change(content: Content) -> tuple[str, MembersChange] | None:
    kind = content.notice.WhichOneof("change") if content.WhichOneof("body") == "notice" else None
    if kind is None or kind == "dissolved":
        return None
    said: MembersChange = getattr(content.notice, kind)
    return kind, said
