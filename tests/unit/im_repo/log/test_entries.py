"""Entries for fan-out."""

from typing import Any

from sqlalchemy import Connection, update

from im_proto.v1.message_pb2 import MESSAGE_TYPE_RECALL, Content, MembersChange, Notice
from im_repo.log.draft import Effects, MemberChange
from im_repo.log.entries import read_entries
from im_repo.schema import CONVERSATION

LOG = 70


def test_entries_lie_as_they_are(connection: Connection, seed: Any) -> None:
    seed.conversation(LOG, 1)
    for word in ("one", "two", "three"):
        seed.say(LOG, 1, word)
    connection.execute(update(CONVERSATION).values(epoch=3, member_version=7))
    found = read_entries(connection, LOG, from_seq=2, to_seq=9)
    assert [Content.FromString(entry.body).text.text for entry in found.entries] == ["two", "three"]
    assert (found.epoch, found.member_version, found.entries[0].member_version) == (3, 7, 0)


def test_what_was_recalled_says_nothing(connection: Connection, seed: Any) -> None:
    seed.conversation(LOG, 1)
    seed.say(LOG, 1)
    seed.say(LOG, 1, type=MESSAGE_TYPE_RECALL, ref_seq=1)
    entry = read_entries(connection, LOG, from_seq=1, to_seq=1).entries[0]
    assert (entry.body, entry.recalled, entry.changed_seq) == (b"", True, 2)


def test_notices_tell_what_they_did(connection: Connection, seed: Any, store: Any, draft: Any) -> None:
    seed.conversation(LOG, 1)
    notice = Content(notice=Notice(added=MembersChange(actor_id=1, user_ids=[4])))
    effects = Effects(members=[MemberChange(4, 1)])
    store(draft(LOG, 1, type=3, countable=False, body=notice.SerializeToString(), effects=effects))
    entry = read_entries(connection, LOG, from_seq=1, to_seq=1).entries[0]
    assert [(change.user_id, change.state) for change in entry.changed] == [(4, 1)]
    assert entry.member_version == 2


def test_an_unknown_conversation_has_none(connection: Connection) -> None:
    assert not read_entries(connection, 999, from_seq=1, to_seq=9).entries
