"""Writing once per turn of the loop."""

from collections.abc import Callable

from im_gateway.connections.flusher import Flusher


class Connection:
    def __init__(self) -> None:
        self.dirty = False
        self.in_crowd = False
        self.flushes = 0

    def flush(self) -> None:
        self.flushes += 1


class Loop:
    def __init__(self) -> None:
        self.ready: list[Callable[[], None]] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.ready.append(callback)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        self.timers.append((delay, callback))

    def turn(self) -> None:
        ready, self.ready = self.ready, []
        for callback in ready:
            callback()


def crowd_of(count: int, flusher: Flusher) -> list[Connection]:
    crowd = [Connection() for _ in range(count)]
    for member in crowd:
        flusher.add_to_crowd(member)
    return crowd


def test_all_dirty_connections_share_one_callback() -> None:
    loop = Loop()
    flusher = Flusher(loop)
    connections = [Connection() for _ in range(5)]
    for connection in connections:
        flusher.add(connection)
    assert len(loop.ready) == 1
    loop.turn()
    assert [(each.flushes, each.dirty) for each in connections] == [(1, False)] * 5
    assert loop.ready == []


def test_five_hundred_writes_then_the_loop_has_its_turn() -> None:
    loop = Loop()
    flusher = Flusher(loop)
    connections = [Connection() for _ in range(1200)]
    for connection in connections:
        flusher.add(connection)
    done = []
    while loop.ready:
        loop.turn()
        done.append(sum(each.flushes for each in connections))
    assert done == [500, 1000, 1200]


def test_a_connection_that_gets_dirty_while_flushing_comes_again() -> None:
    loop = Loop()
    flusher = Flusher(loop)

    class Again(Connection):
        def flush(self) -> None:
            super().flush()
            if self.flushes == 1:
                flusher.add(self)

    connection = Again()
    flusher.add(connection)
    loop.turn()
    loop.turn()
    assert connection.flushes == 2


def test_what_lingers_is_written_in_one_go_after_a_while() -> None:
    loop = Loop()
    flusher = Flusher(loop)
    connections = [Connection() for _ in range(3)]
    for connection in (*connections, *connections):
        flusher.linger(connection)
    assert loop.ready == []
    [(delay_s, end)] = loop.timers
    assert 0 < delay_s < 1
    flusher.add(connections[0])  # told something meanwhile: written at once, and not a second time
    loop.turn()
    flusher.add(connections[0])
    end()
    assert len(loop.ready) == 1
    loop.turn()
    assert [each.flushes for each in connections] == [2, 1, 1]
    flusher.linger(connections[0])
    assert len(loop.timers) == 2


def test_what_lingers_is_not_forgotten_before_closing() -> None:
    loop = Loop()
    flusher = Flusher(loop)
    connection = Connection()
    flusher.linger(connection)
    flusher.flush_all()
    assert connection.flushes == 1


def test_a_crowd_is_written_in_shares_and_whatever_else_comes_goes_before_it() -> None:
    loop = Loop()
    flusher = Flusher(loop)
    crowd = crowd_of(250, flusher)
    assert len(loop.ready) == 1
    loop.turn()
    assert [each.flushes for each in crowd] == [1] * 100 + [0] * 150
    acked = Connection()
    flusher.add(acked)
    flusher.add(crowd[249])
    order: list[Connection] = []
    for each in (acked, crowd[249], crowd[100]):
        each.flush = lambda each=each: order.append(each)  # type: ignore[method-assign, misc]
    loop.turn()
    assert order == [acked, crowd[249], crowd[100]]
    loop.turn()
    assert order[3:] == [crowd[249]], "its place in the crowd writes what came meanwhile, if anything did"
    assert loop.ready == []
    assert not any(each.in_crowd or each.dirty for each in crowd)


def test_acks_without_end_do_not_hold_up_a_crowd_for_ever() -> None:
    loop = Loop()
    flusher = Flusher(loop)
    crowd = crowd_of(300, flusher)
    for _ in range(3):
        for _ in range(600):
            flusher.add(Connection())
        loop.turn()
    assert all(each.flushes == 1 for each in crowd)


def test_a_crowd_is_not_forgotten_before_closing() -> None:
    loop = Loop()
    flusher = Flusher(loop)
    crowd = crowd_of(250, flusher)
    flusher.flush_all()
    assert all(each.flushes == 1 for each in crowd)


class Round:
    """Goes to so many."""

    def __init__(self, viewers: int) -> None:
        self.left = viewers
        self.shares: list[int] = []

    def write(self, most: int) -> int:
        share = min(most, self.left)
        self.left -= share
        self.shares.append(share)
        return share


def test_rounds_share_the_crowds_writes_one_after_the_other() -> None:
    loop = Loop()
    flusher = Flusher(loop)
    crowd = crowd_of(30, flusher)
    rounds = [Round(120), Round(100)]
    for one in rounds:
        flusher.add_round(one)
    turns = 0
    while loop.ready:
        loop.turn()
        turns += 1
        assert all(each.flushes == 1 for each in crowd), "what was queued goes before"
    assert [one.shares for one in rounds] == [[70, 50], [50, 50]]
    assert [one.left for one in rounds] == [0, 0]
    assert turns == 3


def test_a_round_is_not_forgotten_before_closing() -> None:
    flusher = Flusher(Loop())
    one = Round(250)
    flusher.add_round(one)
    flusher.flush_all()
    assert one.left == 0
