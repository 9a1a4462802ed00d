"""etcd as tests and clusters start it: closed to strangers, whole after a kill."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import aetcd
import grpc
import psutil
import pytest
from aetcd import rpc

from im_cli.engines.engine import Engine
from im_cli.engines.etcd import REQUIREMENTS, EtcdAccount, EtcdTls, etcd
from tests.support.certificates import make_authority, make_certificate
from tests.support.engines import require

ACCOUNT = EtcdAccount(password="two words")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    require(REQUIREMENTS)
    with etcd(tmp_path_factory.mktemp("etcd"), ACCOUNT) as engine:
        yield engine


def client(engine: Engine, password: str | None = ACCOUNT.password) -> aetcd.Client:
    return aetcd.Client(port=engine.port, username=password and ACCOUNT.user, password=password, timeout=5)


async def test_the_account_works_under_its_prefix_alone(engine: Engine) -> None:
    async with client(engine) as known:
        await known.put(b"/im/a", b"1")
        assert (await known.get(b"/im/a")).value == b"1"
        with pytest.raises((aetcd.ClientError, grpc.RpcError)):
            await known.put(b"/other", b"1")


async def test_nobody_comes_in_without_the_password(engine: Engine) -> None:
    with pytest.raises((aetcd.ClientError, grpc.RpcError)):
        async with client(engine, "wrong") as wrong:
            await wrong.get(b"/im/a")
    async with client(engine, None) as nobody:
        with pytest.raises((aetcd.ClientError, grpc.RpcError)):
            await nobody.get(b"/im/a")


def test_it_is_reached_from_this_machine_alone(engine: Engine) -> None:
    listening = [one for one in psutil.Process(engine.pid).net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert {one.laddr.ip for one in listening} == {"127.0.0.1"}


async def test_what_was_written_is_there_after_a_kill(engine: Engine) -> None:
    async with client(engine) as known:
        await known.put(b"/im/b", b"2")
    engine.kill()
    engine.start()
    async with client(engine) as known:
        assert (await known.get(b"/im/b")).value == b"2"


def test_speaks_tls_alone(tmp_path: Path) -> None:
    require(REQUIREMENTS)
    authority, other = make_authority(tmp_path), make_authority(tmp_path, "other")
    made = make_certificate(tmp_path, authority)
    tls = EtcdTls(made.certificate, made.key, authority.certificate)
    with etcd(tmp_path / "data", None, tls=tls) as engine:
        credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
        with grpc.secure_channel(engine.address, credentials) as channel:
            assert rpc.KVStub(channel).Range(rpc.RangeRequest(key=b"a"), timeout=5).count == 0
        with grpc.insecure_channel(engine.address) as channel, pytest.raises(grpc.RpcError):
            rpc.KVStub(channel).Range(rpc.RangeRequest(key=b"a"), timeout=5)
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.get_server_certificate(("127.0.0.1", engine.port), ca_certs=str(other.certificate))
