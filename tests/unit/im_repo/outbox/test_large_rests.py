"""Who is not brought large ranges, and until when."""

from types import SimpleNamespace

from im_infra.rpc.peer import Peer
from im_repo.outbox.large_rests import LargeRests


def test_a_rest_ends_and_is_the_boots_own() -> None:
    now = 100.0
    rests = LargeRests(lambda: now)
    one, again, other = (SimpleNamespace(peer=Peer(*peer)) for peer in (("a", "1"), ("a", "2"), ("b", "1")))
    rests.rest(one.peer, 5_000)
    assert rests.awake([one, again, other]) == [again, other]
    now = 105.0
    assert rests.awake([one, again, other]) == [one, again, other]


def test_what_is_over_is_forgotten() -> None:
    now = 100.0
    rests = LargeRests(lambda: now)
    for number in range(1_000):
        now += 1
        rests.rest(Peer("logic-1", str(number)), 5_000)
    assert len(rests._until) <= 5
