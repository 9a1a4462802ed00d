"""Keeping a worker lease: taken at the start, renewed each minute, replaced when lost."""

import asyncio
from typing import Final

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.discovery.abstract import Discovery, WorkerLease
from im_infra.errors import ImError
from im_infra.observability import logs

_LOG: Final = logs.get(__name__)

RENEW_INTERVAL_S: Final = 60.0
RETRY_INTERVAL_S: Final = 5.0


class WorkerLeaseKeeper:
    """Holds this process's worker lease.

    `await acquire()` before serving, then `run()` for as long as ids are made. When renewing fails, another lease is
    taken if there is one (the old one may be lost for ever); if not, ids are made until the deadline of the old one.

    Args:
        discovery: who gives leases.
        clock: monotonic time, to tell how much of a lease is left.
        renew_interval_s: seconds between renewals; far below ⅔ of a lease.
        retry_interval_s: seconds between attempts when one failed.
    """

    def __init__(
        self,
        discovery: Discovery,
        clock: Clock,
        *,
        renew_interval_s: float = RENEW_INTERVAL_S,
        retry_interval_s: float = RETRY_INTERVAL_S,
    ) -> None:
        self._discovery = discovery
        self._clock = clock
        self._renew_interval_s = renew_interval_s
        self._retry_interval_s = retry_interval_s
        self._lease: WorkerLease | None = None
        self._above = 0

    @property
    def lease(self) -> WorkerLease | None:
        """The lease as renewed last; None before the first. It may have ended: look at its deadline."""
        return self._lease

    async def acquire(self, *, above: int = 0) -> WorkerLease:
        """Take the first lease, if there is none yet.

        Safe to cancel: at worst a worker id rests unused until its recorded time has passed.

        Args:
            above: no id may carry a time at or below it, under this lease or any after it; milliseconds since the epoch.

        Raises:
            ImError: UNAVAILABLE when none is to be had.
        """
        self._above = max(self._above, above)
        if self._lease is None:
            self._lease = await self._discovery.lease_worker(above=self._above)
            _LOG.info("worker lease taken", worker_id=self._lease.worker_id)
        return self._lease

    async def check(self) -> None:
        """Raise `ImError(UNAVAILABLE)` unless ids can be made: for readiness."""
        lease = self._lease
        if lease is None or self._clock.monotonic() > lease.deadline:
            raise ImError(error_table.UNAVAILABLE, "no valid worker lease")

    async def run(self) -> None:
        """Renew until cancelled; failures of the registry are logged and tried again."""
        while True:
            renewed = await self._renew()
            await asyncio.sleep(self._renew_interval_s if renewed else self._retry_interval_s)

    async def _renew(self) -> bool:
        lease = self._lease
        try:
            if lease is not None:
                self._lease = await self._discovery.renew_worker(lease)
                return True
        except ImError as error:
            _LOG.warning("worker lease not renewed", worker_id=lease and lease.worker_id, error=error.message)
        try:
            self._lease = await self._discovery.lease_worker(above=self._above)
        except ImError as error:
            seconds_left = lease.deadline - self._clock.monotonic() if lease else 0.0
            _LOG.error("no worker lease to be had", seconds_left=round(seconds_left, 1), error=error.message)
            return False
        _LOG.info("worker lease taken", worker_id=self._lease.worker_id)
        return True
