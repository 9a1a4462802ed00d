"""What makes a run incorrect, and what is only told."""

import pytest

from im_bench.ledger.correctness import Correctness


@pytest.mark.parametrize("fault", ["lost", "unstored", "duplicate", "out_of_order"])
def test_each_fault_alone_is_not_clean(fault: str) -> None:
    assert not Correctness(**{fault: 1}).clean


def test_what_clients_mend_by_themselves_is_clean() -> None:
    assert Correctness(gap=3, late=1, resync=2, unknown=1, repeat=9).clean


def test_counts_of_processes_add_up() -> None:
    total = Correctness(lost=1, gap=2)
    total.add(Correctness(lost=3, repeat=4))
    assert total == Correctness(lost=4, gap=2, repeat=4)
