"""TLS between services: both sides prove themselves."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import trustme

from im_infra.node_status import NodeStatus
from im_infra.observability.metrics import Metrics
from im_infra.rpc.channels import Channels, create_server, listen
from im_infra.rpc.credentials import Credentials
from im_infra.rpc.settings import RpcTlsSettings
from im_proto.node.v1.node_pb2 import GetStatusRequest
from im_proto.node.v1.node_pb2_grpc import NodeServiceStub, add_NodeServiceServicer_to_server

NAME = "im-cluster"


def settings(folder: Path, authority: trustme.CA, *, name: str = NAME) -> RpcTlsSettings:
    """Files of a certificate that `authority` issued."""
    folder.mkdir()
    issued = authority.issue_cert(name)
    ca, chain, key = folder / "ca.pem", folder / "chain.pem", folder / "key.pem"
    authority.cert_pem.write_to_path(str(ca))
    issued.cert_chain_pems[0].write_to_path(str(chain))
    issued.private_key_pem.write_to_path(str(key))
    return RpcTlsSettings(ca=ca, certificate=chain, private_key=key)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def address(tmp_path: Path, authority: trustme.CA) -> AsyncIterator[str]:
    """A server that speaks TLS only."""
    server = create_server()
    status = NodeStatus(version="1", boot_id="b", services=(), checks={}, metrics=Metrics())
    add_NodeServiceServicer_to_server(status, server)
    port = listen(server, "127.0.0.1:0", Credentials.load(settings(tmp_path / "server", authority)))
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def ask(address: str, credentials: Credentials | None) -> str:
    channels = Channels(credentials=credentials)
    try:
        answer = await NodeServiceStub(channels.get(address)).GetStatus(GetStatusRequest(), timeout=5)
        return answer.version
    finally:
        await channels.close()


async def test_processes_of_one_authority_talk(address: str, tmp_path: Path, authority: trustme.CA) -> None:
    """Wherever they run: the name in the certificate is the cluster's, not the host's."""
    assert await ask(address, Credentials.load(settings(tmp_path / "client", authority))) == "1"


@pytest.mark.parametrize("who", ["plain", "foreign authority"])
async def test_others_are_refused(address: str, tmp_path: Path, who: str) -> None:
    """Without a certificate, or with one of another authority."""
    credentials = None
    if who == "foreign authority":
        credentials = Credentials.load(settings(tmp_path / "stranger", trustme.CA()))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ask(address, credentials)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_server_of_another_name_is_not_trusted(tmp_path: Path, authority: trustme.CA) -> None:
    """One authority may issue for others too: the name must be the cluster's."""
    server = create_server()
    add_NodeServiceServicer_to_server(
        NodeStatus(version="1", boot_id="b", services=(), checks={}, metrics=Metrics()), server
    )
    other = Credentials.load(settings(tmp_path / "server", authority, name="mail.example"))
    port = listen(server, "127.0.0.1:0", other)
    await server.start()
    with pytest.raises(grpc.aio.AioRpcError):
        await ask(f"127.0.0.1:{port}", Credentials.load(settings(tmp_path / "client", authority)))
    await server.stop(None)


def test_half_a_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="go together"):
        RpcTlsSettings(ca=tmp_path / "ca.pem")


def test_without_files_there_is_no_tls() -> None:
    assert Credentials.load(RpcTlsSettings()) is None
