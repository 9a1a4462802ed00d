"""Entries as a reader may see them now."""

from typing import Any

import pytest
from sqlalchemy import Connection

from im_proto.v1.message_pb2 import MESSAGE_TYPE_EDIT, MESSAGE_TYPE_RECALL, Content
from im_repo.log.read_range import RangeQuery, read_range

LOG = 70


@pytest.fixture
def look(connection: Connection, seed: Any) -> Any:
    seed.conversation(LOG, 1, 2)
    return lambda user_id=1: {entry.seq: entry for entry in read_range(connection, RangeQuery(LOG, user_id)).entries}


def text(entry: Any) -> Any:
    return Content.FromString(entry.body).text.text


def test_the_newest_edit_is_the_text(seed: Any, look: Any) -> None:
    seed.say(LOG, 1, "one")
    seed.say(LOG, 1, "two", type=MESSAGE_TYPE_EDIT, ref_seq=1, now=5)
    seed.say(LOG, 1, "three", type=MESSAGE_TYPE_EDIT, ref_seq=1, now=6)
    entry = look()[1]
    assert (text(entry), entry.edit_time, entry.changed_seq, entry.recalled) == ("three", 6, 3, False)
    assert Content.FromString(look()[2].body).edit.text == "two"


def test_who_left_sees_the_newest_edit_of_their_stay(seed: Any, look: Any) -> None:
    seed.say(LOG, 1, "one")
    seed.say(LOG, 1, "two", type=MESSAGE_TYPE_EDIT, ref_seq=1, now=5)
    seed.say(LOG, 1, "three", type=MESSAGE_TYPE_EDIT, ref_seq=1, now=6)
    seed.member(LOG, 2, (1, 2), state=2)
    assert (text(look(2)[1]), look(2)[1].edit_time, look(2)[1].changed_seq) == ("two", 5, 2)
    seed.member(LOG, 2, (1, 1), state=2)
    assert (text(look(2)[1]), look(2)[1].edit_time, look(2)[1].changed_seq) == ("one", 0, 0)


def test_a_recall_takes_the_body_away_for_everybody(seed: Any, look: Any) -> None:
    seed.say(LOG, 1, "one")
    seed.say(LOG, 1, "two", type=MESSAGE_TYPE_EDIT, ref_seq=1)
    seed.say(LOG, 1, type=MESSAGE_TYPE_RECALL, ref_seq=1)
    seed.member(LOG, 2, (1, 2), state=2)
    for entry in (look()[1], look(2)[1]):
        assert (entry.body, entry.recalled, entry.changed_seq, entry.edit_time) == (b"", True, 3, 0)


def test_what_is_about_something_out_of_sight_comes_bare(seed: Any, look: Any) -> None:
    seed.say(LOG, 1, "before")
    seed.say(LOG, 1, "edited", type=MESSAGE_TYPE_EDIT, ref_seq=1)
    seed.say(LOG, 1, "reply", ref_seq=1)
    seed.member(LOG, 2, (2, 0), state=1)
    found = look(2)
    assert list(found) == [2, 3]
    assert (found[2].body, found[3].body, found[3].ref_seq) == (b"", b"", 1)
    assert text(look()[3]) == "reply"
