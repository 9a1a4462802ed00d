"""What a process knows of conversations between its batches."""

from typing import Any

from im_repo.log.known_conversations import KnownConversations
from im_repo.log.locked import LockedConversation


def row(conversation_id: int) -> LockedConversation:
    return LockedConversation((conversation_id, 2, 1, 1, 0), (1, 1, 0, 0, 2, 1, 1, 5, 5, 0))


def test_what_is_taken_is_known_to_nobody_until_it_is_given_back(draft: Any) -> None:
    """Nor is what was known of a batch of which something is not."""
    known = KnownConversations()
    known.keep([row(70), row(71)])
    taken = known.take([draft(70, 1), draft(71, 1), draft(70, 2)])
    assert taken is not None
    assert sorted(taken) == [70, 71]
    assert known.take([draft(70, 1)]) is None
    known.keep(taken.values())
    assert known.take([draft(70, 1), draft(72, 1)]) is None
    assert known.take([draft(70, 1)]) is None
    assert len(known) == 1


def test_what_is_kept_counts_as_committed(draft: Any) -> None:
    """The next batch's first seq is the one after it, and nothing of it is left to be written."""
    known = KnownConversations()
    one = row(70)
    one.max_seq, one.max_count, one.member_count = 4, 3, 9
    assert (one.first_seq, one.touched, one.changed_beyond_its_log) == (1, True, True)
    known.keep([one])
    taken = known.take([draft(70, 1)])
    assert taken is not None
    assert (taken[70].first_seq, taken[70].count_before) == (5, 3)
    assert (taken[70].touched, taken[70].changed_beyond_its_log) == (False, False)


def test_those_that_were_appended_to_last_are_kept(draft: Any) -> None:
    known = KnownConversations(most=3)
    known.keep([row(log) for log in (70, 71, 72)])
    taken = known.take([draft(70, 1)])
    assert taken is not None
    known.keep([*taken.values(), row(73)])
    assert len(known) == 3
    assert known.take([draft(71, 1)]) is None
    assert all(known.take([draft(log, 1)]) for log in (70, 72, 73))
