import asyncio

from im_infra import error_table
from im_infra.cache.memory import MemoryCache
from im_infra.clock import ManualClock
from im_infra.errors import ImError
from im_infra.routing import Publications, RouteTable
from im_logic.conversations.cache import ConversationCache
from im_logic.conversations.conversation import Conversation
from im_logic.delivery.committed import Committed
from im_logic.delivery.confirmations import Confirmations, Countdown
from im_logic.delivery.parcel import Parcel
from im_logic.delivery.post import Post
from im_logic.delivery.small import MAX_WAITING, SmallFanOut
from im_logic.repo_stream import RepoStream
from tests.logic_support.scripted_repo import ScriptedRepo, group


class KeptPost(Post):
    """A post that keeps what it is given."""

    def __init__(self) -> None:
        cache = MemoryCache(ManualClock())
        super().__init__(
            gateways={}, routes=RouteTable(cache), boot_of={}.get, publications=Publications(cache), listed=set
        )
        self.parcels: list[Parcel] = []

    def send(self, parcel: Parcel) -> bool:
        self.parcels.append(parcel)
        return True


class Bench:
    def __init__(self) -> None:
        self.repo = ScriptedRepo(at_once=False)
        self.repo.states[5] = group(5, 1, 2)
        self.clock = ManualClock()
        self.cache = ConversationCache(RepoStream(self.repo), self.clock, max_conversations=10)
        self.post = KeptPost()
        self.too_large: list[int] = []
        self.small = SmallFanOut(
            cache=self.cache,
            post=self.post,
            clock=self.clock,
            on_too_large=lambda committed: self.too_large.append(committed.seq),
        )

    def send(self, seq: int, *, member_version: int = 1, known: Conversation | None = None, ref_seq: int = 0) -> None:
        self.clock.advance(0.001)
        countdown = Countdown.unguarded(Confirmations(RepoStream(self.repo)))
        self.small.send(Committed(5, seq, ref_seq, member_version, 1, b"%d" % seq, b"bare", countdown, known=known))

    @property
    def sent(self) -> list[int]:
        return [int(parcel.frame) for parcel in self.post.parcels]


async def test_the_state_it_was_decided_by_will_do_while_the_members_are_the_same() -> None:
    bench = Bench()
    loading = asyncio.create_task(bench.cache.fetch(5, 1))
    await asyncio.sleep(0)
    bench.repo.step()
    known = await loading
    bench.send(1, known=known)
    assert list(bench.post.parcels[0].users) == [1, 2]
    assert not bench.repo.inbox


def test_changed_members_are_loaded_first_and_later_entries_wait_behind() -> None:
    bench = Bench()
    bench.repo.states[5].member_version = 2
    bench.send(1, member_version=2)
    bench.send(2, member_version=1)
    assert bench.sent == []
    bench.repo.step()
    assert bench.sent == [1, 2]


def test_members_that_changed_again_meanwhile_are_loaded_again() -> None:
    bench = Bench()
    bench.send(1, member_version=1)
    bench.send(2, member_version=3)
    bench.send(3, member_version=3)
    bench.repo.step()
    assert bench.sent == [1]
    bench.repo.states[5].member_version = 3
    bench.repo.step()
    assert bench.sent == [1, 2, 3]


def test_what_is_large_by_now_goes_over_the_bus() -> None:
    bench = Bench()
    bench.repo.states[5].fanout, bench.repo.states[5].member_count = 2, 900
    bench.send(1)
    bench.repo.step()
    assert (bench.too_large, bench.sent) == ([1], [])


def test_when_the_members_cannot_be_loaded_the_outbox_brings_it_back() -> None:
    bench = Bench()
    bench.repo.failures.append(ImError(error_table.UNAVAILABLE))
    bench.send(1)
    bench.repo.step()
    assert bench.sent == []
    bench.send(2)
    bench.repo.step()
    assert bench.sent == [2]


def test_full_it_drops_what_comes() -> None:
    bench = Bench()
    for seq in range(1, MAX_WAITING + 3):
        bench.send(seq)
    assert bench.small.dropped == 2
    bench.repo.step()
    assert len(bench.sent) == MAX_WAITING
