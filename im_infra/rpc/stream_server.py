"""The answering side: every accepted stream of one service."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import grpc

from im_infra.clock import Clock, SystemClock
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics
from im_infra.rpc.core.server_end import ServerEnd
from im_infra.rpc.duplex import duplex_of
from im_infra.rpc.hop_metrics import AnsweringMetrics
from im_infra.rpc.peer import Peer
from im_infra.rpc.server_stream import Events, Responder, ServerStream
from im_infra.rpc.settings import StreamSettings

_LOG: Final = logs.get(__name__)

Handler = Callable[[ServerStream, bytes, Responder], None]
"""Takes a request, at once and in order; answers through the responder, now or later. What it raises is the answer."""

__all__ = ["Handler", "Responder", "ServerStream", "StreamServer"]


class StreamServer:
    """Serves streams: hands requests to one handler, and keeps the streams by peer for pushes.

    Args:
        handler: takes every request; synchronous, `responder.run(coroutine)` is for what has to wait. An ImError it
            raises becomes the answer, anything else is logged and answered INTERNAL.
        me: who we are.
        on_open: a peer greeted; called before its first request.
        on_close: its stream ended, and pushes not acknowledged may be lost.
        settings: limits and times.
        clock: where time comes from.
        metrics: where the streams are counted, and the hop's name; None: nowhere.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        me: Peer,
        on_open: Callable[[ServerStream], None] | None = None,
        on_close: Callable[[ServerStream], None] | None = None,
        settings: StreamSettings | None = None,
        clock: Clock | None = None,
        metrics: tuple[Metrics, str] | None = None,
    ) -> None:
        self._me = me
        self._on_open = on_open
        self._on_close = on_close
        self._settings = settings or StreamSettings()
        self._monotonic = (clock or SystemClock()).monotonic
        told = AnsweringMetrics(*metrics, self._ends) if metrics is not None else None
        self._events = Events(on_request=handler, on_greeted=self._open, metrics=told)
        self._by_peer: dict[tuple[str, str], ServerStream] = {}
        self._serving: set[ServerStream] = set()
        self._ended = asyncio.Event()
        self._draining = False
        self.streams: Mapping[tuple[str, str], ServerStream] = MappingProxyType(self._by_peer)
        """The open streams by (node_id, boot_id) of their peers; a live view."""

    async def serve(self, _request_iterator: object, context: Any) -> None:  # noqa: ANN401 - grpc.aio's or the in-process one
        """The body of a servicer's `Connect`, for gRPC and in-process calls. Cancelling ends the stream."""
        if self._draining:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "this node is stopping")
        stream = ServerStream(
            duplex_of(context), me=self._me, settings=self._settings, monotonic=self._monotonic, events=self._events
        )
        self._serving.add(stream)
        try:
            await stream.run()
        finally:
            self._serving.discard(stream)
            self._close(stream)
            self._ended.set()

    async def drain(self) -> None:
        """Take no further request, answer the open ones, wait for acknowledgements, end the streams.

        Returns when no stream is left; requests sent meanwhile are answered NOT_STARTED. It takes as long as the
        slowest peer: set a deadline. Cancelling ends the remaining streams at once.
        """
        self._draining = True
        for stream in self._serving:
            stream.drain()
        try:
            while self._serving:
                self._ended.clear()
                await self._ended.wait()
        finally:
            for stream in self._serving:
                stream.close()

    def _ends(self) -> Iterable[ServerEnd]:
        return [stream.end for stream in self._by_peer.values()]

    def _open(self, stream: ServerStream) -> None:
        earlier = self._by_peer.get(stream.peer)
        if earlier is not None:
            _LOG.warning("stream replaced by the same peer", peer=stream.peer.node_id)
            earlier.close()
            self._close(earlier)
        self._by_peer[stream.peer] = stream
        if self._on_open is not None:
            self._on_open(stream)

    def _close(self, stream: ServerStream) -> None:
        for peer, known in self._by_peer.items():
            if known is stream:
                del self._by_peer[peer]
                break
        else:
            return
        if self._on_close is not None:
            self._on_close(stream)
