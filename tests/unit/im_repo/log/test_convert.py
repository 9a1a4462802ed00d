"""Between the contract and the room."""

from im_proto.repo.v1 import stream_pb2 as pb
from im_repo.log import convert
from im_repo.log.draft import Draft, Effects, Guards, MemberChange, Recheck, Stored

ITEM = pb.AppendItem(
    conversation_id=1, sender_id=2, client_message_id=b"c", digest=b"d", type=3, ref_seq=4, countable=True, body=b"b",
    deny_version=5,
)  # fmt: skip
STORED = Stored(1, 2, 3, 4, 5, 6, 7, 1, 9)


def test_a_plain_item_has_neither_guards_nor_effects() -> None:
    assert convert.to_draft(ITEM) == Draft(1, 2, b"c", b"d", 3, 4, True, b"b", 5)


def test_a_seen_seq_alone_is_no_effect() -> None:
    item = pb.AppendItem(effects=pb.Effects(sender_seen_seq=9))
    assert (convert.to_draft(item).seen_seq, convert.to_draft(item).effects) == (9, None)


def test_everything_said_arrives() -> None:
    item = pb.AppendItem()
    item.CopyFrom(ITEM)
    item.guards.CopyFrom(
        pb.Guards(
            min_gap_ms=1,
            target_unrecalled=True,
            target_sender_id=2,
            target_max_age_ms=3,
            target_types=[4, 5],
            max_members=6,
            sender_min_role=2,
            subject_max_role=1,
        )
    )
    item.effects.CopyFrom(
        pb.Effects(
            blank_target=True,
            edit_target=True,
            dissolve=True,
            hand_on_ownership=True,
            whole_history=True,
            members=[pb.MemberEffect(user_id=7, state=1, role=2, muted_until_time=-1)],
        )
    )
    draft = convert.to_draft(item)
    assert draft.guards == Guards(1, True, 2, 3, (4, 5), 6, 2, 1)
    assert draft.effects == Effects(True, True, (MemberChange(7, 1, 2, -1),), True, True, True)


def test_an_ack_is_whole() -> None:
    STORED.changed = [MemberChange(8, 1, 2, 0, 11)]
    result = pb.RepoResponse.FromString(convert.stored_response(STORED, 77)).append
    STORED.changed = ()
    assert (result.status, result.seq, result.count, result.message_id, result.server_time) == (1, 2, 3, 4, 5)
    assert (result.member_version, result.deny_version, result.fanout, result.epoch, result.outbox_id) == (
        6,
        7,
        1,
        9,
        77,
    )
    assert [(one.user_id, one.pts) for one in result.changed] == [(8, 11)]


def test_a_duplicate_has_no_row() -> None:
    duplicate = Stored(1, 2, 3, 4, 5, 6, 7, 1, 9, duplicate=True, previous_fanout=2)
    result = pb.RepoResponse.FromString(convert.stored_response(duplicate, 77)).append
    assert (result.status, result.outbox_id, result.previous_fanout) == (2, 0, 2)


def test_rechecks_and_lookups() -> None:
    result = pb.RepoResponse.FromString(convert.recheck_response(Recheck(1, 6, 7, 9))).append
    assert (result.status, result.conversation_id, result.deny_version, result.seq) == (3, 1, 7, 0)
    assert pb.RepoResponse.FromString(convert.found_response(None, 1)).found.status == 4
    assert pb.RepoResponse.FromString(convert.found_response(STORED, 1)).found.seq == 2
