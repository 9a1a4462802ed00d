"""The same send at the same time over several connections, as an impatient client on a bad network does it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from im_bench.message_id import MessageIds
from im_cli.engines.engine import LOOPBACK
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import Content, SendRequest, Text
from tests.harness.fault import Fault, Scene
from tests.harness.light import open_light

TIMES: Final = 5
MESSAGES: Final = 20


@asynccontextmanager
async def repeated(scene: Scene) -> AsyncIterator[None]:
    """Twenty messages, each sent five times at once through all gateways in turn."""
    account, log = scene.load.senders[0].account, scene.load.common
    ports = list(scene.site.gateway_ports.values())
    connections = [
        await open_light(
            f"ws://{LOOPBACK}:{ports[number % len(ports)]}/ws",
            access_token=account.access_token,
            device_id=account.device_id,
        )
        for number in range(TIMES)
    ]
    ids, exact = MessageIds(), 0
    for number in range(1, MESSAGES + 1):
        key = f"repeater {log} {number}"
        told = {
            "device": "repeater", "user_id": account.user_id, "conversation_id": log, "key": key, "number": number,
        }  # fmt: skip
        request = SendRequest(
            conversation_id=log, client_message_id=ids.next(), content=Content(text=Text(text=key)), attempt=1
        )
        scene.history.add("offered", **told)  # type: ignore[arg-type]
        scene.history.add("send_invoke", **told)  # type: ignore[arg-type]
        answers = await asyncio.gather(*(each.call(ClientFrame(send=request)) for each in connections))
        for answer in answers:
            scene.history.add("send_ok", **told, seq=answer.send.seq)  # type: ignore[arg-type]
        first = [answer for answer in answers if not answer.send.duplicate]
        exact += len({answer.send.seq for answer in answers}) == len(first) == 1
    scene.expect(exact == MESSAGES, f"{exact} of {MESSAGES} got one seq, told {TIMES} times")
    yield
    for connection in connections:
        await connection.close()


SAME_SEND: Final = Fault(
    f"the same send {TIMES} times through two gateways", "one row, one seq, one display", repeated, hold_s=0
)
