import asyncio

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.observability.tracing import OFF, Tracer
from im_infra.rpc.peer import Peer
from im_logic.delivery.confirmations import Confirmations, Countdown
from im_logic.delivery.redeliver import MAX_WAITING, Redeliverer, Stretch
from im_logic.repo_stream import RepoStream
from im_proto.repo.v1.stream_pb2 import AppendItem, Entries, OutboxRange, Redeliver, RepoPush
from tests.logic_support.scripted_repo import ScriptedRepo, group
from tests.support.spans import RecordingTracer


class Bench:
    def __init__(self, tracer: Tracer = OFF) -> None:
        self.repo = ScriptedRepo()
        self.repo.states[5] = group(5, 1)
        self.repo.log[5] = [AppendItem(client_message_id=bytes(16)) for _ in range(3)]
        stream = RepoStream(self.repo)
        self.confirmations = Confirmations(stream)
        self.small: list[tuple[int, int]] = []
        self.large: list[tuple[int, int]] = []
        self.redeliverer = Redeliverer(repo=stream, confirmations=self.confirmations, redelivery=self, tracer=tracer)

    def redeliver(self, stretch: Stretch, entries: Entries) -> None:
        self.small.extend((stretch.conversation_id, entry.seq) for entry in entries.entries)
        stretch.countdown.done()

    def redeliver_large(self, stretch: Stretch) -> None:
        self.large.append((stretch.from_seq, stretch.to_seq))
        stretch.countdown.done()

    async def run_until(self, condition: object) -> None:
        running = asyncio.create_task(self.redeliverer.run())
        async with asyncio.timeout(5):
            while not condition():  # type: ignore[operator]
                await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def push(*ranges: tuple[int, int, int]) -> bytes:
    told = [
        OutboxRange(conversation_id=5, from_seq=first, to_seq=last, fanout=fanout) for first, last, fanout in ranges
    ]
    return RepoPush(redeliver=Redeliver(outbox_id=7, ranges=told)).SerializeToString()


async def test_small_ranges_are_read_again_and_large_ones_left_to_task() -> None:
    bench = Bench()
    bench.redeliverer.on_repo_push(Peer("repo", "boot"), push((1, 2, 1), (3, 3, 2)))
    await bench.run_until(lambda: len(bench.repo.confirmed) == 2)
    assert bench.small == [(5, 1), (5, 2)]
    assert bench.large == [(3, 3)]
    assert [(one.from_seq, one.to_seq) for one in bench.repo.confirmed] == [(1, 2), (3, 3)]


async def test_a_range_that_cannot_be_read_does_not_stop_the_next() -> None:
    bench = Bench()
    bench.repo.failures.append(ImError(error_table.UNAVAILABLE))
    bench.redeliverer.on_repo_push(Peer("repo", "boot"), push((1, 1, 1), (2, 2, 1)))
    await bench.run_until(lambda: bench.small)
    assert bench.small == [(5, 2)]


def test_what_another_boot_or_a_newer_repo_says_is_passed_over() -> None:
    bench = Bench()
    bench.redeliverer.on_repo_push(Peer("repo", "another"), push((1, 1, 1)))
    bench.redeliverer.on_repo_push(Peer("repo", "boot"), RepoPush().SerializeToString())
    assert bench.redeliverer._waiting.empty()


def test_full_it_drops_what_comes() -> None:
    bench = Bench()
    stretch = Stretch(5, 1, 1, large=False, countdown=Countdown.unguarded(bench.confirmations))
    for _ in range(MAX_WAITING + 3):
        bench.redeliverer.add(stretch)
    assert bench.redeliverer.dropped == 3


async def test_what_was_sampled_is_recorded_until_it_was_delivered_again() -> None:
    tracer = RecordingTracer()
    bench = Bench(tracer)
    bench.redeliverer.on_repo_push(Peer("repo", "boot"), push((1, 1, 1)))
    sampled = RepoPush.FromString(push((2, 2, 1)))
    sampled.redeliver.trace = b"t" * 24
    bench.redeliverer.on_repo_push(Peer("repo", "boot"), sampled.SerializeToString())
    await bench.run_until(lambda: len(bench.small) == 2 and tracer.spans[0].ended)
    [span] = tracer.spans
    assert (span.name, span.parent) == ("logic.redeliver", b"t" * 24)
