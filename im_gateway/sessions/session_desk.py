"""Where the hub hands a connection's frames, and where a connection's end is told on."""

from collections.abc import Callable, Sequence

from im_gateway.codec.abstract import Malformed
from im_gateway.connections.connection import Connection
from im_gateway.sessions.commands import Commands
from im_gateway.sessions.opening import Opening
from im_proto.v1.frame_pb2 import ClientFrame


class SessionDesk:
    """Opening, commands and closing behind one face.

    Args:
        opening: handles connections until their session is open.
        commands: handles them afterwards.
        leave: takes a connection out of local fan-out.
        close: tells logic of the end of an open session.
    """

    def __init__(
        self,
        opening: Opening,
        commands: Commands,
        *,
        leave: Callable[[Connection], None],
        close: Callable[[Connection], None],
    ) -> None:
        self._opening = opening
        self._leave = leave
        self._close = close
        self.on_frames = commands.on_frames  # bound once: one call less per message

    def on_early_frames(self, connection: Connection, decoded: Sequence[ClientFrame | Malformed], _now: float) -> None:
        """Frames came before the session was open."""
        self._opening.on_frames(connection, decoded)

    def on_closed(self, connection: Connection) -> None:
        """A connection is gone; without a user it never had a session, or logic has not answered yet."""
        if connection.user_id:
            self._leave(connection)
            self._close(connection)
        else:
            self._opening.on_closed(connection)
