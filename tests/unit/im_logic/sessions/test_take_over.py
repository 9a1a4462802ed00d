"""Whom a returning person displaces."""

from im_logic.sessions.take_over import Standing, displaced_by


def test_the_one_seen_longest_ago_makes_room() -> None:
    me = Standing(1, device_class=4, seen_time=5)
    others = [Standing(2, 4, 30), Standing(3, 4, 10), Standing(4, 4, 20)]
    assert displaced_by(me, others, limit=3) == [3]


def test_other_classes_and_oneself_make_no_room() -> None:
    me = Standing(1, device_class=1, seen_time=5)
    assert displaced_by(me, [Standing(2, 4, 1), me], limit=1) == []


def test_without_a_limit_nobody_makes_room() -> None:
    assert displaced_by(Standing(1, 1, 0), [Standing(2, 1, 0)], limit=0) == []


def test_within_the_limit_nobody_makes_room() -> None:
    assert displaced_by(Standing(1, 1, 0), [Standing(2, 1, 0)], limit=2) == []
