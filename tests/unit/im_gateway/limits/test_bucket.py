"""Token buckets."""

from hypothesis import given
from hypothesis import strategies as st

from im_gateway.limits.bucket import Bucket


def test_a_burst_then_the_rate() -> None:
    bucket = Bucket(2.0, 3.0, now=0.0)
    assert [bucket.take(0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bucket.take(0.0) == 0.5
    assert bucket.take(0.5) == 0.0
    assert bucket.take(0.5) > 0


def test_putting_back_undoes_a_take_and_no_more() -> None:
    bucket = Bucket(1.0, 1.0, now=0.0)
    assert bucket.take(0.0) == 0.0
    bucket.put_back()
    bucket.put_back()
    assert bucket.take(0.0) == 0.0
    assert bucket.take(0.0) > 0


def test_a_full_one_may_be_forgotten() -> None:
    bucket = Bucket(1.0, 2.0, now=0.0)
    assert bucket.full(0.0)
    bucket.take(0.0)
    assert not bucket.full(0.5)
    assert bucket.full(1.0)


@given(st.lists(st.floats(0, 1), max_size=60))
def test_never_more_than_the_burst_and_the_rate_allow(pauses: list[float]) -> None:
    bucket = Bucket(3.0, 5.0, now=0.0)
    now, taken = 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now) == 0.0
    assert taken <= 5 + 3 * now + 1e-6
