"""Looking at an etcd for `im doctor`: whether its members answer and agree, have room, and whether our clock lags."""

from typing import Any, Final

from im_infra.clock import Clock
from im_infra.discovery import lease_window
from im_infra.discovery.etcd.connection import EtcdConnection
from im_infra.discovery.settings import EtcdSettings
from im_infra.errors import ImError
from im_infra.finding import Finding, Grade

OLDEST: Final = (3, 4)
_LARGE_BYTES: Final = 1 << 30
"""Half of what etcd allows by default; then it refuses every write."""
_SKEW_MS: Final = 30_000


async def examine_etcd(settings: EtcdSettings, clock: Clock) -> list[Finding]:
    """Look at each of the endpoints. Takes a few timeouts at most, and raises nothing but OSError.

    Raises:
        OSError: a certificate cannot be read.
    """
    findings = []
    lag: Finding | None = None
    for endpoint in settings.endpoints:
        connection = EtcdConnection(settings.model_copy(update={"endpoints": (endpoint,)}))
        try:
            await connection.check()
            findings += _judge(endpoint, await connection.status())
            lag = lag or await _clock(connection, clock)
        except ImError as error:
            advice = "start it, or mend discovery.etcd in the settings"
            findings.append(Finding(Grade.BAD, "etcd", error.message, advice))
        finally:
            await connection.close()
    if lag is not None:
        findings.append(lag)
    if len(settings.endpoints) in {1, 2}:
        told = "one endpoint" if len(settings.endpoints) == 1 else "two endpoints"
        advice = "while it is away no process can start: run three members, and name them all"
        findings.append(Finding(Grade.WARNING, "etcd members", told, advice))
    return findings


def _judge(endpoint: str, status: Any) -> list[Finding]:  # noqa: ANN401 - generated without types
    told = f"{endpoint}: version {status.version}, {status.dbSize / 2**20:.1f} MiB"
    if tuple(int(part) for part in status.version.split(".")[:2]) < OLDEST:
        return [Finding(Grade.BAD, "etcd", told, "3.4 or newer is needed")]
    if status.errors:
        problems = "; ".join(status.errors)
        return [Finding(Grade.BAD, "etcd", f"{told}: {problems}", "compact and defragment it, then disarm the alarm")]
    if status.dbSize > _LARGE_BYTES:
        advice = "let it compact by itself (--auto-compaction-retention) and defragment it, before it refuses writes"
        return [Finding(Grade.WARNING, "etcd", told, advice)]
    return [Finding(Grade.GOOD, "etcd", told)]


async def _clock(connection: EtcdConnection, clock: Clock) -> Finding:
    """Our clock against those that recorded times of worker ids; etcd itself tells no time."""
    recorded = [int(entry.value) for entry in (await connection.range(connection.key("worker", ""))).kvs]
    behind_ms = max(recorded, default=0) - lease_window.first_high_time(clock.now_ms())
    if behind_ms > _SKEW_MS:
        told = f"{behind_ms / 1000:.0f} s behind that of a process that leased a worker id"
        return Finding(Grade.WARNING, "clock", told, "run a time service; after a restore ids run ahead for an hour")
    return Finding(Grade.GOOD, "clock", "not behind those of the processes that leased worker ids")
