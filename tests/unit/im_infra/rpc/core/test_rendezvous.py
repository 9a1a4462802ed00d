from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from im_infra.rpc.core import rendezvous

NODES = [f"logic-{number}" for number in range(5)]


def pick(nodes: list[str], key: int) -> str:
    return max(nodes, key=lambda node: rendezvous.weight(rendezvous.seed(node), key))


def test_the_choice_is_the_same_in_every_release() -> None:
    """Processes of two releases run together during an upgrade; they should agree."""
    assert [pick(NODES, key) for key in (1, 2, 3, 10**18)] == ["logic-2", "logic-0", "logic-2", "logic-4"]


def test_keys_spread_evenly() -> None:
    counts = Counter(pick(NODES, key) for key in range(10_000))
    assert all(1_800 < count < 2_200 for count in counts.values())


@given(key=st.integers(min_value=0, max_value=2**63 - 1), gone=st.sampled_from(NODES))
def test_a_node_that_goes_moves_only_its_own_keys(key: int, gone: str) -> None:
    before = pick(NODES, key)
    after = pick([node for node in NODES if node != gone], key)
    assert before in (after, gone)


@given(key=st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_any_key_has_a_weight(key: int) -> None:
    assert 0 <= rendezvous.weight(rendezvous.seed("logic-0"), key) < 2**64
