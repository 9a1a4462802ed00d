from im_logic.messaging.buckets import Buckets


def test_a_full_bucket_gives_its_burst_at_once_and_then_says_how_long_to_wait() -> None:
    buckets = Buckets(rate_per_s=10, burst=3)
    assert [buckets.take(1, 100.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert abs(buckets.take(1, 100.0) - 0.1) < 1e-6
    assert buckets.take(1, 100.11) == 0.0


def test_in_the_long_run_the_rate_passes() -> None:
    buckets = Buckets(rate_per_s=10, burst=5)
    passed = sum(buckets.take(1, tick / 1000) == 0.0 for tick in range(10_000))
    assert 100 <= passed <= 106


def test_keys_do_not_share() -> None:
    buckets = Buckets(rate_per_s=1, burst=1)
    assert buckets.take(1, 5.0) == 0.0
    assert buckets.take(2, 5.0) == 0.0
    assert buckets.take(1, 5.0) > 0


def test_a_token_given_back_may_be_taken_again() -> None:
    buckets = Buckets(rate_per_s=1, burst=1)
    buckets.take(1, 5.0)
    buckets.give_back(1)
    assert buckets.take(1, 5.0) == 0.0
    buckets.give_back(99)


def test_too_many_keys_are_forgotten_those_first_whose_buckets_are_full() -> None:
    buckets = Buckets(rate_per_s=1, burst=1, max_keys=3)
    for key in (1, 2):
        buckets.take(key, 0.0)
    buckets.take(3, 9.5)
    buckets.take(4, 10.0)  # 1 and 2 are full again
    assert buckets.take(3, 10.0) > 0
    buckets.take(5, 10.0)
    buckets.take(6, 10.0)  # none is full: all are forgotten
    assert buckets.take(4, 10.0) == 0.0
