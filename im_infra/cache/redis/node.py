"""One Redis server as we see it: its connections, the round trips that callers share, whether it is away, its epoch.

Callers do not wait for each other's answers: what gathers while the connections are busy leaves together in the next
round trip. A server that does not answer in time counts as away, and whoever asks hears so at once, until a connection
to it stands again.

**Epoch.** Each round trip that reads also reads one key, a random value that whoever misses it sets (once, NX). With the
server's run id it is the server's epoch: a flush loses the key, a restart or another server in its place has another
run, even where it found old data on its disk.
"""

import asyncio
import random
import secrets
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from redis.exceptions import RedisError

from im_infra import error_table
from im_infra.aio import spawn
from im_infra.cache.redis.connect import Command, RedisConnection, Reply, connect
from im_infra.cache.redis.lane import Call, Lane
from im_infra.cache.settings import RedisSettings
from im_infra.errors import ImError
from im_infra.observability import logs
from im_infra.observability.metrics import Metrics

_LOG: Final = logs.get(__name__)

_MAX_KEYS: Final = 10_000
"""Keys in one round trip: at 2 µs each they hold the server for 20 ms."""
_IDLE_S: Final = 5.0
"""A silent connection is tried after this, so that a dead server is known before the next call needs it."""
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 1.0


class RedisNode:
    """A server. `start` it, `close` it.

    Args:
        address: `host:port`.
        settings: limits, and who we are.
        epoch_key: the key of its epoch; one that it holds.
        context: what to speak TLS with; None: no TLS.
        metrics: counters.
        on_epoch: called when its epoch became another one.
    """

    def __init__(
        self,
        address: str,
        *,
        settings: RedisSettings,
        epoch_key: str,
        metrics: Metrics,
        context: ssl.SSLContext | None = None,
        on_epoch: Callable[[], None],
    ) -> None:
        self.address = address
        self.epoch = ""
        """As it was read last; empty: not known."""
        self._settings = settings
        self._context = context
        self._timeout_s = settings.timeout_ms / 1000
        self._epoch_key = epoch_key
        self._on_epoch = on_epoch
        self._waiting: deque[Call] = deque()  # bounded by max_waiting keys; full: UNAVAILABLE at once
        self._weight = 0
        self._free: deque[Lane] = deque()  # bounded by the number of connections
        """Connections with nothing under way."""
        self._tasks: list[asyncio.Task[object]] = []
        self._open = 0
        self._turn = 0
        """Counts the times that a connection failed: those of an earlier turn are not trusted."""
        self._away: ImError | None = None
        """Why, while it is away."""
        self._settled = asyncio.Event()
        self._round_trips = metrics.counter("im_cache_round_trips_total")
        self._seconds = metrics.histogram("im_cache_round_trip_seconds")
        self._calls = metrics.histogram("im_cache_round_trip_calls")
        failures = metrics.counter("im_cache_failures_total")
        self._failures = {why: failures.labels(why) for why in ("away", "full", "broken", "silent")}

    def start(self) -> None:
        """Begin to connect."""
        self._tasks = [
            spawn(self._run_lane(), name=f"cache.redis {self.address}") for _ in range(self._settings.connections)
        ]

    async def close(self) -> None:
        """End its connections; what waits fails, and so does what is asked from now on."""
        self._away = closed = ImError(error_table.UNAVAILABLE, "the cache is closed")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._fail_waiting(closed)

    async def wait_settled(self) -> None:
        """Wait until it is known whether the server is there.

        Raises:
            ImError: UNAVAILABLE: it is not, or does not let us in.
        """
        await self._settled.wait()
        if self._away is not None:
            raise self._away

    async def ask(
        self, commands: Sequence[Command], *, weight: int = 1, reads: bool = False, repeatable: bool = False
    ) -> list[Reply]:
        """The answers to commands, sent in one round trip with whatever else goes there; errors of the server are values.

        Answered or failed within four timeouts (one that is under way, one to connect, two tries of its own), and at once
        while the server is known to be away. Cancelling is safe: the commands are executed or not.

        Args:
            commands: what is sent.
            weight: how many keys they touch.
            reads: the epoch must be read in the same round trip; it is up to date when this returns.
            repeatable: sending them twice does no harm.

        Raises:
            ImError: UNAVAILABLE: it is away, or too much waits; the commands were executed or not.
        """
        if self._away is not None:
            self._failures["away"].inc()
            raise ImError(error_table.UNAVAILABLE, self._away.message, retry_after_ms=1_000)
        if self._weight + weight > self._settings.max_waiting and self._waiting:
            self._failures["full"].inc()
            raise ImError(error_table.UNAVAILABLE, f"too much waits for {self._name}", retry_after_ms=100)
        call = Call(commands, weight, reads=reads, repeatable=repeatable)
        self._waiting.append(call)
        self._weight += weight
        self._send_waiting()
        return await call.answer

    def keep_epoch_in(self, key: str) -> None:
        """Keep its epoch under another key, since it holds the present one no more."""
        if key != self._epoch_key:
            self._epoch_key = key
            self._set_epoch("")

    @property
    def _name(self) -> str:
        return f"redis {self.address}"

    async def _run_lane(self) -> None:
        """One connection after the other, for ever."""
        pause_s = _FIRST_PAUSE_S
        while True:
            turn = self._turn
            try:
                connection = await self._connect()
            except (RedisError, TimeoutError) as error:
                if not self._open:
                    self._leave(error)
                await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            pause_s = _FIRST_PAUSE_S
            self._come()
            lane = Lane(connection, turn=turn, timeout_s=self._timeout_s)
            try:
                self._is_free(lane)
                await self._serve(lane)
            finally:
                self._open -= 1
                if lane in self._free:
                    self._free.remove(lane)
                await connection.close()

    async def _connect(self) -> RedisConnection:
        """A connection, after the epoch was read on it."""
        async with asyncio.timeout(self._timeout_s):
            connection = await connect(self.address, self._settings, self._context)
            try:
                await self._read_epoch(connection)
            except BaseException:
                connection.end(ConnectionAbortedError("given up"))
                raise
            return connection

    async def _serve(self, lane: Lane) -> None:
        """Until the connection is of no use, which a silent one is asked for now and then."""
        lost = lane.connection.lost
        try:
            while not lost.done():
                left_s = _IDLE_S - lane.idle_s
                await asyncio.wait((lost,), timeout=left_s if left_s > 0 else _IDLE_S)
                if not lost.done() and lane in self._free and lane.idle_s >= _IDLE_S:
                    self._free.remove(lane)
                    self._send(lane, ())
        except asyncio.CancelledError:
            self._give_up(lane.done(), ConnectionAbortedError("the cache is closed"), "away")
            raise
        calls, error = lane.done(), lost.result()
        if calls or lane.turn == self._turn:
            self._distrust(lane.turn)
            self._give_up(calls, error, "silent" if isinstance(error, TimeoutError) else "broken")

    def _distrust(self, turn: int) -> None:
        """One connection failed: the others lead to the same server, and are made anew before they are used."""
        if turn == self._turn:
            self._turn += 1
            free, self._free = self._free, deque()
            for lane in free:
                self._is_free(lane)

    def _is_free(self, lane: Lane) -> None:
        """Nothing is under way on it: it takes what waits, if it is still trusted."""
        if lane.turn != self._turn:
            lane.connection.end(ConnectionAbortedError("another connection to the same server failed"))
        else:
            self._free.append(lane)
            self._send_waiting()

    def _send_waiting(self) -> None:
        while self._waiting and self._free:
            calls = self._take()
            if calls:
                self._send(self._free.popleft(), calls)

    def _take(self) -> list[Call]:
        calls: list[Call] = []
        weight = 0
        while self._waiting and (not calls or weight + self._waiting[0].weight <= _MAX_KEYS):
            call = self._waiting.popleft()
            self._weight -= call.weight
            if not call.answer.done():
                calls.append(call)
                weight += call.weight
        return calls

    def _send(self, lane: Lane, calls: Sequence[Call]) -> None:
        """One round trip; without calls it asks for the epoch alone."""
        reads = not calls or any(call.reads for call in calls)
        commands: list[Command] = [("GET", self._epoch_key)] if reads else []
        for call in calls:
            commands.extend(call.commands)
        began = time.perf_counter()

        def on_replies(replies: list[Reply]) -> None:
            self._round_trips.inc()
            self._seconds.observe(time.perf_counter() - began)
            self._calls.observe(len(calls))
            if not reads:
                self._answer(lane, replies)
            elif self._is_epoch(lane.connection, replies[0]):
                self._answer(lane, replies[1:])
            else:  # before anybody takes what was read for the whole truth
                key = self._epoch_key

                def on_epoch(told: list[Reply]) -> None:
                    self._take_epoch(lane.connection, key, told)
                    self._answer(lane, replies[1:])

                lane.connection.send(_epoch_commands(key), on_epoch)

        if commands:
            lane.begin(calls, commands, on_replies)
        else:
            lane.begin(calls, [("PING",)], lambda _pong: on_replies([]))

    def _answer(self, lane: Lane, replies: Sequence[Reply]) -> None:
        position = 0
        for call in lane.done():
            following = position + len(call.commands)
            if not call.answer.done():
                call.answer.set_result(list(replies[position:following]))
            position = following
        self._is_free(lane)

    def _is_epoch(self, connection: RedisConnection, reply: Reply) -> bool:
        """Whether the reply tells the epoch that we know."""
        return isinstance(reply, bytes) and self.epoch == _epoch(connection, reply)

    async def _read_epoch(self, connection: RedisConnection) -> None:
        """Read the epoch, and begin one where there is none."""
        key = self._epoch_key
        self._take_epoch(connection, key, await connection.exchange(_epoch_commands(key)))

    def _take_epoch(self, connection: RedisConnection, key: str, replies: Sequence[Reply]) -> None:
        reply = replies[1]
        if key == self._epoch_key:
            self._set_epoch(_epoch(connection, reply) if isinstance(reply, bytes) else "")

    def _set_epoch(self, epoch: str) -> None:
        if epoch != self.epoch:
            self.epoch = epoch
            self._on_epoch()

    def _come(self) -> None:
        self._open += 1
        if self._away is not None:
            _LOG.warning("the cache is back", address=self.address)
            self._away = None
        self._settled.set()

    def _leave(self, error: Exception) -> None:
        """No connection stands and none can be made: whoever waits or asks hears so at once."""
        told = str(error) or type(error).__name__
        if self._away is None:
            _LOG.warning("the cache is away", address=self.address, error=told)
        self._away = ImError(error_table.UNAVAILABLE, f"{self._name} is away: {told}", retry_after_ms=1_000)
        self._settled.set()
        self._fail_waiting(self._away)

    def _give_up(self, calls: Sequence[Call], error: Exception, why: str) -> None:
        """Calls on a connection that broke: executed or not. What does no harm twice is sent again, once."""
        self._failures[why].inc()
        told = str(error) or type(error).__name__
        failed = ImError(error_table.UNAVAILABLE, f"{self._name}: {told}", retry_after_ms=1_000)
        for call in reversed(calls):
            if why == "broken" and call.repeatable and not call.answer.done():
                call.repeatable = False
                self._waiting.appendleft(call)
                self._weight += call.weight
            else:
                call.fail(failed)

    def _fail_waiting(self, error: ImError) -> None:
        while self._waiting:
            self._waiting.popleft().fail(error)
        self._weight = 0


def _epoch_commands(key: str) -> Sequence[Command]:
    return [("SET", key, secrets.token_hex(8), "NX"), ("GET", key)]


def _epoch(connection: RedisConnection, reply: bytes) -> str:
    return f"{reply.decode(errors='replace')}@{connection.run_id}"
