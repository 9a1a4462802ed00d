import socket

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.rpc.channels import Channels, create_server
from im_infra.rpc.in_process import InProcessChannel, InProcessServer


async def test_an_address_has_one_channel() -> None:
    channels = Channels()
    assert channels.get("127.0.0.1:1") is channels.get("127.0.0.1:1")
    assert channels.get("127.0.0.1:1") is not channels.get("127.0.0.1:2")
    await channels.close()


async def test_a_service_of_this_process_is_reached_without_a_socket() -> None:
    channels = Channels({"repo": InProcessServer()})
    assert isinstance(channels.get("in-process:repo"), InProcessChannel)
    await channels.close()


async def test_a_service_may_come_later() -> None:
    servers: dict[str, InProcessServer] = {}
    channels = Channels(servers)
    with pytest.raises(ImError, match="does not serve repo") as caught:
        channels.get("in-process:repo")
    assert caught.value.reason is error_table.UNAVAILABLE
    servers["repo"] = InProcessServer()
    assert channels.get("in-process:repo")


async def test_two_servers_do_not_share_a_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = create_server()
        with pytest.raises(RuntimeError):
            server.add_insecure_port(f"127.0.0.1:{taken.getsockname()[1]}")
        await server.stop(0)
