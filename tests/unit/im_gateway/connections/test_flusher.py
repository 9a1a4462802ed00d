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

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.ready.append(callback)

    def turn(self) -> None:
        ready, self.ready = self.ready, []
        for callback in ready:
            callback()


def test_all_dirty_connections_share_one_callback() -> None:
    loop = Loop()
    flusher = Flusher(loop.call_soon)
    connections = [Connection() for _ in range(5)]
    for connection in connections:
        flusher.add(connection)
    assert len(loop.ready) == 1
    loop.turn()
    assert [(each.flushes, each.dirty) for each in connections] == [(1, False)] * 5
    assert loop.ready == []


def test_five_hundred_writes_then_the_loop_has_its_turn() -> None:
    loop = Loop()
    flusher = Flusher(loop.call_soon)
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
    flusher = Flusher(loop.call_soon)

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
