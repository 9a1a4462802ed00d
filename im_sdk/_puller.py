"""Which logs are read next, and what is asked: a few at a time, after the wait that a reordered push deserves."""

import random
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from im_proto.v1 import message_pb2
from im_sdk._backoff import repeat_delay
from im_sdk._error_table import ErrorNumber
from im_sdk._errors import ImError
from im_sdk._gap import FRESH_PULL, Lost, Track
from im_sdk._settings import SessionSettings

Entry = message_pb2.Message
Tracks = dict[int, Track[Entry]]
PAGE: Final = 200
_NEVER: Final = float("inf")
FORBIDDEN: Final = frozenset({ErrorNumber.CONVERSATION_NOT_FOUND, ErrorNumber.NOT_A_MEMBER, ErrorNumber.BANNED})

Ask = Callable[[str, Any, Callable[[Any, ImError | None, float], None], float], None]
"""Asks the server an operation that belongs to this connection: (operation, request, on_done, now)."""


class _Asked(NamedTuple):
    """What a pull asked for, and how far the log was known to reach then."""

    from_seq: int
    to_seq: int
    known_seq: int


class Puller:
    """Reads what tracks miss.

    Args:
        tracks: where this client stands.
        ask: puts a question to the server.
        on_entries: takes what comes next in order: (conversation_id, entries and holes, skipped, now).
        on_epoch: the log was restored: (conversation_id, epoch, rewind_seq, now).
        on_forbidden: the conversation might not be read then: (conversation_id, now).
        settings: the rule's constants.
        source: the jitter's randomness.
    """

    def __init__(
        self,
        tracks: Tracks,
        *,
        ask: Ask,
        on_entries: Callable[[int, Sequence[Entry | Lost], bool, float], None],
        on_epoch: Callable[[int, int, int, float], None],
        on_forbidden: Callable[[int, float], None],
        settings: SessionSettings,
        source: random.Random,
    ) -> None:
        self._tracks = tracks
        self._ask = ask
        self._on_entries = on_entries
        self._on_epoch = on_epoch
        self._on_forbidden = on_forbidden
        self._settings = settings
        self._random = source
        self._wanted: dict[int, bool] = {}
        self._holds: dict[int, float] = {}
        self._running: set[int] = set()
        self._failures: dict[int, int] = {}
        self.open = False
        """Reads are allowed: synced, and the application keeps up."""

    @property
    def resting(self) -> bool:
        """Nothing is wanted or held."""
        return not (self._wanted or self._holds)

    def hold(self, conversation_id: int, now: float) -> None:
        """A push came ahead of its predecessors: give them a moment, then read them."""
        if conversation_id not in self._holds and conversation_id not in self._wanted:
            settings = self._settings
            self._holds[conversation_id] = now + self._random.uniform(settings.hold_min_s, settings.hold_max_s)

    def want(self, conversation_id: int, *, even_if_level: bool = False) -> None:
        """Read what is missing; `even_if_level`: look even if nothing seems to be."""
        self._wanted[conversation_id] = even_if_level or self._wanted.get(conversation_id, False)
        self._holds.pop(conversation_id, None)

    def forget(self, conversation_id: int) -> None:
        """It is not read any more."""
        self._wanted.pop(conversation_id, None)
        self._holds.pop(conversation_id, None)
        self._failures.pop(conversation_id, None)

    def deadline(self) -> float:
        """When a held push has waited long enough."""
        return min(self._holds.values()) if self._holds and self.open else _NEVER

    def connection_lost(self) -> None:
        """Everything starts anew: the sync after the reconnect tells where the logs stand."""
        self.open = False
        self._wanted.clear()
        self._holds.clear()
        self._running.clear()
        self._failures.clear()

    def run(self, now: float) -> None:
        """Ask what is due."""
        if not self.open:
            return
        if self._holds:
            for conversation_id in [key for key, deadline in self._holds.items() if deadline <= now]:
                track = self._tracks.get(conversation_id)
                del self._holds[conversation_id]
                if track is not None and track.behind:
                    self.want(conversation_id)
        for conversation_id in list(self._wanted):
            if len(self._running) >= self._settings.pulls_at_once:
                return
            if conversation_id in self._running:
                continue
            even_if_level = self._wanted.pop(conversation_id)
            track = self._tracks.get(conversation_id)
            if track is not None and (track.behind or even_if_level):
                self._pull(conversation_id, track, now)

    def _pull(self, conversation_id: int, track: Track[Entry], now: float) -> None:
        limit = self._settings.catch_up_limit
        if limit is not None and not track.fresh and track.known_seq - track.seq > limit:
            lost = track.skip_to(track.known_seq - limit)
            if lost is not None:
                self._on_entries(conversation_id, (lost,), True, now)
        from_seq, to_seq = track.gap() if track.behind else (track.seq + 1, 0)
        asked = _Asked(from_seq, to_seq, track.known_seq)
        size = FRESH_PULL if track.fresh else min(PAGE, to_seq - from_seq + 1) if to_seq else PAGE
        request = message_pb2.PullRequest(conversation_id=conversation_id, from_seq=from_seq, to_seq=to_seq, limit=size)
        self._running.add(conversation_id)

        def done(answer: message_pb2.PullResponse | None, error: ImError | None, now: float) -> None:
            self._running.discard(conversation_id)
            if self._tracks.get(conversation_id) is not track:
                return
            if answer is None:
                assert error is not None
                self._failed(conversation_id, error, now)
            else:
                self._failures.pop(conversation_id, None)
                self._filled(conversation_id, track, answer, asked, now)

        self._ask("pull", request, done, now)

    def _failed(self, conversation_id: int, error: ImError, now: float) -> None:
        if error.number in FORBIDDEN:
            self.forget(conversation_id)
            self._on_forbidden(conversation_id, now)
            return
        failures = self._failures[conversation_id] = self._failures.get(conversation_id, 0) + 1
        delay = repeat_delay(failures, self._random, at_least_s=error.retry_after_ms / 1000)
        self._holds[conversation_id] = now + delay

    def _filled(
        self, conversation_id: int, track: Track[Entry], answer: message_pb2.PullResponse, asked: _Asked, now: float
    ) -> None:
        entries = [(entry.seq, entry) for entry in answer.messages]
        ready: Sequence[Entry | Lost] = ()
        progress = False
        if track.fresh:
            ready = track.start(entries, epoch=answer.epoch, max_seq=answer.max_seq)
            progress = True
        elif answer.epoch > track.epoch:
            self._on_epoch(conversation_id, answer.epoch, answer.rewind_seq, now)
            progress = True
        elif asked.from_seq != track.seq + 1:  # the cursor moved meanwhile: take the entries as if pushed
            ready = [given for seq, entry in entries for given in track.offer(seq, entry)]
        else:
            ready = track.fill(entries, end=_covered(answer, asked))
        track.tell(answer.max_seq)
        if ready:
            self._on_entries(conversation_id, ready, False, now)
        if answer.max_seq < track.known_seq == asked.known_seq and not answer.more:
            # What was told is not there for this reader (it left, or the head was another's): believe the log.
            track.known_seq = max(track.seq, answer.max_seq, *track.held)
        if track.behind:
            if progress or ready:
                self.want(conversation_id)
            else:
                self.hold(conversation_id, now)


def _covered(answer: message_pb2.PullResponse, asked: _Asked) -> int:
    """Up to where an answer says everything that there is."""
    if answer.more:
        last = answer.messages[-1].seq if answer.messages else asked.from_seq - 1
        return max(last, *(gone.to_seq for gone in answer.missing), 0)
    return min(asked.to_seq or answer.max_seq, answer.max_seq)
