"""The buckets of one user on this node, shared by all its connections and HTTP requests."""

from im_gateway.limits.bucket import Bucket
from im_gateway.settings import LimitSettings

_MAX_TYPING = 32
"""Conversations whose last typing frame is remembered; nobody types in more at once."""


class UserLimits:
    """One user's buckets.

    Args:
        settings: rates and bursts.
        now: monotonic seconds.
    """

    __slots__ = ("_typing", "_typing_interval_s", "operations", "sends")

    def __init__(self, settings: LimitSettings, now: float) -> None:
        self.sends = Bucket(settings.sends_per_user_per_s, settings.send_burst_per_user, now)
        self.operations = Bucket(settings.operations_per_user_per_s, settings.operation_burst_per_user, now)
        self._typing_interval_s = settings.typing_interval_s
        self._typing: dict[int, float] | None = None

    def take_typing(self, conversation_id: int, now: float) -> bool:
        """Whether a typing frame may go on; the rest is dropped silently."""
        if self._typing is None:
            self._typing = {}
        last = self._typing.get(conversation_id)
        if last is not None and now - last < self._typing_interval_s:
            return False
        if len(self._typing) >= _MAX_TYPING:
            self._typing.clear()
        self._typing[conversation_id] = now
        return True

    def idle(self, now: float) -> bool:
        """Whether it may be forgotten."""
        return self.sends.full(now) and self.operations.full(now)


class UserLimitTable:
    """All users' buckets.

    Args:
        settings: rates and bursts.
    """

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings
        self._users: dict[int, UserLimits] = {}

    def __len__(self) -> int:
        """How many users are remembered."""
        return len(self._users)

    def of(self, user_id: int, now: float) -> UserLimits:
        """The buckets of a user."""
        limits = self._users.get(user_id)
        if limits is None:
            limits = self._users[user_id] = UserLimits(self._settings, now)
        return limits

    def forget_idle(self, now: float) -> None:
        """Drop what a fresh one would not differ from; a connection keeps its own reference, so nothing is reset."""
        self._users = {user_id: limits for user_id, limits in self._users.items() if not limits.idle(now)}
