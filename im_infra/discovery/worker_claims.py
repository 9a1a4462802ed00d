"""Worker ids of a registry that may lose everything: each is claimed in the database as well, before it is used.

A registry that starts empty gives ids that processes still hold, and these learn it at their next renewal only. The
database, where the ids go to, remembers: what it has recorded is not given, whatever the registry says.
"""

from dataclasses import replace
from typing import Final, Protocol

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.discovery.abstract import WorkerLease
from im_infra.discovery.worker_row import claim_worker, extend_worker, read_worker
from im_infra.errors import ImError
from im_infra.ids.snowflake import MAX_WORKERS
from im_infra.observability import logs
from im_infra.sql.abstract import Database

_LOG: Final = logs.get(__name__)


class WorkerSource(Protocol):
    """Who gives worker ids."""

    async def lease(self, *, above: int) -> WorkerLease:
        """See `abstract.Discovery.lease_worker`."""
        ...

    async def renew(self, lease: WorkerLease) -> WorkerLease:
        """See `abstract.Discovery.renew_worker`."""
        ...


class ClaimedWorkers:
    """Leases worker ids that both the registry and the database say are free.

    The database is asked first each time: while it is away, no id is taken from the registry that could not be used.

    Args:
        registry: who gives them.
        database: who remembers them.
        clock: wall time.
    """

    def __init__(self, registry: WorkerSource, database: Database, clock: Clock) -> None:
        self._registry = registry
        self._database = database
        self._clock = clock

    async def lease(self, *, above: int) -> WorkerLease:
        """See `abstract.Discovery.lease_worker`; any error of the database besides."""
        await self._database.check()
        for _ in range(MAX_WORKERS):
            lease = await self._registry.lease(above=above)
            floor_time = await self._claim(lease)
            if floor_time is not None:
                return replace(lease, floor_time=max(lease.floor_time, floor_time))
            _LOG.warning("worker id passed over: the database has it as taken", worker_id=lease.worker_id)
        raise ImError(error_table.UNAVAILABLE, "the database has every worker id as taken", retry_after_ms=60_000)

    async def renew(self, lease: WorkerLease) -> WorkerLease:
        """See `abstract.Discovery.renew_worker`; any error of the database besides."""
        recorded = await self._database.read(lambda connection: read_worker(connection, lease.worker_id))
        if recorded == lease.high_time:
            renewed = await self._registry.renew(lease)
            if await self._database.write(
                lambda connection: extend_worker(connection, lease.worker_id, lease.high_time, renewed.high_time)
            ):
                return renewed
        raise ImError(error_table.UNAVAILABLE, f"the claim of worker id {lease.worker_id} was lost")

    async def _claim(self, lease: WorkerLease) -> int | None:
        now_ms = self._clock.now_ms()
        return await self._database.write(
            lambda connection: claim_worker(connection, lease.worker_id, now_ms, lease.high_time)
        )
