"""What `im doctor` looks at where engines are shared: each of them, and what a process needs to be one of a cluster."""

import asyncio
from pathlib import Path

from im_cli.exit_code import CommandError
from im_cli.process.settings import ProcessSettings
from im_cli.secret_file import read
from im_infra.clock import SystemClock
from im_infra.finding import Finding, Grade


def examine_cluster(settings: ProcessSettings) -> list[Finding]:
    """Look at the secrets, and at every engine that the settings name; side by side, some seconds at most."""
    findings = [_secrets(settings.secrets.file)]
    try:
        findings += asyncio.run(_examine_engines(settings))
    except OSError as error:
        advice = "mend the paths under …tls in the settings"
        findings.append(Finding(Grade.BAD, "certificates", f"one cannot be read: {error}", advice))
    return findings


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
        from im_infra.sql.examine import examine_mysql  # noqa: PLC0415 - see above

        looks.append(examine_mysql(settings.sql.mysql))
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
