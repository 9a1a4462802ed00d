"""The account events that changes of members write, and their numbers for those who push them."""

from collections import defaultdict

from sqlalchemy import Connection

from im_proto.v1.sync_pb2 import AccountEvent, Joined, Left
from im_repo.account_events.append import append_events
from im_repo.log.draft import MemberChange, Stored
from im_repo.log.membership_rules import Plan


class MembershipEvents:
    """Gathers the events of a batch, since `user_state` comes late in the order of locks."""

    def __init__(self) -> None:
        self._events: defaultdict[int, list[AccountEvent]] = defaultdict(list)
        self._waiting: list[tuple[list[MemberChange], int, int]] = []

    def __bool__(self) -> bool:
        return bool(self._events)

    def add(self, stored: Stored, plan: Plan) -> None:
        """Take the events of one entry; the pts appear in `stored.changed` when they are written."""
        changed = list(plan.changes)
        stored.changed = changed
        moved = {*plan.joined, *plan.departed}
        for index, change in enumerate(changed):
            if change.user_id not in moved:
                continue
            if change.user_id in plan.departed:
                left = Left(conversation_id=stored.conversation_id, state=change.state)  # type: ignore[arg-type]
                event = AccountEvent(left=left)
            else:
                event = AccountEvent(joined=Joined(conversation_id=stored.conversation_id))
            self._waiting.append((changed, index, len(self._events[change.user_id])))
            self._events[change.user_id].append(event)

    def write(self, connection: Connection, now: int) -> None:
        """Write them, each user's densely."""
        last = append_events(connection, self._events, now)
        for changed, index, place in self._waiting:
            user_id = changed[index].user_id
            pts = last[user_id] - len(self._events[user_id]) + 1 + place
            changed[index] = changed[index]._replace(pts=pts)
