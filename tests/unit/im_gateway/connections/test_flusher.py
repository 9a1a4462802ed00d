"""Writing once per turn of the loop."""

from collections.abc import Callable

from im_gateway.connections.flusher import Flusher


class Connection:
    def __init__(self) -> None:
        self.dirty = False
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
