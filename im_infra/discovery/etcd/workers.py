"""Worker ids on etcd: an id's recorded high time is replaced by compare-and-set, so of two takers one wins."""

import random
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, Final

from aetcd import rpc

from im_infra import error_table
from im_infra.clock import Clock
from im_infra.discovery import lease_window
from im_infra.discovery.abstract import WorkerLease
from im_infra.discovery.etcd.connection import EtcdConnection
from im_infra.errors import ImError
from im_infra.ids.snowflake import MAX_WORKERS

_TRIES: Final = 32
"""Each that loses a race for an id looks among more of them: a whole cluster may start at once."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    worker_id: int
    high_time: int
    revision: int


class Workers:
    """Leases worker ids.

    Args:
        connection: to etcd.
        clock: wall and monotonic time.
    """

    def __init__(self, connection: EtcdConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._prefix = connection.key("worker", "")

    async def lease(self, *, above: int) -> WorkerLease:
        """See `abstract.Discovery.lease_worker`."""
        for attempt in range(_TRIES):
            now_ms, asked_at = self._clock.now_ms(), self._clock.monotonic()
            recorded = await self._read()
            free = _free(recorded, now_ms, pick=random.randint(0, attempt))  # noqa: S311 - whoever lost looks further on
            if free is None:
                raise ImError(error_table.UNAVAILABLE, "every worker id is taken", retry_after_ms=60_000)
            high_time = lease_window.first_high_time(now_ms, above)
            if await self._record(free.worker_id, high_time, self._unchanged(free)):
                floor_time = max(free.high_time, above)
                return WorkerLease(free.worker_id, floor_time, high_time, lease_window.deadline(asked_at))
        raise ImError(error_table.UNAVAILABLE, "others took every worker id first", retry_after_ms=1_000)

    async def renew(self, lease: WorkerLease) -> WorkerLease:
        """See `abstract.Discovery.renew_worker`."""
        now_ms, asked_at = self._clock.now_ms(), self._clock.monotonic()
        high_time = lease_window.extended_high_time(lease, now_ms, asked_at)
        mine = rpc.Compare(
            result=rpc.Compare.EQUAL,
            target=rpc.Compare.VALUE,
            key=self._key(lease.worker_id),
            value=str(lease.high_time).encode(),
        )
        if not await self._record(lease.worker_id, high_time, mine):
            raise ImError(error_table.UNAVAILABLE, f"the lease of worker id {lease.worker_id} was lost")
        return replace(lease, high_time=high_time, deadline=lease_window.deadline(asked_at))

    async def _read(self) -> dict[int, _Recorded]:
        response = await self._connection.range(self._prefix)
        found = {}
        for entry in response.kvs:
            worker_id = int(entry.key.removeprefix(self._prefix))
            found[worker_id] = _Recorded(worker_id, int(entry.value), entry.mod_revision)
        return found

    async def _record(self, worker_id: int, high_time: int, condition: Any) -> bool:  # noqa: ANN401 - generated without types
        put = rpc.PutRequest(key=self._key(worker_id), value=str(high_time).encode())
        request = rpc.TxnRequest(compare=[condition], success=[rpc.RequestOp(request_put=put)])
        response = await self._connection.transact(request)
        return bool(response.succeeded)

    def _unchanged(self, recorded: _Recorded) -> Any:  # noqa: ANN401 - as above
        return rpc.Compare(
            result=rpc.Compare.EQUAL,
            target=rpc.Compare.MOD,
            key=self._key(recorded.worker_id),
            mod_revision=recorded.revision,
        )

    def _key(self, worker_id: int) -> bytes:
        return self._prefix + f"{worker_id:04}".encode()


def _free(recorded: dict[int, _Recorded], now_ms: int, *, pick: int) -> _Recorded | None:
    """One of the ids that may be taken: the lowest whose recorded time has passed, else the lowest never used.

    Args:
        recorded: what is recorded of those that were used.
        now_ms: the time.
        pick: so many of them are passed over, where there are so many.
    """
    passed = sorted(
        (entry for entry in recorded.values() if entry.high_time <= now_ms), key=lambda entry: entry.worker_id
    )
    unused = (_Recorded(number, 0, 0) for number in range(MAX_WORKERS) if number not in recorded)
    free = list(islice(chain(passed, unused), pick + 1))
    return free[-1] if free else None
