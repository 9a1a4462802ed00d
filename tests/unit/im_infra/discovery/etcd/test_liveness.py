"""Who is listed: single nodes that vanish, many at once, and time in which nothing was seen."""

import pytest

from im_infra.discovery.abstract import Node
from im_infra.discovery.etcd.liveness import FAILURES, HOLD_S, Liveness


def node(number: int, boot: str = "b1") -> Node:
    return Node("gateway", f"g{number}", boot, f"10.0.0.{number}:9000")


def names(liveness: Liveness) -> set[str]:
    return {each.node_id for each in liveness.nodes}


@pytest.fixture
def ten() -> Liveness:
    liveness = Liveness()
    liveness.see([node(number) for number in range(10)], 0.0)
    return liveness


def test_one_that_vanished_is_listed_for_a_while(ten: Liveness) -> None:
    ten.vanish("gateway", "g0", 100.0)
    assert not ten.drop_due(100.0 + HOLD_S - 0.1)
    assert "g0" in names(ten)
    assert ten.is_due(100.0 + HOLD_S)
    assert ten.drop_due(100.0 + HOLD_S)
    assert "g0" not in names(ten)
    assert not ten.waits


def test_one_that_comes_back_starts_anew(ten: Liveness) -> None:
    ten.vanish("gateway", "g0", 100.0)
    ten.put(node(0))
    assert not ten.drop_due(200.0)
    ten.vanish("gateway", "g0", 201.0)
    assert not ten.drop_due(210.0)
    assert ten.drop_due(216.0)


def test_one_that_leaves_goes_at_once(ten: Liveness) -> None:
    ten.leave("gateway", "g0")
    ten.vanish("gateway", "g0", 1.0)
    assert len(names(ten)) == 9


def test_a_newer_boot_takes_the_place(ten: Liveness) -> None:
    ten.vanish("gateway", "g0", 1.0)
    ten.put(node(0, "b2"))
    assert [each.boot_id for each in ten.nodes if each.node_id == "g0"] == ["b2"]
    assert not ten.drop_due(100.0)


def test_time_in_which_nothing_was_seen_does_not_count(ten: Liveness) -> None:
    present = [node(number) for number in range(1, 10)]
    ten.vanish("gateway", "g0", 100.0)
    ten.lose_sight(110.0)
    ten.lose_sight(150.0)
    assert not ten.drop_due(1_000.0)
    ten.see(present, 1_000.0)
    assert not ten.drop_due(1_004.9)
    assert ten.drop_due(1_005.0), "ten seconds before, five after"


def test_what_is_missing_when_sight_returns_vanished_then(ten: Liveness) -> None:
    ten.lose_sight(10.0)
    ten.see([node(number) for number in range(1, 10)], 100.0)
    assert not ten.drop_due(114.0)
    assert ten.drop_due(115.0)


def test_many_at_once_stay_until_they_do_not_answer(ten: Liveness) -> None:
    for number in range(4):
        ten.vanish("gateway", f"g{number}", 100.0 + number)
    assert {each.node_id for each in ten.doubted} == {"g0", "g1", "g2", "g3"}
    assert not ten.drop_due(1_000.0)
    for at in (1_000.0, 1_004.0):
        ten.failed(node(0), at)
    assert not ten.drop_due(1_004.0)
    ten.failed(node(0), 1_008.0)
    assert ten.drop_due(1_008.0)
    assert names(ten) == {f"g{number}" for number in range(1, 10)}


def test_failures_far_apart_or_before_an_answer_do_not_add_up(ten: Liveness) -> None:
    for number in range(4):
        ten.vanish("gateway", f"g{number}", 100.0)
    for at in (200.0, 206.0, 212.0):
        ten.failed(node(0), at)
    assert not ten.drop_due(212.0)
    ten.failed(node(1), 300.0)
    ten.failed(node(1), 301.0)
    ten.answered(node(1))
    ten.failed(node(1), 302.0)
    assert not ten.drop_due(302.0)
    ten.failed(node(2, "another boot"), 303.0)
    ten.failed(node(9), 303.0)
    assert not ten.drop_due(400.0)


@pytest.mark.parametrize(("total", "gone", "doubted"), [(2, 2, 0), (9, 3, 0), (8, 3, 3), (10, 3, 0), (30, 11, 11)])
def test_more_than_a_third_and_at_least_three_are_too_many(total: int, gone: int, doubted: int) -> None:
    liveness = Liveness()
    liveness.see([node(number) for number in range(total)], 0.0)
    for number in range(gone):
        liveness.vanish("gateway", f"g{number}", 1.0)
    assert len(liveness.doubted) == doubted


def test_one_after_the_other_over_a_longer_time_is_believed(ten: Liveness) -> None:
    for number in range(6):
        ten.vanish("gateway", f"g{number}", number * 6.0)
    assert not ten.doubted
    assert ten.drop_due(100.0)
    assert len(names(ten)) == 4


def test_an_etcd_that_lost_everything_is_doubted(ten: Liveness) -> None:
    ten.lose_sight(10.0)
    ten.see([], 20.0)
    assert len(ten.doubted) == 10
    assert not ten.drop_due(1_000.0)
    for _ in range(FAILURES):
        ten.failed(node(3), 1_000.0)
    assert ten.drop_due(1_000.0)
    assert len(names(ten)) == 9
