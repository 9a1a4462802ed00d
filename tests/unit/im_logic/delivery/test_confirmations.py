import asyncio

from im_infra.rpc.peer import Peer
from im_logic.delivery.confirmations import Confirmations, Countdown
from im_logic.repo_stream import RepoStream
from im_proto.repo.v1.stream_pb2 import ConfirmedRange
from tests.logic_support.scripted_repo import ScriptedRepo


class Bench:
    def __init__(self) -> None:
        self.repo = ScriptedRepo()
        self.confirmations = Confirmations(RepoStream(self.repo), gather_s=0.001)

    def countdown(self, seq: int, *, outbox_id: int = 7, boot_id: str = "boot", left: int = 1) -> Countdown:
        stretch = ConfirmedRange(outbox_id=outbox_id, conversation_id=5, from_seq=seq, to_seq=seq)
        return Countdown(self.confirmations, self.repo, boot_id, stretch, left=left)

    async def gathered(self) -> None:
        """Until what was confirmed so far has left: timers run in their order."""
        left = asyncio.Event()
        asyncio.get_running_loop().call_later(0.002, left.set)
        await left.wait()


async def test_a_stretch_is_confirmed_when_everything_it_waits_for_is_done() -> None:
    bench = Bench()
    countdown = bench.countdown(3)
    countdown.wait_for_one_more()
    countdown.done()
    await bench.gathered()
    assert not bench.repo.confirmed
    countdown.done()
    await bench.gathered()
    (confirmed,) = bench.repo.confirmed
    assert (confirmed.outbox_id, confirmed.conversation_id, confirmed.from_seq, confirmed.to_seq) == (7, 5, 3, 3)


async def test_what_is_confirmed_within_a_moment_goes_in_one_request() -> None:
    bench = Bench()
    bench.repo.at_once = False
    for seq in range(1, 6):
        bench.countdown(seq).done()
    await bench.gathered()
    assert len(bench.repo.inbox) == 1


async def test_a_confirmation_for_a_boot_that_is_gone_is_dropped() -> None:
    bench = Bench()
    countdown = bench.countdown(1, boot_id="boot")
    bench.repo.peer = Peer("repo", "another")
    countdown.done()
    await bench.gathered()
    assert not bench.repo.confirmed


async def test_what_no_outbox_row_waits_for_is_not_confirmed() -> None:
    bench = Bench()
    bench.countdown(1, outbox_id=0).done()
    Countdown.unguarded(bench.confirmations).done()
    await bench.gathered()
    assert not bench.repo.confirmed
