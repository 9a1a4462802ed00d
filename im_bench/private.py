"""The scenario `private`: pairs talk in both directions, one unacked message per sender, receipts on."""

import asyncio
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from uuid import uuid4

import psutil

from im_bench import resources
from im_bench.accounts import Account
from im_bench.connection import Connection
from im_bench.ledger import SeenSeqs
from im_bench.pacer import Pacer
from im_bench.result import Result, Verdict
from im_bench.schedule import constant, poisson
from im_bench.sender import Sender, Traffic, read_stamp
from im_bench.tally import Tally
from im_proto.v1.conversation_pb2 import OpenDirectRequest
from im_proto.v1.frame_pb2 import ClientFrame
from im_proto.v1.message_pb2 import Message, PullRequest
from im_proto.v1.read_pb2 import AckReceivedRequest, Cursor

DRAIN_S: Final = 15.0
SECOND_S: Final = 1.0
PAGE: Final = 200
POLL_S: Final = 0.05
CONNECTING_AT_ONCE: Final = 32
SLIP_LIMIT_MS: Final = 10.0
BUSY_SHARE: Final = 0.85
"""Above both, the generator was the bottleneck."""


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
        self._tally = Tally()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._traffic = Traffic(uuid4().hex[:8], "x" * settings.body_bytes, self._tally, self._fail)
        self._connections: list[Connection] = []
        self._senders: dict[str, Sender] = {}
        self._received: dict[Connection, Cursor] = {}
        self._seen: defaultdict[Connection, SeenSeqs] = defaultdict(SeenSeqs)

    async def run(self) -> Result:
        """Connect, warm up, measure, drain, verify.

        Raises:
            SendRefusedError: the server refused a send for good.
        """
        loop = "closed" if self._settings.closed else "open"
        result = Result(scenario="private", settings={**asdict(self._settings), "loop": loop, "url": self._url})
        try:
            await self._connect()
            self._progress("warming up")
            await self._drive(self._settings.warm_up_s, measuring=False)
            self._tally.start_measuring()
            await self._measure(result)
            self._progress("draining")
            await self._drain()
            self._progress("verifying")
            await self._verify()
        finally:
            await asyncio.gather(*(connection.close() for connection in self._connections))
        self._judge(result)
        return result

    async def _measure(self, result: Result) -> None:
        """Drive for the settings' duration and note what came of it."""
        before, own = self._usage(), psutil.Process()
        own_before, started = sum(own.cpu_times()[:2]), time.monotonic()
        pacer = await self._drive(self._settings.duration_s, measuring=True)
        elapsed = time.monotonic() - started
        after, totals = self._usage(), dict(self._tally.totals)
        slip = pacer.slip.at(99) if pacer else None
        own_share = (sum(own.cpu_times()[:2]) - own_before) / elapsed
        result.generator = {"cpu_share": round(own_share, 3), "slip_p99_ms": slip}
        result.offered_per_s = None if pacer is None else totals["offered"] / elapsed
        result.acked_per_s = totals["acked"] / elapsed
        result.delivered_per_s = totals["delivered"] / elapsed
        result.resources = {
            name: {"cpu_s": round(after[name].cpu_s - before[name].cpu_s, 2), "rss_mib": round(after[name].rss_mib, 1)}
            for name in after.keys() & before.keys()
        }

    def _judge(self, result: Result) -> None:
        """Put what was counted into the result and say what it is worth."""
        tally = self._tally
        result.latency_ms = {"ack": tally.ack.summary(), "delivery": tally.delivery.summary()}
        result.histograms = {"ack": tally.ack.encoded(), "delivery": tally.delivery.encoded()}
        result.correctness, result.series = tally.correctness, tally.series
        if tally.refusals:
            result.reasons.append(f"refused and sent again: {tally.refusals}")
        if not tally.correctness.clean:
            result.worsen(Verdict.INCORRECT, "messages were lost, doubled or out of order")
        if not tally.delivery.count:
            result.worsen(Verdict.INVALID, "nothing was delivered")
        slip, share = result.generator["slip_p99_ms"], result.generator["cpu_share"] or 0.0
        if slip is None or slip <= SLIP_LIMIT_MS:
            return
        if share > BUSY_SHARE:
            result.worsen(Verdict.INVALID, f"the generator was the bottleneck: {slip:.1f} ms late, {share:.0%} busy")
        else:
            result.reasons.append(f"the schedule slipped by {slip:.1f} ms (p99) on a machine that was full")

    async def _connect(self) -> None:
        """Open both sides of every pair and their conversation."""
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def pair(left: Account, right: Account) -> None:
            async with gate:
                first, second = [await self._open(account) for account in (left, right)]
                answer = await first.call(ClientFrame(open_direct=OpenDirectRequest(user_id=right.user_id)))
            conversation_id = answer.open_direct.head.conversation.conversation_id
            for account, connection in ((left, first), (right, second)):
                key = str(account.user_id)
                self._senders[key] = Sender(
                    self._traffic, connection, conversation_id, key=key, endless=self._settings.closed
                )
            self._progress(f"connected {len(self._senders)} of {2 * self._settings.pairs}")

        async with asyncio.TaskGroup() as tasks:
            for left, right in zip(self._accounts[::2], self._accounts[1::2], strict=True):
                tasks.create_task(pair(left, right))

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

    async def _drive(self, duration_s: float, *, measuring: bool) -> Pacer | None:
        """Offer messages for a while; the pacer is None in a closed loop."""
        senders = list(self._senders.values())
        random.Random(self._settings.seed).shuffle(senders)  # noqa: S311 - reproducible, no secret
        pacer: Pacer | None = None
        async with asyncio.TaskGroup() as tasks:
            ticks = tasks.create_task(self._tick(measuring=measuring))
            if self._settings.closed:
                for sender in senders:
                    if not sender.busy:
                        sender.offer(time.monotonic())
                driving = tasks.create_task(asyncio.sleep(duration_s))
            else:
                turn = itertools.cycle(senders)
                pacer = Pacer(self._arrivals(), duration_s=duration_s, emit=lambda due: next(turn).offer(due))
                driving = tasks.create_task(pacer.run())
            await asyncio.wait({driving, self._failed}, return_when=asyncio.FIRST_COMPLETED)
            driving.cancel()
            ticks.cancel()
        if self._failed.done():
            self._failed.result()
        return pacer

    def _arrivals(self) -> Iterator[float]:
        settings = self._settings
        if settings.arrivals == "poisson":
            return poisson(settings.rate_per_s, seed=settings.seed)
        return constant(settings.rate_per_s)

    async def _tick(self, *, measuring: bool) -> None:
        """Each second: acknowledge what was received, close the second's counts."""
        while True:
            await asyncio.sleep(SECOND_S)
            received, self._received = self._received, {}
            for connection, cursor in received.items():
                connection.tell(ClientFrame(ack_received=AckReceivedRequest(cursors=(cursor,))))
            ended = self._tally.end_second(keep=measuring)
            if measuring:
                late = self._tally.delivery.at(99) or 0.0
                self._progress(
                    f"measuring: {ended['acked']} acked/s, {ended['delivered']} delivered/s, delivery p99 {late:.1f} ms"
                )

    def _on_message(self, connection: Connection, message: Message) -> None:
        if self._seen[connection].repeats(message.conversation_id, message.seq):
            self._tally.correctness.repeat += 1
            return
        self._received[connection] = Cursor(conversation_id=message.conversation_id, seq=message.seq)
        stamp = read_stamp(message.content.text.text)
        if stamp is None or stamp.run != self._traffic.run:
            return
        sender = self._senders[stamp.key]
        if sender.connection is connection:  # delivered again, to everybody: the sender knows it from its ack
            self._tally.correctness.repeat += 1
            return
        verdict = sender.lane.see(stamp.number)
        self._tally.correctness.count(verdict)
        if verdict != "duplicate":
            self._tally.delivery.record(time.monotonic() - stamp.intended)
            self._tally.count("delivered")

    def _on_resync(self) -> None:
        self._tally.correctness.resync += 1

    def _fail(self, error: Exception) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)

    def _usage(self) -> dict[str, resources.Usage]:
        found = {name: resources.read(pid) for name, pid in self._server_pids.items()}
        return {name: usage for name, usage in found.items() if usage is not None}

    async def _drain(self) -> None:
        """Wait until everything that left was answered and seen."""
        for sender in self._senders.values():
            sender.end()
        deadline = time.monotonic() + DRAIN_S
        while not all(sender.settled for sender in self._senders.values()):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(POLL_S)  # asking thousands now and then is cheaper than an event from each

    async def _verify(self) -> None:
        """Look for acked messages that were not pushed in the history; what is not there either is lost."""
        correctness = self._tally.correctness
        for sender in self._senders.values():
            correctness.unknown += int(sender.busy) + len(sender.waiting)
            if sender.lane.acked:
                correctness.lost += len(sender.lane.acked - await self._in_history(sender))

    async def _in_history(self, sender: Sender) -> set[int]:
        """The numbers of this sender's messages of this run, read from the log."""
        numbers: set[int] = set()
        next_seq = 1
        while True:
            pull = PullRequest(conversation_id=sender.conversation_id, from_seq=next_seq, limit=PAGE)
            page = (await sender.connection.call(ClientFrame(pull=pull))).pull
            stamps = (read_stamp(message.content.text.text) for message in page.messages)
            numbers.update(
                stamp.number for stamp in stamps if stamp and stamp.run == self._traffic.run and stamp.key == sender.key
            )
            if not page.more or not page.messages:
                return numbers
            next_seq = page.messages[-1].seq + 1
