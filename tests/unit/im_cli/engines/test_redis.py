"""Redis as tests and clusters start it: closed to strangers, empty after a restart, never evicting."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis as library
from redis.exceptions import AuthenticationError

from im_cli.engines.engine import Engine
from im_cli.engines.redis import REQUIREMENTS, RedisTls, redis, redis_client
from tests.support.certificates import make_authority, make_certificate
from tests.support.engines import require

PASSWORD = 'two "words" \\ odd'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require(REQUIREMENTS)
    return tmp_path_factory.mktemp("redis")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[Engine]:
    with redis(folder, password=PASSWORD) as engine:
        yield engine


def test_nobody_comes_in_without_the_password(engine: Engine) -> None:
    with pytest.raises(AuthenticationError), redis_client(engine.port, password="wrong") as client:
        client.ping()


def test_only_its_owner_reads_the_password(engine: Engine, folder: Path) -> None:
    assert (folder / "redis.conf").stat().st_mode & 0o777 == 0o600
    assert not any(PASSWORD in part for part in engine.command)


def test_it_is_reached_from_this_machine_alone(engine: Engine) -> None:
    listening = [one for one in psutil.Process(engine.pid).net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert [one.laddr for one in listening] == [("127.0.0.1", engine.port)]


def test_it_refuses_new_keys_rather_than_dropping_old_ones(engine: Engine) -> None:
    with redis_client(engine.port, password=PASSWORD) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_it_is_empty_after_a_kill(engine: Engine) -> None:
    """On the same port and with the same password."""
    with redis_client(engine.port, password=PASSWORD) as client:
        client.set("a", "1")
    engine.kill()
    engine.start()
    with redis_client(engine.port, password=PASSWORD) as client:
        assert client.dbsize() == 0


def test_further_options_replace_ours(tmp_path: Path) -> None:
    require(REQUIREMENTS)
    with (
        redis(tmp_path, password=PASSWORD, options=["maxmemory 8mb"]) as engine,
        redis_client(engine.port, password=PASSWORD) as client,
    ):
        assert client.config_get("maxmemory") == {"maxmemory": str(8 << 20)}


def test_speaks_tls_alone(tmp_path: Path) -> None:
    require(REQUIREMENTS)
    authority = make_authority(tmp_path)
    made = make_certificate(tmp_path, authority)
    tls = RedisTls(made.certificate, made.key, authority.certificate)
    with redis(tmp_path / "data", password=PASSWORD, tls=tls) as engine:
        with redis_client(engine.port, password=PASSWORD, tls=tls) as client:
            assert client.ping()
        with (
            pytest.raises((library.ConnectionError, library.TimeoutError)),
            redis_client(engine.port, password="") as client,
        ):
            client.ping()
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.get_server_certificate(
                ("127.0.0.1", engine.port), ca_certs=str(make_authority(tmp_path, "other").certificate)
            )
