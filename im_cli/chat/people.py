"""Names of people, learnt from the server as they are met, kept for starts without a connection."""

import asyncio
import json
from pathlib import Path
from typing import Final, Protocol

from im_cli.chat.clean import one_line
from im_sdk import User, UserKind

BATCH: Final = 100
"""Users a request."""
KEPT: Final = 2_000
UNKNOWN_NAME: Final = "…"


class Lookup(Protocol):
    """Where names come from; `im_sdk.Client` is one."""

    async def get_users(self, user_ids: list[int]) -> list[User]:
        """The profiles of at most 100 users."""
        ...


class People:
    """Everybody met so far.

    Args:
        me: this account.
        path: the file that keeps the names; None: nowhere.
    """

    def __init__(self, me: User, path: Path | None = None) -> None:
        self.me = me
        self._path = path
        self._known: dict[int, User] = {}
        self._wanted: set[int] = set()
        self.asked = asyncio.Event()
        """Somebody is wanted who is not known."""
        self._load()
        self._known[me.user_id] = me

    def find(self, user_id: int) -> User | None:
        """A user; an unknown one is asked for by the next `learn`."""
        user = self._known.get(user_id)
        if user is None and user_id:
            self._wanted.add(user_id)
            self.asked.set()
        return user

    def name(self, user_id: int) -> str:
        """The name shown to people; oneself is "You"."""
        return "You" if user_id == self.me.user_id else self.full_name(user_id)

    def full_name(self, user_id: int) -> str:
        """The name, oneself's too."""
        if user_id == 0:
            return "The server"
        user = self.find(user_id)
        return UNKNOWN_NAME if user is None else one_line(user.display_name) or f"@{user.handle}"

    def plain_name(self, user_id: int) -> str:
        """The handle, or a guest's name: for lines that programs read."""
        user = self.find(user_id)
        if user is None:
            return str(user_id)
        return user.handle or one_line(user.display_name) or str(user_id)

    def meet(self, *users: User) -> None:
        """Remember."""
        for user in users:
            self._known[user.user_id] = user
            self._wanted.discard(user.user_id)

    async def learn(self, lookup: Lookup) -> None:
        """Ask for all who are wanted; who does not exist gets a name that says so.

        Raises:
            ImError: the server did not tell; they stay wanted.
        """
        self.asked.clear()
        while self._wanted:
            batch = sorted(self._wanted)[:BATCH]
            self.meet(*await lookup.get_users(batch))
            for user_id in set(batch) & self._wanted:
                self.meet(User(user_id, "", "Somebody", UserKind.UNKNOWN))

    def save(self) -> None:
        """Keep the names; a disk that refuses costs only names at the next offline start."""
        if self._path is None:
            return
        kept = list(self._known.values())[-KEPT:]
        rows = [[user.user_id, user.handle, user.display_name, int(user.kind)] for user in kept]
        try:
            self._path.touch(mode=0o600)
            self._path.write_text(json.dumps(rows), encoding="utf-8")
        except OSError:
            pass

    def _load(self) -> None:
        if self._path is None or not self._path.exists():
            return
        try:
            for user_id, handle, display_name, kind in json.loads(self._path.read_text(encoding="utf-8")):
                self._known[int(user_id)] = User(int(user_id), str(handle), str(display_name), UserKind(kind))
        except (OSError, ValueError, TypeError):
            self._known.clear()
