"""Messages arrive whole and in order; an end is told."""

import socket

import pytest

from im_bench.run.channel import Channel, ChannelClosedError
from im_bench.run.messages import Progressed


async def test_messages_of_any_size_arrive_in_order_and_the_end_is_told() -> None:
    left, right = [await Channel.over(end) for end in socket.socketpair()]
    sent = [Progressed(1, 2), "x" * 3_000_000, Progressed(2, 2)]
    for message in sent:
        left.send(message)
    assert [await right.receive() for _ in sent] == sent
    await left.close()
    with pytest.raises(ChannelClosedError):
        await right.receive()
    await right.close()
