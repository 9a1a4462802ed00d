import pytest

from im_cli.chat.widgets.connection_line import connection_text
from im_sdk import ConnectionState, ConnectionStateChanged, ErrorNumber, ImError, UnreachableError

REFUSED = UnreachableError(0, "UNREACHABLE", "Connection refused")


@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [
        (ConnectionState.ONLINE, None, ""),
        (
            ConnectionState.WAITING,
            REFUSED,
            "Not connected (nobody listens there): next try in 3 seconds. What you write waits.",
        ),
        (ConnectionState.CONNECTING, None, "Connecting …"),
        (ConnectionState.SYNCING, None, "Catching up …"),
        (
            ConnectionState.CLOSED,
            ImError(ErrorNumber.KICKED, "KICKED", ""),
            "Another device of yours took this one's place.",
        ),
        (ConnectionState.CLOSED, None, "Closed."),
    ],
)
def test_a_state_in_words(state: ConnectionState, error: ImError | None, expected: str) -> None:
    assert connection_text(ConnectionStateChanged(state, error, 3), 2.9) == expected
