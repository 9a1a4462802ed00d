"""Asking logic over the stream."""

from collections.abc import Callable
from typing import Protocol

from im_infra.contract.command import command_body, command_head, traced
from im_infra.errors import ImError, NotStartedError
from im_infra.rpc.stream_client import OnAnswer, StreamClient
from im_proto.logic.v1.stream_pb2 import Caller

OnFrame = Callable[[bytes | None, ImError | None], None]
"""A serialised ServerFrame without request_id, or why there is none."""


class Pool(Protocol):
    """The streams to all logic processes."""

    def pick(self, key: int) -> StreamClient:
        """The stream for a user; raises ImError(UNAVAILABLE) if none is ready."""
        ...


class LogicLink:
    """Commands to logic, each to the process of its user.

    Args:
        pool: the streams.
        timeout_s: seconds a command may take.
    """

    def __init__(self, pool: Pool, *, timeout_s: float) -> None:
        self._pool = pool
        self._timeout_s = timeout_s

    def pick(self, user_id: int) -> StreamClient:
        """The stream for a user; raises ImError(UNAVAILABLE) if none is ready."""
        return self._pool.pick(user_id)

    def request(self, client: StreamClient, user_id: int, body: bytes, on_answer: OnAnswer) -> None:
        """Ask; what a draining process did not start goes to the user's next one, once.

        All commands of a user that were not started are told so in their order, so they keep it at the next process.
        """

        def first_answer(answer: bytes | None, error: ImError | None) -> None:
            if isinstance(error, NotStartedError):
                self.ask_again(user_id, body, on_answer)
            else:
                on_answer(answer, error)

        client.request(body, first_answer, timeout_s=self._timeout_s)

    def ask_again(self, user_id: int, body: bytes, on_answer: OnAnswer) -> None:
        """Ask the user's present process what another one did not start."""
        try:
            self._pool.pick(user_id).request(body, on_answer, timeout_s=self._timeout_s)
        except ImError as unavailable:
            on_answer(None, unavailable)

    def command(self, caller: Caller, frame: bytes, on_frame: OnFrame) -> None:
        """Ask as `caller`, outside any connection's own commands."""
        body = command_body(command_head(caller), frame)
        try:
            client = self._pool.pick(caller.user_id)
        except ImError as error:
            on_frame(None, error)
            return
        self.request(client, caller.user_id, body, on_frame)

    async def call(self, caller: Caller, frame: bytes, *, trace: bytes = b"") -> bytes:
        """The same for coroutines: a serialised ServerFrame. Cancelling gives up waiting only.

        Args:
            caller: who asks.
            frame: a serialised ClientFrame.
            trace: the context of its span, where it is sampled.

        Raises:
            ImError: as logic answered, or UNAVAILABLE, DEADLINE_EXCEEDED, OVERLOADED.
        """
        body = command_body(command_head(caller), frame)
        if trace:
            body = traced(body, trace)
        try:
            return await self._pool.pick(caller.user_id).call(body, timeout_s=self._timeout_s)
        except NotStartedError:
            return await self._pool.pick(caller.user_id).call(body, timeout_s=self._timeout_s)
