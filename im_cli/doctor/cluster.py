"""What `im doctor` looks at where engines are shared: each of them, and what a process needs to be one of a cluster."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from im_cli.doctor.machine import LOOPBACK
from im_cli.exit_code import CommandError
from im_cli.process.settings import ProcessSettings, RpcSettings
from im_cli.secret_file import read
from im_infra.clock import SystemClock
from im_infra.finding import Finding, Grade

_EVERYWHERE: Final = frozenset({"", "0.0.0.0", "[::]", "::"})  # noqa: S104 - compared, not listened on


def examine_cluster(settings: ProcessSettings) -> list[Finding]:
    """Look at how processes meet, and at every engine that the settings name; side by side, some seconds at most."""
    findings = []
    if settings.is_distributed:
        findings = [_secrets(settings.secrets.file), *judge_sharing(settings), *judge_rpc(settings.rpc)]
    try:
        findings += asyncio.run(_examine_engines(settings))
    except OSError as error:
        advice = "mend the paths under …tls in the settings"
        findings.append(Finding(Grade.BAD, "certificates", f"one cannot be read: {error}", advice))
    return findings


def judge_sharing(settings: ProcessSettings) -> Iterator[Finding]:
    """Whether what processes on several machines need is shared by them."""
    if settings.shares_memory:
        told = f"cache.kind is {settings.cache.kind}, bus.kind is {settings.bus.kind}"
        advice = "set them to `redis` and `kafka`; as it is, gateway, logic and task must be one process"
        yield Finding(Grade.WARNING, "sharing", told, advice)
    if settings.sql.kind == "sqlite":
        advice = "set sql.kind to `mysql`; as it is, repo runs on this machine alone, once"
        yield Finding(Grade.WARNING, "sharing", "the database is a file of this machine", advice)


def judge_rpc(rpc: RpcSettings) -> Iterator[Finding]:
    """Whether other processes can reach what this one announces, and whether strangers can."""
    subject = "rpc.listen"
    if not rpc.listen:
        yield Finding(Grade.GOOD, subject, "not set; each process is given it with --listen")
        return
    host = rpc.listen.rpartition(":")[0]
    announced = rpc.advertise or rpc.listen
    told = f"{rpc.listen}, announced as {announced}"
    if announced.rpartition(":")[0] in _EVERYWHERE:
        advice = "set rpc.advertise to an address of this machine that the others can reach"
        yield Finding(Grade.BAD, subject, f"{told}, which is no address", advice)
    elif announced.rpartition(":")[0] in LOOPBACK:
        advice = "with others on other machines, set rpc.advertise"
        yield Finding(Grade.WARNING, subject, f"{told}: only processes of this machine reach it", advice)
    else:
        yield Finding(Grade.GOOD, subject, told)
    if host not in LOOPBACK and rpc.tls.ca is None:
        advice = "set rpc.tls, or let nobody else into that network"
        yield Finding(Grade.WARNING, "rpc.tls", f"not set: whoever reaches {rpc.listen} is believed", advice)


def _secrets(file: Path | None) -> Finding:
    if file is None:
        advice = "`im keys make secrets.json` writes one; give the same to every process"
        return Finding(Grade.BAD, "secrets", "secrets.file is not set", advice)
    try:
        secrets = read(file)
    except CommandError as error:
        return Finding(Grade.BAD, "secrets", error.message, error.advice)
    return Finding(Grade.GOOD, "secrets", f"{file} holds {len(secrets.signing_keys)} keys, readable by its owner only")


async def _examine_engines(settings: ProcessSettings) -> list[Finding]:
    # Each engine's examination brings its client library along: only those that are named are imported.
    looks = []
    if settings.sql.kind == "mysql":
        from im_cli.doctor.schema import examine_schema  # noqa: PLC0415 - see above
        from im_infra.sql.examine import examine_mysql  # noqa: PLC0415 - see above

        looks += [examine_mysql(settings.sql.mysql), examine_schema(settings.sql.mysql)]
    if settings.cache.kind == "redis":
        from im_infra.cache.redis.examine import examine_redis  # noqa: PLC0415 - see above

        looks.append(examine_redis(settings.cache.redis))
    if settings.bus.kind == "kafka":
        from im_infra.bus.kafka.examine import examine_kafka  # noqa: PLC0415 - see above

        looks.append(examine_kafka(settings.bus.kafka))
    if settings.discovery.kind == "etcd":
        from im_infra.discovery.etcd.examine import examine_etcd  # noqa: PLC0415 - see above

        looks.append(examine_etcd(settings.discovery.etcd, SystemClock()))
    return [finding for findings in await asyncio.gather(*looks) for finding in findings]
