"""The promise of an adapter: what a workload needs of a chat server, and nothing more.

An adapter opens connections for people, sends texts into conversations and tells what the server delivers. Everything
that is measured lies on the load tester's side: an adapter reads no clock and counts nothing. Its calls are on the hot
path of the generator; the cheaper they are, the more of the machine is left for the server.
"""

import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from im_bench.accounts import Account


@dataclass(frozen=True, slots=True)
class Refusal:
    """A send that the server did not take."""

    name: str
    retryable: bool
    retry_after_s: float = 0.0
    text: str = ""


class Outcome(Protocol):
    """Told how a send ended, at most once per send; never when the connection closes first: that is unknown."""

    def acked(self, seq: int) -> None:
        """The server answers for it.

        Args:
            seq: its place in the conversation's log; 0 where the server has none.
        """

    def refused(self, refusal: Refusal) -> None:
        """The server did not take it."""


class Mailbox(Protocol):
    """Told what reaches one connection."""

    def deliver(self, conversation_id: int, seq: int, text: str) -> None:
        """A message was pushed.

        Args:
            conversation_id: where.
            seq: its place in the conversation's log; 0 where the server has none.
            text: exactly as it was sent.
        """

    def head(self, conversation_id: int, seq: int) -> None:
        """The log of a conversation grew to `seq`, and its messages are not pushed one by one."""

    def resync(self) -> None:
        """The server says that this client fell behind and must fetch."""

    def closed(self, code: int) -> None:
        """The connection ended: `code` of the close frame, 0 where this side closed it."""


class Client(Protocol):
    """One open connection of one person."""

    def send(self, conversation_id: int, message_id: str, text: str, outcome: Outcome, *, attempt: int) -> None:
        """Send; returns at once.

        Args:
            conversation_id: where, from `join`.
            message_id: a UUIDv7, the same for each attempt.
            text: what; arrives unchanged.
            outcome: told once how it ended.
            attempt: 1, then more for the same message after a retryable refusal.
        """

    async def close(self) -> None:
        """End the connection; never fails."""


class Joined(NamedTuple):
    """A conversation as a run finds it."""

    conversation_id: int
    head_seq: int
    """The last entry of its log; 0: it is new, or there is no log."""


class Entry(NamedTuple):
    """A message read from a log."""

    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is."""

    url: str
    """`http://host:port` or `https://host:port`, as given."""
    ca_file: str | None = None
    """PEM file with the authority to trust besides the system's."""

    def tls(self) -> ssl.SSLContext | None:
        """What to verify an https address with; None for http."""
        if not self.url.startswith("https:"):
            return None
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        return context


class Adapter(ABC):
    """One kind of server, within one generator process.

    Args:
        endpoint: where it is.
    """

    name: ClassVar[str]
    """What the result calls it."""
    keeps_history: ClassVar[bool] = True
    """Without a log to re-read, lost means acked and not delivered."""
    needs_accounts: ClassVar[bool] = True
    """Whether people need an account made before; otherwise they come with made-up ones."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    @abstractmethod
    async def connect(self, account: Account, mailbox: Mailbox, *, source_address: str | None) -> Client:
        """Open a connection, up to the point where it can send and is delivered to.

        Raises:
            AdapterError: it cannot be opened.
        """

    @abstractmethod
    async def join(self, members: Sequence[Account], client: Client) -> Joined:
        """Find or make the conversation of these people; `client` is one of them.

        Raises:
            AdapterError: it cannot be had.
        """

    @abstractmethod
    def history(self, client: Client, joined: Joined) -> AsyncIterator[Entry]:
        """What the log keeps after `joined.head_seq`, ascending; never called where `keeps_history` is False.

        Raises:
            AdapterError: it cannot be read.
        """

    def begin(self) -> None:  # noqa: B027 - most need nothing
        """Called once in the process's event loop, before the first connection."""

    async def end(self) -> None:  # noqa: B027 - most need nothing
        """Called once after the last connection closed."""


class AdapterError(Exception):
    """The server cannot be used as the run needs it.

    Args:
        message: why, for a person.
        reason: a short name to count it by.
    """

    def __init__(self, message: str, *, reason: str = "failed") -> None:
        super().__init__(message)
        self.reason = reason
