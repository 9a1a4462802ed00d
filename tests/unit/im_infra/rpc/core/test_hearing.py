import pytest

from im_infra.rpc.core.hearing import Hearing
from im_infra.rpc.core.violation import ProtocolViolationError


def test_what_was_heard_is_owed_only_after_its_effect() -> None:
    hearing = Hearing()
    hearing.heard(1, 3)
    assert not hearing.owes
    hearing.took_effect(2)
    assert hearing.owes
    assert hearing.acknowledge() == 2
    assert not hearing.owes


@pytest.mark.parametrize("first", [1, 2, 4])
def test_a_gap_or_a_repetition_is_a_violation(first: int) -> None:
    hearing = Hearing()
    hearing.heard(1, 2)
    with pytest.raises(ProtocolViolationError, match=f"push {first} follows push 2"):
        hearing.heard(first, 1)


def test_what_is_owed_presses_after_a_tick() -> None:
    hearing = Hearing()
    hearing.heard(1, 1)
    hearing.took_effect(1)
    assert not hearing.presses
    hearing.tick()
    assert hearing.presses
    hearing.acknowledge()
    assert not hearing.presses


def test_a_tick_without_debt_presses_nothing() -> None:
    hearing = Hearing()
    hearing.tick()
    hearing.heard(1, 1)
    hearing.took_effect(1)
    assert not hearing.presses


def test_much_that_is_owed_presses_at_once() -> None:
    hearing = Hearing()
    hearing.heard(1, 256)
    hearing.took_effect(255)
    assert not hearing.presses
    hearing.took_effect(1)
    assert hearing.presses
