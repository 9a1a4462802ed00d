"""Between the contract's messages and this room's values. Called for each message sent: attributes are read once."""

from im_proto.repo.v1 import stream_pb2
from im_repo.log.draft import Draft, Effects, Guards, MemberChange, Recheck, Stored


def to_draft(item: stream_pb2.AppendItem) -> Draft:
    """The draft that an item asks to append."""
    seen_seq = 0
    effects = None
    if item.HasField("effects"):
        said = item.effects
        seen_seq = said.sender_seen_seq
        effects = _to_effects(said)
    return Draft(
        item.conversation_id,
        item.sender_id,
        item.client_message_id,
        item.digest,
        item.type,
        item.ref_seq,
        item.countable,
        item.body,
        item.deny_version,
        seen_seq,
        _to_guards(item.guards) if item.HasField("guards") else None,
        effects,
    )


def stored_response(stored: Stored, outbox_id: int) -> bytes:
    """The serialised RepoResponse for an entry that is in the log; a duplicate is guarded by no row of ours."""
    response = stream_pb2.RepoResponse()
    _fill(response.append, stored, outbox_id)
    return response.SerializeToString()


def found_response(stored: Stored | None, conversation_id: int) -> bytes:
    """The serialised RepoResponse to FindAppend; None: there is no such append."""
    response = stream_pb2.RepoResponse()
    if stored is None:
        response.found.status = stream_pb2.APPEND_STATUS_ABSENT
        response.found.conversation_id = conversation_id
    else:
        _fill(response.found, stored, 0)
    return response.SerializeToString()


def recheck_response(recheck: Recheck) -> bytes:
    """The serialised RepoResponse for a draft that was decided under an old deny_version."""
    response = stream_pb2.RepoResponse()
    result = response.append
    result.status = stream_pb2.APPEND_STATUS_RECHECK
    result.conversation_id = recheck.conversation_id
    result.member_version = recheck.member_version
    result.deny_version = recheck.deny_version
    result.epoch = recheck.epoch
    return response.SerializeToString()


def to_member_effect(change: MemberChange) -> stream_pb2.MemberEffect:
    """The change as the contract writes it."""
    return stream_pb2.MemberEffect(
        user_id=change.user_id,
        state=change.state,
        role=change.role,
        muted_until_time=change.muted_until_time,
        pts=change.pts,
    )


def _fill(result: stream_pb2.AppendResult, stored: Stored, outbox_id: int) -> None:
    result.status = stream_pb2.APPEND_STATUS_DUPLICATE if stored.duplicate else stream_pb2.APPEND_STATUS_STORED
    result.conversation_id = stored.conversation_id
    result.seq = stored.seq
    result.count = stored.count
    result.message_id = stored.message_id
    result.server_time = stored.server_time
    result.outbox_id = 0 if stored.duplicate else outbox_id
    result.member_version = stored.member_version
    result.deny_version = stored.deny_version
    result.fanout = stored.fanout
    result.epoch = stored.epoch
    if stored.previous_fanout:
        result.previous_fanout = stored.previous_fanout
    if stored.changed:
        result.changed.extend(to_member_effect(change) for change in stored.changed)


def _to_guards(said: stream_pb2.Guards) -> Guards:
    return Guards(
        min_gap_ms=said.min_gap_ms,
        target_unrecalled=said.target_unrecalled,
        target_sender_id=said.target_sender_id,
        target_max_age_ms=said.target_max_age_ms,
        target_types=tuple(said.target_types),
        max_members=said.max_members,
        sender_min_role=said.sender_min_role,
        subject_max_role=said.subject_max_role,
    )


def _to_effects(said: stream_pb2.Effects) -> Effects | None:
    """None where the sender's cursor is all that moves, as with nearly every message."""
    changes = said.blank_target or said.edit_target or said.dissolve or said.hand_on_ownership
    if not (changes or said.members):
        return None
    return Effects(
        blank_target=said.blank_target,
        edit_target=said.edit_target,
        members=tuple(MemberChange(one.user_id, one.state, one.role, one.muted_until_time) for one in said.members),
        dissolve=said.dissolve,
        hand_on_ownership=said.hand_on_ownership,
        whole_history=said.whole_history,
    )
