"""Account events of member changes."""

from typing import Any

from sqlalchemy import Connection

from im_repo.account_events.read import read_events
from im_repo.log.draft import MemberChange, Stored
from im_repo.log.membership_events import MembershipEvents
from im_repo.log.membership_rules import Plan


def stored(log: Any) -> Any:
    return Stored(log, 1, 1, 1, 1, 1, 1, 1, 1)


def test_who_comes_or_goes_is_told_and_numbered(connection: Connection) -> None:
    """A mere change of role writes none."""
    events = MembershipEvents()
    changes = [MemberChange(1, 1), MemberChange(2, 3), MemberChange(3, 1, role=2)]
    one, two = stored(70), stored(71)
    events.add(one, Plan(changes=changes, joined=[1], departed=[2]))
    events.add(two, Plan(changes=[MemberChange(1, 1)], joined=[1]))
    events.write(connection, 50)
    assert [change.pts for change in (*one.changed, *two.changed)] == [1, 1, 0, 2]
    told = read_events(connection, 1, after_pts=0).events
    assert [(event.joined.conversation_id, event.time) for event in told] == [(70, 50), (71, 50)]
    [left] = read_events(connection, 2, after_pts=0).events
    assert (left.left.conversation_id, left.left.state) == (70, 3)


def test_nothing_is_written_for_nobody(connection: Connection) -> None:
    MembershipEvents().write(connection, 50)
    assert read_events(connection, 1, after_pts=0).max_pts == 0
