"""The scenario `private`: pairs talk in both directions, one unacked message per sender, receipts on."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import psutil

from im_bench import resources
from im_bench.accounts import Account
from im_bench.connection import Connection
from im_bench.ledger import Correctness, Lane
from im_bench.pacer import Pacer
from im_bench.result import Latency, Result, Verdict
from im_bench.schedule import constant, poisson
from im_bench.uuid7 import uuid7
from im_proto.v1.conversation_pb2 import OpenDirectRequest
from im_proto.v1.frame_pb2 import ClientFrame, ServerFrame
from im_proto.v1.message_pb2 import Content, Message, PullRequest, SendRequest, Text
from im_proto.v1.read_pb2 import AckReceivedRequest, Cursor

DRAIN_S: Final = 15.0
ACK_RECEIVED_S: Final = 1.0
PAGE: Final = 200
SLIP_LIMIT_MS: Final = 10.0
BUSY_SHARE: Final = 0.85


@dataclass(frozen=True, slots=True)
class PrivateSettings:
    """What the run does."""

    pairs: int
    rate_per_s: float
    """Messages offered a second by all senders together; 0: closed loop, every sender always has one under way."""
    duration_s: float
    warm_up_s: float
    body_bytes: int
    arrivals: str
    """`constant` or `poisson`."""
    seed: int

    @property
    def closed(self) -> bool:
        """Whether the server sets the pace."""
        return self.rate_per_s <= 0


@dataclass(slots=True, eq=False)
class Sender:
    """One direction of a pair."""

    connection: Connection
    conversation_id: int
    key: str
    lane: Lane = field(default_factory=Lane)
    waiting: deque[float] = field(default_factory=deque)
    """Intended moments of messages that wait for the one under way; what piles up is latency, never dropped."""
    busy: bool = False
    retry: "tuple[SendRequest, int, float] | None" = None


class PrivateScenario:
    """One run.

    Args:
        settings: what to do.
        accounts: two per pair.
        url: the gateway's WebSocket, `ws://host:port/ws`.
        server_pids: processes whose use is told in the result, by name.
        progress: told what is going on, for a person.
    """

    def __init__(
        self,
        settings: PrivateSettings,
        accounts: Sequence[Account],
        *,
        url: str,
        server_pids: dict[str, int],
        progress: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._accounts = accounts
        self._url = url
        self._server_pids = server_pids
        self._progress = progress
        self._run = uuid4().hex[:8]
        self._connections: list[Connection] = []
        self._senders: list[Sender] = []
        self._by_key: dict[str, Sender] = {}
        self._received: dict[Connection, tuple[int, int]] = {}
        self._correctness = Correctness()
        self._ack = Latency()
        self._delivery = Latency()
        self._second: dict[str, int] = {"offered": 0, "acked": 0, "delivered": 0}
        self._counted: dict[str, int] = dict(self._second)
        self._series: list[dict[str, float]] = []
        self._refusals: dict[str, int] = {}
        self._stopping = False
        self._filler = "x" * settings.body_bytes

    async def run(self) -> Result:
        """Connect, warm up, measure, drain, verify."""
        result = Result(scenario="private", settings=self._described())
        try:
            await self._connect()
            self._progress("warming up")
            await self._drive(self._settings.warm_up_s)
            self._forget()
            self._progress("measuring")
            before = self._usage()
            own = psutil.Process()
            own_before, started = sum(own.cpu_times()[:2]), time.monotonic()
            pacer = await self._drive(self._settings.duration_s, series=True)
            elapsed = time.monotonic() - started
            own_share = (sum(own.cpu_times()[:2]) - own_before) / elapsed
            after = self._usage()
            counted = dict(self._counted)
            self._progress("draining")
            await self._drain()
            self._progress("verifying")
            await self._verify()
        finally:
            await asyncio.gather(*(connection.close() for connection in self._connections))
        result.offered_per_s = None if self._settings.closed else counted["offered"] / elapsed
        result.acked_per_s = counted["acked"] / elapsed
        result.delivered_per_s = counted["delivered"] / elapsed
        self._fill(result, before, after, pacer, own_share)
        return result

    def _described(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "pairs": settings.pairs,
            "rate_per_s": settings.rate_per_s,
            "loop": "closed" if settings.closed else "open",
            "arrivals": settings.arrivals,
            "duration_s": settings.duration_s,
            "warm_up_s": settings.warm_up_s,
            "body_bytes": settings.body_bytes,
            "seed": settings.seed,
            "url": self._url,
        }

    def _fill(
        self,
        result: Result,
        before: dict[str, resources.Usage],
        after: dict[str, resources.Usage],
        pacer: Pacer | None,
        own_share: float,
    ) -> None:
        """Put what was counted into the result and judge it."""
        result.latency_ms = {"ack": self._ack.summary(), "delivery": self._delivery.summary()}
        result.histograms = {"ack": self._ack.encoded(), "delivery": self._delivery.encoded()}
        result.correctness = self._correctness
        result.series = self._series
        result.resources = {
            name: {"cpu_s": round(after[name].cpu_s - before[name].cpu_s, 2), "rss_mib": round(after[name].rss_mib, 1)}
            for name in after
            if name in before
        }
        slip = pacer.slip.at(99) if pacer else None
        result.generator = {"cpu_share": round(own_share, 3), "slip_p99_ms": slip}
        if self._refusals:
            result.reasons.append(f"refused and sent again: {self._refusals}")
        if not self._correctness.clean:
            result.worsen(Verdict.INCORRECT, "messages were lost, doubled or out of order")
        if not self._delivery.count:
            result.worsen(Verdict.INVALID, "nothing was delivered")
        if slip is not None and slip > SLIP_LIMIT_MS and own_share > BUSY_SHARE:
            result.worsen(
                Verdict.INVALID, f"the generator was the bottleneck: {slip:.1f} ms late, {own_share:.0%} busy"
            )
        elif slip is not None and slip > SLIP_LIMIT_MS:
            result.reasons.append(f"the schedule slipped by {slip:.1f} ms (p99) on a machine that was full")

    async def _connect(self) -> None:
        """Open both sides of every pair and their conversation."""
        gate = asyncio.Semaphore(32)
        done = 0

        async def pair(left: Account, right: Account) -> None:
            nonlocal done
            async with gate:
                first, second = [await self._open(account) for account in (left, right)]
                answer = await first.call(ClientFrame(open_direct=OpenDirectRequest(user_id=right.user_id)))
                conversation_id = answer.open_direct.head.conversation.conversation_id
            for number, connection in enumerate((first, second)):
                sender = Sender(connection, conversation_id, key=f"{left.user_id}.{number}")
                self._senders.append(sender)
                self._by_key[sender.key] = sender
            done += 1
            self._progress(f"connecting {2 * done} of {2 * self._settings.pairs}")

        async with asyncio.TaskGroup() as tasks:
            for number in range(self._settings.pairs):
                tasks.create_task(pair(self._accounts[2 * number], self._accounts[2 * number + 1]))
        random.Random(self._settings.seed).shuffle(self._senders)  # noqa: S311 - reproducible, no secret

    async def _open(self, account: Account) -> Connection:
        connection = await Connection.open(
            self._url,
            access_token=account.access_token,
            device_id=account.device_id,
            on_message=self._on_message,
            on_resync=self._on_resync,
        )
        self._connections.append(connection)
        return connection

    async def _drive(self, duration_s: float, *, series: bool = False) -> Pacer | None:
        """Offer messages for a while."""
        self._stopping = False
        loop = asyncio.get_running_loop()
        ticker = loop.create_task(self._tick(series=series))
        pacer: Pacer | None = None
        try:
            if self._settings.closed:
                for sender in self._senders:
                    self._offer(sender, time.monotonic())
                await asyncio.sleep(duration_s)
            else:
                rate = self._settings.rate_per_s
                arrivals = (
                    constant(rate) if self._settings.arrivals == "constant" else poisson(rate, seed=self._settings.seed)
                )
                turn = iter(self._turns())
                pacer = Pacer(arrivals, duration_s=duration_s, emit=lambda due: self._offer(next(turn), due))
                await pacer.run()
        finally:
            self._stopping = True
            ticker.cancel()
        return pacer

    def _turns(self) -> Iterator[Sender]:
        while True:
            yield from self._senders

    def _offer(self, sender: Sender, intended: float) -> None:
        self._second["offered"] += 1
        self._counted["offered"] += 1
        if sender.busy:
            sender.waiting.append(intended)
        else:
            self._send(sender, intended)

    def _send(self, sender: Sender, intended: float) -> None:
        sender.busy = True
        sender.lane.sent += 1
        number = sender.lane.sent
        request = SendRequest(
            conversation_id=sender.conversation_id,
            client_message_id=uuid7(),
            content=Content(text=Text(text=f"{self._run} {sender.key} {number} {intended!r} {self._filler}")),
            attempt=1,
        )
        self._post(sender, request, number, intended)

    def _post(self, sender: Sender, request: SendRequest, number: int, intended: float) -> None:
        sender.connection.request(
            ClientFrame(send=request), lambda answer: self._on_ack(sender, request, number, intended, answer)
        )

    def _on_ack(self, sender: Sender, request: SendRequest, number: int, intended: float, answer: ServerFrame) -> None:
        loop = asyncio.get_running_loop()
        if answer.HasField("error"):
            self._refusals[answer.error.name] = self._refusals.get(answer.error.name, 0) + 1
            if not answer.error.retryable:
                raise RuntimeError(f"a send was refused: {answer.error.name} {answer.error.message}")
            request.attempt += 1
            loop.call_later(
                max(0.01, answer.error.retry_after_ms / 1000), self._post, sender, request, number, intended
            )
            return
        now = time.monotonic()
        sender.lane.ack(number)
        self._ack.record(now - intended)
        self._second["acked"] += 1
        self._counted["acked"] += 1
        sender.busy = False
        if sender.waiting:
            self._send(sender, sender.waiting.popleft())
        elif self._settings.closed and not self._stopping:
            self._offer(sender, now)

    def _on_message(self, connection: Connection, message: Message) -> None:
        self._received[connection] = (message.conversation_id, message.seq)
        run, key, number, intended, _ = message.content.text.text.split(" ", 4)
        if run != self._run:
            return
        verdict = self._by_key[key].lane.see(int(number))
        self._correctness.count(verdict)
        if verdict != "duplicate":
            self._delivery.record(time.monotonic() - float(intended))
            self._second["delivered"] += 1
            self._counted["delivered"] += 1

    def _on_resync(self) -> None:
        self._correctness.resync += 1

    async def _tick(self, *, series: bool) -> None:
        """Each second: acknowledge what was received, note the series."""
        while True:
            await asyncio.sleep(ACK_RECEIVED_S)
            received, self._received = self._received, {}
            for connection, (conversation_id, seq) in received.items():
                cursor = Cursor(conversation_id=conversation_id, seq=seq)
                connection.tell(ClientFrame(ack_received=AckReceivedRequest(cursors=(cursor,))))
            if series:
                self._series.append({name: float(count) for name, count in self._second.items()})
                self._progress(
                    f"measuring: {self._second['acked']} acked/s, {self._second['delivered']} delivered/s,"
                    f" delivery p99 {self._delivery.at(99) or 0:.1f} ms"
                )
            self._second = dict.fromkeys(self._second, 0)

    def _forget(self) -> None:
        """Drop the warm-up's figures, not its correctness."""
        for latency in (self._ack, self._delivery):
            latency.reset()
        self._counted = dict.fromkeys(self._counted, 0)
        self._series.clear()

    def _usage(self) -> dict[str, resources.Usage]:
        found = {name: resources.read(pid) for name, pid in self._server_pids.items()}
        return {name: usage for name, usage in found.items() if usage is not None}

    async def _drain(self) -> None:
        """Wait until everything that left was answered and seen."""
        deadline = time.monotonic() + DRAIN_S
        while time.monotonic() < deadline:
            if all(not sender.busy and not sender.lane.acked and not sender.waiting for sender in self._senders):
                return
            await asyncio.sleep(0.05)

    async def _verify(self) -> None:
        """Look for acked messages that were not pushed in the history; what is not there either is lost."""
        for sender in self._senders:
            self._correctness.unknown += int(sender.busy) + len(sender.waiting)
            if sender.lane.acked:
                self._correctness.lost += len(sender.lane.acked - await self._in_history(sender))

    async def _in_history(self, sender: Sender) -> set[int]:
        """The numbers of this sender's messages of this run, from the log."""
        numbers: set[int] = set()
        next_seq = 1
        while True:
            pull = PullRequest(conversation_id=sender.conversation_id, from_seq=next_seq, limit=PAGE)
            page = (await sender.connection.call(ClientFrame(pull=pull))).pull
            for message in page.messages:
                run, key, number, _ = message.content.text.text.split(" ", 3)
                if run == self._run and key == sender.key:
                    numbers.add(int(number))
            if not page.more or not page.messages:
                return numbers
            next_seq = page.messages[-1].seq + 1
