"""How a server is reached: TLS, certificates, passwords, and how long a connection may take."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from im_cli.engines.mariadb import MariadbTls
from im_infra.sql.errors import StoreUnavailableError
from im_infra.sql.mysql import open_mysql
from im_infra.sql.mysql_connections import Purpose, make_engine
from im_infra.sql.settings import MysqlSettings, MysqlTlsSettings
from tests.support.certificates import Certificate, make_authority, make_certificate
from tests.support.mariadb import MariadbServer, start_mariadb
from tests.support.tcp_proxy import SILENT, TcpProxy


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory, authority: Certificate) -> Iterator[MariadbServer]:
    folder = tmp_path_factory.mktemp("tls")
    made = make_certificate(folder, authority)
    options = [f"--ssl-ca={authority.certificate}"]
    with start_mariadb(folder, tls=MariadbTls(made.certificate, made.key), options=options) as server:
        yield server


async def status(settings: MysqlSettings, name: str) -> str:
    async with open_mysql(settings) as database:
        return await database.read(lambda connection: connection.exec_driver_sql(f"SHOW STATUS LIKE '{name}'").one()[1])


async def test_it_speaks_tls_with_a_server_it_trusts(tls_server: MariadbServer, authority: Certificate) -> None:
    tls = MysqlTlsSettings(enabled=True, ca=authority.certificate)
    assert (await status(tls_server.settings("im", tls=tls), "Ssl_version")).startswith("TLSv1.")


async def test_it_shows_a_certificate_where_the_server_asks_for_one(
    tls_server: MariadbServer, authority: Certificate, tmp_path: Path
) -> None:
    own = make_certificate(tmp_path, authority, "client")
    bare = MysqlTlsSettings(enabled=True, ca=authority.certificate)
    shown = MysqlTlsSettings(enabled=True, ca=authority.certificate, certificate=own.certificate, private_key=own.key)
    tls_server.administer("ALTER USER im@'%' REQUIRE X509")
    try:
        assert await status(tls_server.settings("im", tls=shown), "Ssl_cipher")
        with pytest.raises(StoreUnavailableError, match="1045"):
            await status(tls_server.settings("im", tls=bare), "Ssl_cipher")
    finally:
        tls_server.administer("ALTER USER im@'%' REQUIRE NONE")


async def test_a_wrong_authority_is_refused(tls_server: MariadbServer, tmp_path: Path) -> None:
    """Before the password is sent."""
    tls = MysqlTlsSettings(enabled=True, ca=make_authority(tmp_path, "other").certificate)
    with pytest.raises(StoreUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        await status(tls_server.settings("im", tls=tls), "Ssl_version")


async def test_another_host_s_certificate_is_refused(tls_server: MariadbServer, authority: Certificate) -> None:
    """Signed by whom we trust, for somebody else."""
    tls = MysqlTlsSettings(enabled=True, ca=authority.certificate)
    other = "127.0.0.2"
    async with TcpProxy(tls_server.engine.port, host=other).open() as port:
        with pytest.raises(StoreUnavailableError, match="IP address mismatch"):
            await status(tls_server.settings("im", tls=tls, host=other, port=port), "Ssl_version")


async def test_a_server_without_tls_is_refused(mariadb_server: MariadbServer) -> None:
    """Nobody can talk us into going on without it."""
    with pytest.raises(StoreUnavailableError):
        await status(mariadb_server.settings("im", tls=MysqlTlsSettings(enabled=True)), "Ssl_version")


async def test_a_server_that_wants_tls_refuses_us_without(tls_server: MariadbServer) -> None:
    with pytest.raises(StoreUnavailableError, match="1045"):
        await status(tls_server.settings("im"), "Ssl_version")


async def test_a_wrong_password_is_told(mariadb_server: MariadbServer) -> None:
    with pytest.raises(StoreUnavailableError, match="1045") as caught:
        await status(mariadb_server.settings("im", password=SecretStr("wröng")), "Uptime")
    assert "wröng" not in str(caught.value)


async def test_a_database_that_is_not_there_is_told(mariadb_server: MariadbServer) -> None:
    with pytest.raises(StoreUnavailableError, match=r"104[49]"):
        await status(mariadb_server.settings("nowhere"), "Uptime")


@pytest.mark.parametrize("file", ["ca", "certificate"])
async def test_a_pem_file_that_cannot_be_read_is_told(mariadb_server: MariadbServer, tmp_path: Path, file: str) -> None:
    tls = MysqlTlsSettings(enabled=True, **{file: tmp_path / "absent.pem"})
    with pytest.raises(StoreUnavailableError, match="PEM"):
        await status(mariadb_server.settings("im", tls=tls), "Uptime")


async def test_a_server_that_says_nothing_is_given_up(mariadb_server: MariadbServer) -> None:
    """A connection has its own deadline, its greeting and its session's settings included."""
    proxy = TcpProxy(mariadb_server.engine.port)
    proxy.set_passage(SILENT)
    async with proxy.open() as port:
        started = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            await status(mariadb_server.settings("im", port=port, connect_timeout_s=0.2), "Uptime")
        assert time.monotonic() - started < 2


async def test_a_pool_never_grows_beyond_its_size(mariadb_server: MariadbServer) -> None:
    engine = make_engine(mariadb_server.settings("im"), Purpose.WRITE, connections=3)
    assert (engine.pool.size(), engine.pool._max_overflow) == (3, 0)
    await engine.dispose()
