"""Writing what a scenario needs before it drives: one message at a time, until it is stored."""

import asyncio
from typing import Final

from im_bench.adapters.abstract import AdapterError, Client, Refusal
from im_bench.load.message_id import MessageIds

LEAST_RETRY_S: Final = 0.01
_IDS: Final = MessageIds()


async def write(client: Client, conversation_id: int, text: str) -> None:
    """Send `text` and wait until it is acked; a refusal is waited out."""
    message_id, attempt = _IDS.next(), 0
    wait_s: float | None = 0.0
    while wait_s is not None:
        await asyncio.sleep(wait_s)
        attempt += 1
        waiting = _Waiting()
        client.send(conversation_id, message_id, text, waiting, attempt=attempt)
        wait_s = await waiting.done


class _Waiting:
    """One send's outcome: None, or seconds until it may be repeated."""

    def __init__(self) -> None:
        self.done: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()

    def acked(self, seq: int) -> None:  # noqa: ARG002 - the promise's
        """It is stored."""
        self.done.set_result(None)

    def refused(self, refusal: Refusal) -> None:
        """Later, then; or never."""
        if refusal.retryable:
            self.done.set_result(max(LEAST_RETRY_S, refusal.retry_after_s))
        else:
            self.done.set_exception(AdapterError(f"{refusal.name}: {refusal.text}", reason=refusal.name))
