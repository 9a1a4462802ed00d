"""Sleeps of a fraction of a millisecond.

Event loops count their timers in whole milliseconds, and an arrival that leaves half a millisecond late would be counted
as the server's. Linux wakes a file descriptor on time; elsewhere the loop's own timer has to do.
"""

import asyncio
import contextlib
import ctypes
import os
from typing import Final, Self

_CLOCK_MONOTONIC: Final = 1
_NONBLOCK_CLOEXEC: Final = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class _Moment(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timer(ctypes.Structure):
    _fields_ = (("interval", _Moment), ("value", _Moment))


class Alarm:
    """One sleeper's timer; a context manager."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._timer = _Timer()
        self._woken: asyncio.Future[None] | None = None

    def __enter__(self) -> Self:
        """Take a timer of the kernel's."""
        create = getattr(_LIBC, "timerfd_create", None)
        self._descriptor = create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC) if create is not None else -1
        if self._descriptor >= 0:
            asyncio.get_running_loop().add_reader(self._descriptor, self._ring)
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        if self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)

    async def sleep(self, seconds: float) -> None:
        """Wait; safe to cancel."""
        if self._descriptor < 0:
            await asyncio.sleep(seconds)
            return
        self._woken = asyncio.get_running_loop().create_future()
        whole, part = divmod(seconds, 1.0)
        self._timer.value.seconds, self._timer.value.nanoseconds = int(whole), max(1, int(part * 1e9))
        _LIBC.timerfd_settime(self._descriptor, 0, ctypes.byref(self._timer), None)
        await self._woken

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # set anew by somebody else since it rang
            os.read(self._descriptor, 8)
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)
