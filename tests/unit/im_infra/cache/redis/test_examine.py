"""What `im doctor` says of a Redis: a real one, in good and in bad shape."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from im_cli.engines.engine import Engine, free_port
from im_cli.engines.redis import redis_client
from im_cli.engines.redis_cluster import RedisCluster
from im_infra.cache.redis.examine import _judge, examine_redis
from im_infra.finding import Finding, Grade
from im_infra.settings.client_tls import ClientTlsSettings
from tests.support.engine_fixtures import PASSWORD, redis_settings


@contextmanager
def configured(engine: Engine, **values: str) -> Iterator[None]:
    with redis_client(engine.port, password=PASSWORD) as client:
        before = {name: client.config_get(name.replace("_", "-")) for name in values}
        for name, value in values.items():
            client.config_set(name.replace("_", "-"), value)
        try:
            yield
        finally:
            for held in before.values():
                for name, value in held.items():
                    client.config_set(name, value)


async def found(engine: Engine, subject: str) -> Finding:
    (finding,) = [one for one in await examine_redis(redis_settings(engine.address)) if one.subject == subject]
    return finding


async def test_as_we_start_it_it_is_good(redis_engine: Engine) -> None:
    findings = await examine_redis(redis_settings(redis_engine.address))
    assert {finding.grade for finding in findings} == {Grade.GOOD}
    assert [finding.subject for finding in findings] == ["redis", "redis memory", "redis disk", "redis clock"]


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_one_that_may_drop_routes_is_bad(redis_engine: Engine, policy: str) -> None:
    with configured(redis_engine, maxmemory_policy=policy):
        finding = await found(redis_engine, "redis memory")
    assert finding.grade is Grade.BAD
    assert policy in finding.told
    assert "noeviction" in finding.advice


async def test_no_limit_and_little_room_are_warned_of(redis_engine: Engine) -> None:
    for limit in ("0", "1100000"):
        with configured(redis_engine, maxmemory=limit):
            assert (await found(redis_engine, "redis memory")).grade is Grade.WARNING


async def test_a_log_of_everything_is_not_needed(redis_engine: Engine) -> None:
    with configured(redis_engine, appendonly="yes"):
        assert (await found(redis_engine, "redis disk")).grade is Grade.WARNING


async def test_nobody_there_and_a_wrong_password_are_bad(redis_engine: Engine) -> None:
    settings = redis_settings(redis_engine.address)
    for changed in ({"addresses": (f"127.0.0.1:{free_port()}",)}, {"password": SecretStr("wrong")}):
        (finding,) = await examine_redis(settings.model_copy(update=changed))
        assert finding.grade is Grade.BAD
        assert "cache.redis" in finding.advice
        assert "wrong" not in finding.told.split()


async def test_certificates_that_cannot_be_read_are_bad(redis_engine: Engine) -> None:
    tls = ClientTlsSettings(enabled=True, ca=Path("no such file.pem"))
    (finding,) = await examine_redis(redis_settings(redis_engine.address, tls=tls))
    assert finding.grade is Grade.BAD
    assert "cache.redis.tls" in finding.advice


async def test_a_paused_one_is_bad_in_time(redis_engine: Engine) -> None:
    redis_engine.pause()
    (finding,) = await examine_redis(redis_settings(redis_engine.address, timeout_ms=100))
    assert (finding.grade, "no answer" in finding.told or "Timeout" in finding.told) == (Grade.BAD, True)


async def test_a_cluster_and_a_single_server_are_told_apart(redis_engine: Engine, redis_cluster: RedisCluster) -> None:
    findings = await examine_redis(redis_settings(*redis_cluster.addresses, cluster=True))
    assert {finding.grade for finding in findings} == {Grade.GOOD}
    assert [finding.subject for finding in findings].count("redis cluster") == 3
    for address, cluster in ((redis_engine.address, True), (redis_cluster.addresses[0], False)):
        findings = await examine_redis(redis_settings(address, cluster=cluster))
        (finding,) = [one for one in findings if one.subject == "redis cluster"]
        assert finding.grade is Grade.BAD
        assert f"set cache.redis.cluster to {str(not cluster).lower()}" in finding.advice


@pytest.mark.parametrize(
    ("told", "subject", "grade"),
    [
        (b"redis_version:5.0.7", "redis", Grade.BAD),
        (b"redis_version:7.0.1\r\nrole:slave", "redis role", Grade.BAD),
        (b"redis_version:7.0.1\r\nrdb_last_bgsave_status:err", "redis disk", Grade.BAD),
    ],
)
def test_what_cannot_be_made_here_is_judged(told: bytes, subject: str, grade: Grade) -> None:
    findings = _judge("a:1", redis_settings("a:1"), [told, [b"1000", b"0"]], now=1_000.0)
    assert [one.grade for one in findings if one.subject == subject] == [grade]


@pytest.mark.parametrize(("now", "grade"), [(1_001.0, Grade.GOOD), (1_010.0, Grade.WARNING), (900.0, Grade.BAD)])
def test_a_clock_apart_is_judged_by_how_far(now: float, grade: Grade) -> None:
    findings = _judge("a:1", redis_settings("a:1"), [b"redis_version:7.0.1", [b"1000", b"0"]], now=now)
    assert [one.grade for one in findings if one.subject == "redis clock"] == [grade]
