import pytest

from im_infra.rpc.core.pace import Pace


def write(pace: Pace, *, items: int, frames_per_s: int, seconds: float, start: float = 100.0) -> float:
    """Write frames at a steady rate; returns the rest after the last one."""
    rest_s = 0.0
    for number in range(int(seconds * frames_per_s)):
        rest_s = pace.wrote(items, start + number / frames_per_s)
    return rest_s


def test_the_first_frame_needs_no_rest() -> None:
    assert Pace().wrote(256, 100.0) == 0.0


def test_below_fifteen_hundred_items_a_second_a_frame_follows_at_once() -> None:
    assert write(Pace(), items=1, frames_per_s=1_400, seconds=0.5) == 0.0


@pytest.mark.parametrize(("items", "frames_per_s", "rest_s"), [(1, 2_000, 0.002), (10, 300, 0.004), (100, 200, 0.008)])
def test_the_rest_grows_with_the_load_up_to_its_bound(items: int, frames_per_s: int, rest_s: float) -> None:
    assert write(Pace(), items=items, frames_per_s=frames_per_s, seconds=0.5) == pytest.approx(rest_s, rel=0.05)


def test_after_the_load_a_frame_follows_at_once_again() -> None:
    pace = Pace()
    assert write(pace, items=10, frames_per_s=300, seconds=0.5)
    assert pace.wrote(1, 110.0) == 0.0
