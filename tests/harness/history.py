"""What happened, as JSON lines: the one thing that checkers look at besides the logs that a run left behind."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

Kind = Literal[
    "offered",  # a message is due: given to its client, which may have to wait with it
    "send_invoke",  # a try of a message is about to be written
    "send_ok",  # its ack came
    "send_fail",  # it was refused for good: it must not be stored
    "send_unknown",  # a try ended without an answer: stored or not, never counted as lost
    "received",  # pushed over a wire; doubles are allowed there
    "shown",  # given to an application, which happens once
    "untold",  # an application was told that entries will not come
    "connected",  # a client may talk
    "disconnected",  # it may not any more
    "broken",  # something was killed, cut or spoilt
    "healed",  # it is as it was
]


@dataclass(frozen=True, slots=True)
class Happening:
    """One line.

    `key` is the message's own text: it stays the same however often a client takes a new id for it, so a message that
    is stored under two ids is seen as what it is.
    """

    kind: Kind
    at: float = 0.0
    """Seconds of the run's monotonic clock."""
    device: str = ""
    """The client program: one of possibly several of a user."""
    user_id: int = 0
    conversation_id: int = 0
    key: str = ""
    number: int = 0
    """1, 2, 3 … per sender and conversation, in the order of sending."""
    seq: int = 0


class History:
    """Writes happenings to a file and keeps them for the end of the run.

    Args:
        path: the file; written anew.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")
        self.happenings: list[Happening] = []
        self._counts: Counter[Kind] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(
        self,
        kind: Kind,
        *,
        device: str = "",
        user_id: int = 0,
        conversation_id: int = 0,
        key: str = "",
        number: int = 0,
        seq: int = 0,
    ) -> float:
        """Add what happens now; gives when that is."""
        happening = Happening(kind, time.monotonic(), device, user_id, conversation_id, key, number, seq)
        self.happenings.append(happening)
        self._counts[kind] += 1
        self._file.write(to_line(happening))
        return happening.at

    def count(self, kind: Kind) -> int:
        """How often something happened."""
        return self._counts[kind]


def to_line(happening: Happening) -> str:
    """One JSON object without what is unset."""
    return json.dumps({name: value for name, value in asdict(happening).items() if value}) + "\n"


def read_lines(lines: Iterable[str]) -> Iterator[Happening]:
    """The happenings of a file's lines."""
    for line in lines:
        yield Happening(**json.loads(line))


def of_kind(history: Iterable[Happening], kind: Kind) -> Iterable[Happening]:
    """The happenings of one kind, in order."""
    return (one for one in history if one.kind == kind)
