"""The server's wall clock, as well as a client knows it."""


class ServerTime:
    """Turns monotonic seconds into the server's milliseconds since the epoch.

    Before the server said anything it is the local wall clock's guess. A monotonic clock may stand still while a
    laptop sleeps; the next greeting or ping puts it right.

    Args:
        now: monotonic seconds.
        wall_ms: the local wall clock at that moment, milliseconds since the epoch.
    """

    __slots__ = ("_offset_ms",)

    def __init__(self, *, now: float, wall_ms: int) -> None:
        self._offset_ms = wall_ms - now * 1000

    def observe(self, server_time: int, now: float) -> None:
        """The server said that it is `server_time`."""
        if server_time > 0:
            self._offset_ms = server_time - now * 1000

    def at(self, now: float) -> int:
        """Milliseconds since the epoch at the monotonic moment `now`."""
        return int(now * 1000 + self._offset_ms)
