import pytest

from im_infra.rpc.core.pace import ANSWERS, REQUESTS, Pace, PaceRule


def write(pace: Pace, *, items: int, frames_per_s: int, seconds: float, start: float = 100.0) -> float:
    """Write frames at a steady rate; returns the rest after the last one."""
    rest_s = 0.0
    for number in range(int(seconds * frames_per_s)):
        rest_s = pace.wrote(items, start + number / frames_per_s)
    return rest_s


@pytest.mark.parametrize("rule", [REQUESTS, ANSWERS])
def test_the_first_frame_needs_no_rest(rule: PaceRule) -> None:
    assert Pace(rule).wrote(256, 100.0) == 0.0


@pytest.mark.parametrize(("rule", "per_s"), [(REQUESTS, 240), (ANSWERS, 1_400)])
def test_where_there_is_little_to_do_a_frame_follows_at_once(rule: PaceRule, per_s: int) -> None:
    assert write(Pace(rule), items=1, frames_per_s=per_s, seconds=0.5) == 0.0


@pytest.mark.parametrize(
    ("rule", "items", "frames_per_s", "rest_s"),
    [
        (REQUESTS, 1, 500, 0.002),
        (REQUESTS, 4, 250, 0.004),
        (REQUESTS, 12, 250, 0.005),
        (ANSWERS, 1, 2_000, 0.002),
        (ANSWERS, 10, 300, 0.004),
        (ANSWERS, 100, 200, 0.005),
    ],
)
def test_the_rest_grows_with_the_load_up_to_its_bound(
    rule: PaceRule, items: int, frames_per_s: int, rest_s: float
) -> None:
    assert write(Pace(rule), items=items, frames_per_s=frames_per_s, seconds=0.5) == pytest.approx(rest_s, rel=0.05)


@pytest.mark.parametrize("rule", [REQUESTS, ANSWERS])
def test_after_the_load_a_frame_follows_at_once_again(rule: PaceRule) -> None:
    pace = Pace(rule)
    assert write(pace, items=10, frames_per_s=300, seconds=0.5)
    assert pace.wrote(1, 110.0) == 0.0
