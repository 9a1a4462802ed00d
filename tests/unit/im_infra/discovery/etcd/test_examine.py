"""What `im doctor` says of an etcd."""

from types import SimpleNamespace
from typing import Any

import pytest
from aetcd import rpc

from im_cli.engines.engine import Engine, free_port
from im_infra.clock import ManualClock, SystemClock
from im_infra.discovery.etcd.connection import EtcdConnection
from im_infra.discovery.etcd.examine import _judge, examine_etcd
from im_infra.discovery.etcd.workers import Workers
from im_infra.discovery.settings import EtcdSettings
from im_infra.finding import Grade


def status(**changed: Any) -> Any:
    return SimpleNamespace(**{"version": "3.5.9", "dbSize": 1 << 20, "errors": [], **changed})


async def test_one_that_answers_is_good_and_a_single_member_is_warned_of(
    etcd_settings: EtcdSettings, etcd_engine: Engine
) -> None:
    findings = await examine_etcd(etcd_settings, SystemClock())
    assert [(one.subject, one.grade) for one in findings] == [
        ("etcd", Grade.GOOD),
        ("clock", Grade.GOOD),
        ("etcd members", Grade.WARNING),
    ]
    assert etcd_engine.address in findings[0].told


async def test_one_of_three_that_is_away_is_bad(etcd_settings: EtcdSettings) -> None:
    endpoints = (*etcd_settings.endpoints, f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    findings = await examine_etcd(
        etcd_settings.model_copy(update={"endpoints": endpoints, "timeout_s": 0.5}), SystemClock()
    )
    assert [one.grade for one in findings if one.subject == "etcd"] == [Grade.GOOD, Grade.BAD, Grade.BAD]
    assert not [one for one in findings if one.subject == "etcd members"]


async def test_a_clock_behind_that_of_others_is_warned_of(
    etcd_settings: EtcdSettings, connection: EtcdConnection
) -> None:
    ours, theirs = ManualClock(), ManualClock()
    theirs.advance(120)
    await Workers(connection, theirs).lease(above=0)
    (finding,) = [one for one in await examine_etcd(etcd_settings, ours) if one.subject == "clock"]
    assert finding.grade is Grade.WARNING
    assert "120 s behind" in finding.told


@pytest.mark.parametrize(
    ("changed", "grade"),
    [
        ({}, Grade.GOOD),
        ({"version": "3.3.1"}, Grade.BAD),
        ({"dbSize": 3 << 30}, Grade.WARNING),
        ({"errors": ["memberID:1 alarm:NOSPACE"]}, Grade.BAD),
    ],
)
def test_its_status_is_judged(changed: dict[str, Any], grade: Grade) -> None:
    assert [one.grade for one in _judge("a:1", status(**changed))] == [grade]


def test_a_real_status_has_what_is_looked_at() -> None:
    assert {"version", "dbSize", "errors"} <= {field.name for field in rpc.StatusResponse.DESCRIPTOR.fields}
