"""A figure and its range, as people read them."""

from im_bench.capacity.spread import Spread, short


def test_the_range_is_told_where_there_is_one() -> None:
    assert str(Spread((3.0, 1.0, 2.0))) == "2 [1 to 3]"
    assert str(Spread((1234.4,))) == "1,234"
    assert (Spread((3.0, 1.0)).median, Spread((3.0, 1.0)).least, Spread((3.0, 1.0)).most) == (2, 1, 3)


def test_small_figures_keep_three_digits() -> None:
    assert [short(value) for value in (0.012345, 9.876, 99.96, 100.4)] == ["0.0123", "9.88", "100", "100"]
