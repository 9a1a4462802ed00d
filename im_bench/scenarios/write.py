"""Writing what a scenario needs before it drives: one message at a time, until it is stored."""

import asyncio
from typing import Final

from im_bench.adapters.abstract import AdapterError, Client, Refusal
from im_bench.message_id import MessageIds

LEAST_RETRY_S: Final = 0.01
ANSWER_S: Final = 30.0
"""Longer than any server of ours takes; a connection that closed never answers."""
_IDS: Final = MessageIds()


async def write(client: Client, conversation_id: int, text: str) -> None:
    """Send `text` and wait until it is acked; a refusal is waited out.

    Raises:
        AdapterError: it was refused for good, or not answered.
    """
    message_id, attempt = _IDS.next(), 0
    wait_s: float | None = 0.0
    while wait_s is not None:
        await asyncio.sleep(wait_s)
        attempt += 1
        waiting = _Waiting()
        client.send(conversation_id, message_id, text, waiting, attempt=attempt)
        try:
            async with asyncio.timeout(ANSWER_S):
                wait_s = await waiting.done
        except TimeoutError:
            raise AdapterError(f"a message had no answer in {ANSWER_S:g} s", reason="no answer") from None


class _Waiting:
    """One send's outcome: None, or seconds until it may be repeated."""

    def __init__(self) -> None:
        self.done: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()

    def acked(self, seq: int) -> None:  # noqa: ARG002 - the promise's
        """It is stored."""
        if not self.done.done():
            self.done.set_result(None)

    def refused(self, refusal: Refusal) -> None:
        """Later, then; or never."""
        if self.done.done():
            return
        if refusal.retryable:
            self.done.set_result(max(LEAST_RETRY_S, refusal.retry_after_s))
        else:
            self.done.set_exception(AdapterError(f"{refusal.name}: {refusal.text}", reason=refusal.name))
