"""What a process needs to be one of several."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from im_cli.doctor.cluster import examine_cluster, judge_rpc, judge_sharing
from im_cli.process.settings import ProcessSettings, RpcSettings
from im_infra.bus.settings import BusSettings
from im_infra.cache.settings import CacheSettings, RedisSettings
from im_infra.discovery.settings import DiscoverySettings, EtcdSettings
from im_infra.finding import Grade
from im_infra.rpc.settings import RpcTlsSettings
from im_infra.sql.settings import MysqlSettings, SqlSettings

TLS = RpcTlsSettings(ca=Path("ca.pem"), certificate=Path("node.pem"), private_key=Path("node.key"))
ETCD = DiscoverySettings(kind="etcd", etcd=EtcdSettings(endpoints=("127.0.0.1:1",), timeout_s=0.2))
REDIS = CacheSettings(kind="redis", redis=RedisSettings(password=SecretStr("x")))
MYSQL = SqlSettings(kind="mysql", mysql=MysqlSettings(port=1, password=SecretStr("x"), connect_timeout_s=0.2))


@pytest.mark.parametrize(
    ("rpc", "grades"),
    [
        (RpcSettings(), [Grade.GOOD]),
        (RpcSettings(listen="127.0.0.1:9000"), [Grade.WARNING]),
        (RpcSettings(listen="10.0.0.5:9000"), [Grade.GOOD, Grade.WARNING]),
        (RpcSettings(listen="10.0.0.5:9000", tls=TLS), [Grade.GOOD]),
        (RpcSettings(listen="0.0.0.0:9000", tls=TLS), [Grade.BAD]),
        (RpcSettings(listen="[::]:9000", tls=TLS), [Grade.BAD]),
        (RpcSettings(listen="0.0.0.0:9000", advertise="logic.internal:9000", tls=TLS), [Grade.GOOD]),
    ],
)
def test_an_address_is_judged_by_who_can_reach_it(rpc: RpcSettings, grades: list[Grade]) -> None:
    assert [finding.grade for finding in judge_rpc(rpc)] == grades


def test_what_lies_in_one_process_or_on_one_machine_is_told() -> None:
    alone = list(judge_sharing(ProcessSettings(discovery=ETCD)))
    assert [finding.grade for finding in alone] == [Grade.WARNING, Grade.WARNING]
    shared = ProcessSettings(discovery=ETCD, sql=MYSQL, cache=REDIS, bus=BusSettings(kind="kafka"))
    assert list(judge_sharing(shared)) == []


def test_missing_secrets_and_engines_that_are_away_must_be_mended() -> None:
    findings = examine_cluster(ProcessSettings(discovery=ETCD, sql=MYSQL))
    bad = [finding.subject for finding in findings if finding.grade is Grade.BAD]
    assert bad[:2] == ["secrets", "database"]
    assert any("etcd" in subject for subject in bad), bad
    assert "schema" not in bad, "told once"
