"""What a session asks of whoever drives it, and what it answers to those who asked."""

from dataclasses import dataclass
from typing import Any

from im_sdk._errors import ImError
from im_sdk._models import SentMessage


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """Open a connection; then call `socket_opened` or `socket_failed`."""


@dataclass(frozen=True, slots=True)
class CloseSocket:
    """Close the connection after what is written; nothing it still says is heard."""

    code: int = 1000


@dataclass(frozen=True, slots=True)
class RefreshTokens:
    """Get a new access token with the refresh token; then call `tokens_refreshed` or `refresh_failed`."""


@dataclass(frozen=True, slots=True)
class SendAcknowledged:
    """A draft is on the server's disk."""

    sent: SentMessage


@dataclass(frozen=True, slots=True)
class SendRefused:
    """A draft was refused for good, or given up because the session ended (ClosedError)."""

    conversation_id: int
    client_message_id: str
    error: ImError


@dataclass(frozen=True, slots=True)
class DraftRenewed:
    """A draft that was never stored got a new id. Where drafts are kept: keep the new one, then call `draft_kept`."""

    conversation_id: int
    old_client_message_id: str
    client_message_id: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A request's answer, or its error."""

    ticket: int
    answer: Any
    error: ImError | None


Command = OpenSocket | CloseSocket | RefreshTokens | SendAcknowledged | SendRefused | DraftRenewed | Answered
