"""Kafka over TLS, with a name and a password: the whole bus, once; and what is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from im_cli.engines.engine import Engine
from im_cli.engines.kafka import KafkaAccount, KafkaTls, kafka
from im_infra.errors import ImError
from tests.integration.im_infra.bus.conftest import OpenBus, Taken, until
from tests.support.certificates import make_authority, make_certificate
from tests.support.kafka import jars

TOPIC = "im.push"
PASSWORD = "not a secret"


@dataclass(frozen=True)
class Secured:
    engine: Engine
    authority: Path
    another: Path


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("kafka-tls")
    authority, another = make_authority(folder), make_authority(folder, "another")
    server = make_certificate(folder, authority)
    tls = KafkaTls(server.certificate, server.key, authority.certificate)
    account = KafkaAccount(password=PASSWORD)
    with kafka(folder / "broker", jars=jars(), heap_mib=256, tls=tls, account=account) as engine:
        yield Secured(engine, authority.certificate, another.certificate)


def reached(ca: Path, password: str = PASSWORD) -> dict[str, Any]:
    return {
        "tls": {"enabled": True, "ca": ca},
        "sasl": {"mechanism": "PLAIN", "username": "im", "password": password},
    }


async def test_everything_works_over_tls_with_a_password(secured: Secured, open_kafka_bus: OpenBus) -> None:
    bus = await open_kafka_bus(secured.engine.address, **reached(secured.authority))
    await bus.check()
    taken = Taken(poison={b"bad"})
    async with bus.consume(TOPIC, group="task", handler=taken.by("one")):
        for value in (b"1", b"bad", b"2"):
            await bus.publish(TOPIC, key=b"k", value=value)
        await taken.until({b"1", b"2"})

        async def dead() -> bool:
            return bool(await bus.dead_letters())

        await until(dead)
        taken.poison.clear()
        (letter,) = await bus.dead_letters()
        assert await bus.redrive(letter.dead_letter_id)
        await taken.until({b"bad"})
        assert await bus.dead_letters() == []


async def test_a_broker_of_another_authority_is_refused(secured: Secured, open_kafka_bus: OpenBus) -> None:
    bus = await open_kafka_bus(secured.engine.address, **reached(secured.another))
    with pytest.raises(ImError, match="certificate verify failed"):
        await bus.publish(TOPIC, key=b"k", value=b"1")
    with pytest.raises(ImError, match="certificate verify failed"):
        await bus.check()


async def test_a_wrong_password_is_told(secured: Secured, open_kafka_bus: OpenBus) -> None:
    bus = await open_kafka_bus(secured.engine.address, **reached(secured.authority, "another"))
    with pytest.raises(ImError, match="Authentication failed"):
        await bus.publish(TOPIC, key=b"k", value=b"1")
