"""Connections share devices."""

from im_bench.scenarios.devices import people_for


def test_there_are_enough_people() -> None:
    assert [people_for(count) for count in (1, 7, 8)] == [1, 1, 2]
    assert people_for(9, instances=4) == 3
