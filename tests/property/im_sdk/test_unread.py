"""The unread rule against a recount of a list in memory."""

from hypothesis import example, given
from hypothesis import strategies as st

from im_sdk._unread import UNREAD_LIMIT, Unread

STEP = st.one_of(
    st.tuples(st.just("other"), st.just(0)),
    st.tuples(st.just("own"), st.just(0)),
    st.tuples(st.just("recall"), st.integers(0, 30)),
    st.tuples(st.just("deliver"), st.integers(1, 5)),
    st.tuples(st.just("skip"), st.integers(1, 5)),
    st.tuples(st.just("count"), st.just(0)),
    st.tuples(st.just("hear"), st.integers(0, 3)),
    st.tuples(st.just("read"), st.integers(0, 40)),
)


class Server:
    """The log: None is an own message or a recall, True an unrecalled message of another one, False a recalled one."""

    def __init__(self) -> None:
        self.log: list[bool | None] = []
        self.recalls: dict[int, int] = {}
        self.read = 0

    def count(self) -> tuple[int, int, int]:
        unread = sum(bool(entry) for entry in self.log[self.read :])
        return min(UNREAD_LIMIT, unread), len(self.log), self.read


@example([("other", 0), ("count", 0), ("recall", 0), ("deliver", 2), ("hear", 0)])  # seldom found in a hundred
@given(st.lists(STEP, max_size=60))
def test_a_settled_count_is_right_once_all_came_and_an_unsettled_one_after_being_told(
    steps: list[tuple[str, int]],
) -> None:
    """Entries in their order, in their present state; counts as late and as old as they like."""
    server, unread = Server(), Unread()
    shown = 0
    on_the_way: list[tuple[int, int, int]] = []

    def deliver(many: int, *, skipped: bool = False) -> None:
        nonlocal shown
        end = min(len(server.log), shown + many)
        if skipped and end > shown:
            unread.missed(end)
            shown = end
        while shown < end:
            shown += 1
            if shown in server.recalls:
                unread.recalled(server.recalls[shown], shown)
            elif server.log[shown - 1]:
                unread.came(shown)

    for step, number in steps:
        if step == "other":
            server.log.append(True)
        elif step == "own":
            server.log.append(None)
        elif step == "recall" and server.log:
            target = 1 + number % len(server.log)
            if server.log[target - 1]:
                server.log[target - 1] = False
                server.log.append(None)
                server.recalls[len(server.log)] = target
        elif step in {"deliver", "skip"}:
            deliver(number, skipped=step == "skip")
        elif step == "count":
            on_the_way.append(server.count())
        elif step == "hear" and on_the_way:
            count, max_seq, read_seq = on_the_way.pop(number % len(on_the_way))
            unread.told(count, max_seq=max_seq, read_seq=read_seq)
        elif step == "read":
            server.read = max(server.read, min(number, len(server.log)))
            unread.read(server.read)
    deliver(len(server.log))
    if not unread.settled:
        count, max_seq, read_seq = server.count()
        unread.told(count, max_seq=max_seq, read_seq=read_seq)
    assert unread.settled
    assert (unread.count, unread.read_seq) == (server.count()[0], server.read)
