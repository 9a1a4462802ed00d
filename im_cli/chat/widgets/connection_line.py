"""Says why nothing comes; not there while all is well."""

from textual.widgets import Static

from im_cli.chat.times import seconds
from im_cli.chat.words import unreachable_reason, words_for
from im_sdk import ConnectionState, ConnectionStateChanged


class ConnectionLine(Static):
    """One line over the footer."""

    DEFAULT_CSS = """
    ConnectionLine { height: 1; padding: 0 1; background: $warning 25%; color: $foreground; display: none; }
    ConnectionLine.shown { display: block; }
    """

    def show(self, connection: ConnectionStateChanged, wait_s: float) -> None:
        """Draw a state; `wait_s` seconds remain until the next try."""
        text = connection_text(connection, wait_s)
        self.set_class(bool(text), "shown")
        if text:
            self.update(text)


def connection_text(connection: ConnectionStateChanged, wait_s: float) -> str:
    """A state in words; empty when connected."""
    error = connection.error
    match connection.state:
        case ConnectionState.ONLINE:
            return ""
        case ConnectionState.WAITING:
            why = f" ({unreachable_reason(error)})" if error is not None else ""
            return f"Not connected{why}: next try in {seconds(wait_s)}. What you write waits."
        case ConnectionState.CLOSED:
            return words_for(error) if error is not None else "Closed."
        case ConnectionState.SYNCING:
            return "Catching up …"
        case _:
            return "Connecting …"
