"""How each case is asked, and what an answer may show."""

from collections.abc import Callable
from typing import Any, Final

from im_proto.v1.conversation_pb2 import (
    MEMBER_STATE_BANNED,
    MEMBER_STATE_IN,
    MEMBER_STATE_LEFT,
    MEMBER_STATE_REMOVED,
    Head,
)
from im_proto.v1.frame_pb2 import ServerFrame
from tests.integration.access.scenes import Scene
from tests.support.ids import uuid7

FAR: Final = str(1 << 40)
"""A seq beyond any log."""
STRANGERS: Final = frozenset({"never", "direct_never", "nowhere"})
_STATES: Final = {
    "left": MEMBER_STATE_LEFT,
    "removed": MEMBER_STATE_REMOVED,
    "banned": MEMBER_STATE_BANNED,
    "world_banned": MEMBER_STATE_BANNED,
}
_TEXT: Final = {"text": "words"}

Fields = dict[str, Any]


def _in(scene: Scene, **more: Any) -> Fields:
    return {"conversation_id": str(scene.conversation_id), **more}


def _once(scene: Scene, **more: Any) -> Fields:
    return _in(scene, operation_id=uuid7(), **more)


def _send(scene: Scene, **more: Any) -> Fields:
    return _in(scene, client_message_id=uuid7(), content={"text": _TEXT}, **more)


def _hidden(scene: Scene) -> str:
    return str(max(scene.hidden))


ASK: Final[dict[str, Callable[[Scene], Fields]]] = {
    "send": _send,
    "send/reply_hidden": lambda scene: _send(scene, ref_seq=_hidden(scene)),
    "edit_message": lambda scene: _once(scene, seq=str(scene.own_seq), text=_TEXT),
    "edit_message/others": lambda scene: _once(scene, seq=str(scene.host_seq), text=_TEXT),
    "edit_message/hidden": lambda scene: _once(scene, seq=_hidden(scene), text=_TEXT),
    "recall_message": lambda scene: _once(scene, seq=str(scene.own_seq)),
    "recall_message/others": lambda scene: _once(scene, seq=str(scene.host_seq)),
    "recall_message/hidden": lambda scene: _once(scene, seq=_hidden(scene)),
    "typing": _in,
    "pull": lambda scene: _in(scene, limit=200),
    "get_messages": lambda scene: _in(scene, seqs=[str(scene.host_seq)]),
    "get_messages/hidden": lambda scene: _in(scene, seqs=[_hidden(scene)]),
    "get_conversation": _in,
    "list_members": _in,
    "list_conversations": lambda _scene: {"page_size": 200},
    "sync": lambda scene: {"open": [_in(scene)], "page_size": 200},
    "view": lambda scene: {"conversation_ids": [str(scene.conversation_id)]},
    "ack_received": lambda scene: {"cursors": [_in(scene, seq=FAR)]},
    "mark_read": lambda scene: _in(scene, seq=FAR),
    "add_members": lambda scene: _once(scene, user_ids=[str(scene.stranger.user_id)]),
    "remove_member": lambda scene: _once(scene, user_id=str(scene.other.user_id)),
    "leave_group": _once,
    "dissolve_group": _once,
    "hello": lambda scene: {"access_token": scene.subject.access_token},
    "ping": lambda _scene: {},
    "refresh": lambda scene: {"access_token": scene.subject.access_token},
    "refresh/others": lambda scene: {"access_token": scene.stranger.access_token},
    "open_direct": lambda scene: {"user_id": str(scene.stranger.user_id)},
    "open_direct/nobody": lambda _scene: {"user_id": FAR},
    "create_group": lambda _scene: {"title": "Tea", "operation_id": uuid7()},
    "create_group/with_guest": lambda scene: {
        "title": "Tea", "operation_id": uuid7(), "user_ids": [str(scene.other.user_id)],
    },
    "get_users": lambda scene: {"user_ids": [str(scene.stranger.user_id)]},
    "find_user": lambda scene: {"handle": scene.stranger.handle},
}  # fmt: skip

WRITES: Final = (
    "send",
    "send/reply_hidden",
    "edit_message/others",
    "edit_message/hidden",
    "edit_message",
    "recall_message/hidden",
    "recall_message",
    "recall_message/others",
    "add_members",
    "remove_member",
    "leave_group",
    "dissolve_group",
)
"""In an order in which none spoils what the next one needs; where one of the last two succeeds it has a scene for itself."""
ENDINGS: Final = ("leave_group", "dissolve_group")


def may_show(case: str, scene: Scene, frame: ServerFrame) -> None:
    """Assert that a good answer shows all that the subject may see and nothing else."""
    match case:
        case "pull":
            _check_pull(scene, frame)
        case "get_messages":
            assert [message.seq for message in frame.get_messages.messages] == [scene.host_seq]
            assert frame.get_messages.messages[0].HasField("content")
        case "get_messages/hidden":
            assert not frame.get_messages.messages
        case "get_conversation":
            _check_head(scene, frame.get_conversation.head)
        case "sync":
            _check_heads(scene, list(frame.sync.heads), listed=True)
        case "list_conversations":
            _check_heads(scene, list(frame.list_conversations.heads), listed=not scene.relation.startswith("world"))
        case "list_members":
            ids = {member.user_id for member in frame.list_members.members}
            assert {scene.subject.user_id, scene.host.user_id} <= ids
        case "mark_read":
            assert frame.mark_read.read_seq >= max(scene.visible)
            assert scene.in_world or frame.mark_read.read_seq == max(scene.visible)


def _check_pull(scene: Scene, frame: ServerFrame) -> None:
    seqs = {message.seq for message in frame.pull.messages}
    last = max(scene.visible)
    if scene.relation.startswith("world"):  # as many as fit in a page
        assert seqs == set(range(min(seqs), max(seqs) + 1))
        assert last in seqs
    else:
        assert seqs == scene.visible
    if not scene.in_world:
        assert seqs <= scene.visible
        assert frame.pull.max_seq == last


def _check_heads(scene: Scene, heads: list[Head], *, listed: bool) -> None:
    found = [head for head in heads if head.conversation.conversation_id == scene.conversation_id]
    if scene.relation in STRANGERS:
        assert not found
        return
    if listed:
        assert len(found) == 1
    for head in found:
        _check_head(scene, head)


def _check_head(scene: Scene, head: Head) -> None:
    last = max(scene.visible)
    assert head.max_seq >= last if scene.in_world else head.max_seq == last
    assert head.last_message.seq in scene.visible or scene.in_world
    state = _STATES.get(scene.relation, MEMBER_STATE_IN)
    assert head.conversation.state == state
    if state != MEMBER_STATE_IN:
        assert head.unread == 0
        assert head.conversation.member_count == 0, "how many are in is nobody's business who is out"
        assert head.conversation.active_time <= head.last_message.server_time, "when others wrote is not, either"
