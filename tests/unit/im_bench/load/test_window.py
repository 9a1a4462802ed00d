"""What a window contains."""

from im_bench.load.window import Window


def test_a_window_contains_its_start_and_not_its_end() -> None:
    window = Window(0, 10, 20)
    assert [moment in window for moment in (5, 10, 19.9, 20)] == [False, True, True, False]


def test_a_cut_only_shortens_and_never_ends_before_the_beginning() -> None:
    window = Window(5, 10, 20)
    window.cut(30)
    assert window.end == 20
    window.cut(15)
    assert window.end == 15
    window.cut(1)
    assert window.end == 5
