"""Looking at a Redis for `im doctor`: whether it is there, young enough, keeps what it was given, and tells our time."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Final

from redis.exceptions import RedisError

from im_infra.cache.redis.connect import Command, Reply, connect
from im_infra.cache.settings import RedisSettings
from im_infra.finding import Finding, Grade

OLDEST: Final = (6, 2)
"""GETDEL came with it."""
_FULL: Final = 0.8
_SKEW_S: Final = 5.0
_BAD_SKEW_S: Final = 60.0
"""Routes carry the wall time of their end, three minutes ahead: clocks that far apart make them vanish."""
_ASKED: Final[tuple[Command, ...]] = (("INFO",), ("TIME",))
_CLUSTER: Final[Command] = ("CLUSTER", "INFO")


async def examine_redis(settings: RedisSettings) -> list[Finding]:
    """Look at each of the addresses. Takes a few timeouts at most, and raises nothing."""
    findings: list[Finding] = []
    try:
        context = settings.tls.context()
    except OSError as error:
        return [Finding(Grade.BAD, "redis", f"its certificates cannot be read: {error}", "mend cache.redis.tls")]
    for address in settings.addresses:
        commands = (*_ASKED, _CLUSTER) if settings.cluster else _ASKED
        try:
            async with asyncio.timeout(settings.timeout_ms * 2 / 1000):
                connection = await connect(address, settings, context)
                replies = await connection.exchange(commands)
                await connection.close()
        except (RedisError, TimeoutError) as error:
            told = f"{address}: {str(error) or 'no answer in time'}"
            findings.append(Finding(Grade.BAD, "redis", told, "start it, or mend cache.redis in the settings"))
            continue
        findings += _judge(address, settings, replies, now=time.time())
    return findings


def _judge(address: str, settings: RedisSettings, replies: list[Reply], *, now: float) -> Iterator[Finding]:
    if not isinstance(replies[0], bytes):
        told = f"{address}: may not be asked: {replies[0]}"
        yield Finding(Grade.WARNING, "redis", told, "grant INFO to its user, so that it can be looked at")
        return
    info = _fields(replies[0])
    yield _version(address, info)
    yield _memory(address, info)
    yield _disk(address, info)
    if info.get("role", "master") != "master":
        told = f"{address} is a replica, and takes no writes"
        yield Finding(Grade.BAD, "redis role", told, "name its master in cache.redis.addresses")
    if isinstance(replies[1], list):
        yield _clock(address, int(replies[1][0]) + int(replies[1][1]) / 1e6 - now)
    if settings.cluster != (info.get("cluster_enabled") == "1"):
        told = f"{address} is {'no' if settings.cluster else 'a'} node of a cluster"
        yield Finding(
            Grade.BAD, "redis cluster", told, f"set cache.redis.cluster to {str(not settings.cluster).lower()}"
        )
    elif settings.cluster:
        yield _cluster(address, replies[2])


def _version(address: str, info: Mapping[str, str]) -> Finding:
    version = info.get("redis_version", "0")
    if tuple(int(part) for part in version.split(".")[:2] if part.isdecimal()) < OLDEST:
        return Finding(Grade.BAD, "redis", f"{address}: version {version}", "6.2 or newer is needed")
    return Finding(Grade.GOOD, "redis", f"{address}: version {version}")


def _memory(address: str, info: Mapping[str, str]) -> Finding:
    policy, limit, used = (info.get(name, "0") for name in ("maxmemory_policy", "maxmemory", "used_memory"))
    told = f"{address}: maxmemory-policy {policy}, {int(used) / 2**20:.0f} of {int(limit) / 2**20:.0f} MiB"
    if policy != "noeviction":
        advice = "set noeviction: a route that is dropped silently cuts a user off"
        return Finding(Grade.BAD, "redis memory", told, advice)
    if not int(limit):
        told = f"{address}: {int(used) / 2**20:.0f} MiB used, no limit"
        return Finding(Grade.WARNING, "redis memory", told, "set maxmemory, or the system kills it when memory ends")
    if int(used) > int(limit) * _FULL:
        return Finding(Grade.WARNING, "redis memory", told, "raise maxmemory: full, it refuses new sessions' routes")
    return Finding(Grade.GOOD, "redis memory", told)


def _disk(address: str, info: Mapping[str, str]) -> Finding:
    if "err" in {info.get("rdb_last_bgsave_status"), info.get("aof_last_write_status")}:
        told = f"{address}: could not write to its disk, and may refuse all writes"
        return Finding(Grade.BAD, "redis disk", told, 'make room, or let it keep nothing: save "" and appendonly no')
    if info.get("aof_enabled") == "1":
        told = f"{address}: writes everything to its disk"
        return Finding(Grade.WARNING, "redis disk", told, "appendonly no: all of it is published again after a restart")
    return Finding(Grade.GOOD, "redis disk", f"{address}: nothing waits for its disk")


def _clock(address: str, ahead_s: float) -> Finding:
    told = f"{address}: {abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine"
    if abs(ahead_s) < _SKEW_S:
        return Finding(Grade.GOOD, "redis clock", told)
    grade = Grade.BAD if abs(ahead_s) >= _BAD_SKEW_S else Grade.WARNING
    return Finding(grade, "redis clock", told, "run a time service on both: routes and tokens carry wall times")


def _cluster(address: str, reply: Reply) -> Finding:
    state = _fields(reply) if isinstance(reply, bytes) else {}
    told = (
        f"{address}: state {state.get('cluster_state', 'unknown')}, {state.get('cluster_slots_ok', '0')} slots served"
    )
    if state.get("cluster_state") == "ok" and state.get("cluster_slots_ok") == "16384":
        return Finding(Grade.GOOD, "redis cluster", told)
    return Finding(Grade.BAD, "redis cluster", told, "each slot without a node is a share of all users without routes")


def _fields(told: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in told.decode(errors="replace").splitlines())
    return {name: value for name, colon, value in lines if colon}
