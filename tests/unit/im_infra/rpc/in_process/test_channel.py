import grpc
import pytest

from im_infra.rpc.in_process import InProcessChannel, InProcessServer


async def test_it_is_ready_while_its_server_serves() -> None:
    server = InProcessServer()
    async with InProcessChannel(server) as channel:
        await channel.channel_ready()
        assert channel.get_state() is grpc.ChannelConnectivity.READY
        await server.stop()
        await channel.wait_for_state_change(grpc.ChannelConnectivity.READY)
        assert channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.SHUTDOWN


def test_calls_that_stream_in_one_direction_are_not_offered() -> None:
    channel = InProcessChannel(InProcessServer())
    for kind in (channel.unary_stream, channel.stream_unary):
        with pytest.raises(NotImplementedError, match="one direction"):
            kind("/im.repo.v1.RepoService/Connect", bytes, bytes)
