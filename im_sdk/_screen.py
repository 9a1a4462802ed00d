"""What the application shows, and which conversations are read for that."""

from collections.abc import Iterable
from typing import Final

from im_sdk._directory import Directory, Listing
from im_sdk._puller import Tracks
from im_sdk._settings import CatchUp

OPEN_LIMIT: Final = 50
"""Conversations that a sync may name as on screen."""
VIEW_LIMIT: Final = 8
"""Large conversations that may be viewed."""


class Screen:
    """The conversations on screen.

    Args:
        directory: the list.
        tracks: where this client stands.
        catch_up: what is read besides.
    """

    __slots__ = ("_catch_up", "_directory", "_tracks", "conversation_ids")

    def __init__(self, directory: Directory, tracks: Tracks, *, catch_up: CatchUp) -> None:
        self.conversation_ids: tuple[int, ...] = ()
        self._directory = directory
        self._tracks = tracks
        self._catch_up = catch_up

    def follows(self, listing: Listing) -> bool:
        """Whether a conversation is read when its head moves; else it is stale until it is shown."""
        if listing.conversation_id in self.conversation_ids:
            return True
        return self._catch_up is CatchUp.ALL and not listing.large

    def large(self) -> list[int]:
        """The large ones: only their messages wait for a view."""
        listings = ((key, self._directory.find(key)) for key in self.conversation_ids)
        return [key for key, listing in listings if listing is not None and listing.large][:VIEW_LIMIT]

    def open_conversations(self) -> Iterable[tuple[int, int, int]]:
        """What a sync is told: (conversation_id, seq, epoch)."""
        for conversation_id in self.conversation_ids[:OPEN_LIMIT]:
            track = self._tracks.get(conversation_id)
            if track is not None and not track.fresh:
                yield conversation_id, track.seq, track.epoch
