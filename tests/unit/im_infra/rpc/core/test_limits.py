from im_infra.rpc.core.limits import Limits


def test_what_is_left_and_an_equal_share() -> None:
    assert Limits(10, 100).minus(3, 40) == Limits(7, 60)
    assert Limits(10, 100).half() == Limits(5, 50)


def test_bodies_fit_by_number_and_bytes() -> None:
    room = Limits(items=3, size=100)
    assert room.fitting([1, 1, 1, 1], alone=True) == (3, 3)
    assert room.fitting([60, 40, 1], alone=True) == (2, 100)


def test_a_first_body_that_is_larger_than_the_room_fits_only_alone() -> None:
    room = Limits(items=3, size=100)
    assert room.fitting([500, 1], alone=True) == (1, 500)
    assert room.fitting([500, 1], alone=False) == (0, 0)
