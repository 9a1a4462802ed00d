from im_infra.rpc.core.limits import Limits


def test_what_is_left_and_an_equal_share() -> None:
    assert Limits(10, 100).minus(3, 40) == Limits(7, 60)
    assert Limits(10, 100).half() == Limits(5, 50)
